"""What is about Amazon Connect: the instance, its addresses, its times and its quotas."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage

from chatproxy.checks.messages import error, warning
from chatproxy.conf import conf
from chatproxy.upstream.governor import Group

# The form alone: a list of regions would have to be kept up to date.
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}")
_LONGEST_TIMEOUT_S = 300


def _region() -> list[CheckMessage]:
    if _REGION.fullmatch(conf.region):
        return []
    if not conf.region:
        return [error(7, "CONNECT_REGION is missing.", "Set your Connect instance's AWS region.")]
    return [
        error(
            23,
            f"CONNECT_REGION is {conf.region[:40]!r}, which is no AWS region.",
            "Write it as AWS does, for example eu-central-1.",
        )
    ]


def _instance() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for number, name, value in (
        (8, "CONNECT_INSTANCE_ID", conf.instance_id),
        (9, "CONNECT_CONTACT_FLOW_ID", conf.contact_flow_id),
    ):
        if not value:
            message = f"{name} is missing: widgets that name none of their own can't start chats."
            hint = "Copy it from the Connect console, or set it on each widget in the admin."
            found.append(warning(number, message, hint))
    if conf.instance_id.startswith("arn:") or "/" in conf.instance_id:
        hint = "Set what stands behind the ARN's last slash: a UUID."
        found.append(error(25, "CONNECT_INSTANCE_ID is an ARN or address, not an id.", hint))
    return found


def _endpoints() -> list[CheckMessage]:
    contact, participant = conf.connect_endpoint_url, settings.CONNECT_PARTICIPANT_ENDPOINT_URL
    if bool(contact) != bool(participant):
        return [
            error(
                10,
                "Only one of CONNECT_ENDPOINT_URL and CONNECT_PARTICIPANT_ENDPOINT_URL is set.",
                "Chats started at one place can't be joined at another: set both, or neither.",
            )
        ]
    if participant and not settings.CONNECT_WEBSOCKET_HOSTS:
        return [
            error(
                11,
                "CONNECT_PARTICIPANT_ENDPOINT_URL is set, CONNECT_WEBSOCKET_HOSTS is not.",
                "Name the host (and port) upstream sockets may be opened to, for example "
                "127.0.0.1:8001 for a sandbox.",
            )
        ]
    return [
        error(27, f"{name} is no web address.", "Write scheme and host: https://connect.example.")
        for name, value in (
            ("CONNECT_ENDPOINT_URL", contact),
            ("CONNECT_PARTICIPANT_ENDPOINT_URL", participant),
        )
        if value and not _is_web_address(value)
    ]


def _is_web_address(value: str) -> bool:
    parts = urlsplit(value)
    return parts.scheme in {"http", "https"} and bool(parts.hostname)


def _websocket_hosts() -> list[CheckMessage]:
    return [
        error(
            29,
            f"CONNECT_WEBSOCKET_HOSTS holds {host[:100]!r}, which is an address, not a host.",
            "List hosts, with a port where it is not 443, without wss:// and path: "
            "*.transport.connect.eu-central-1.amazonaws.com.",
        )
        for host in settings.CONNECT_WEBSOCKET_HOSTS
        if "/" in host
    ]


def _timeouts() -> list[CheckMessage]:
    return [
        error(
            24,
            f"{name} is {value:g}: no call to Amazon Connect would succeed, or none would end.",
            f"Set {name} to seconds, more than 0 and at most {_LONGEST_TIMEOUT_S}.",
        )
        for name, value in (
            ("CONNECT_CONNECT_TIMEOUT_S", conf.connect_timeout_s),
            ("CONNECT_READ_TIMEOUT_S", conf.read_timeout_s),
        )
        if not 0 < value <= _LONGEST_TIMEOUT_S  # nan is neither
    ]


def _quotas() -> list[CheckMessage]:
    groups = [str(group) for group in Group]
    hint = f'Write {{"message": [20, 30]}}: a second, at once. Groups: {", ".join(groups)}.'
    if not isinstance(settings.CONNECT_QUOTAS, dict):
        return [error(16, "CONNECT_QUOTAS is not a JSON object.", hint)]
    return [
        error(16, f"CONNECT_QUOTAS: {group!r} is no group, or its value no pair of numbers.", hint)
        for group, pair in settings.CONNECT_QUOTAS.items()
        if group not in groups or not _is_quota(pair)
    ]


def _is_quota(pair: object) -> bool:
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    rate, burst = pair
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in pair)
    return numbers and rate > 0 and burst >= 1


RULES: tuple[Callable[[], list[CheckMessage]], ...] = (
    _region,
    _instance,
    _endpoints,
    _websocket_hosts,
    _timeouts,
    _quotas,
)
