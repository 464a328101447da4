"""``manage.py check``: what is missing or contradictory in the settings, and how to set it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string
from limits import parse

from chatproxy.conf import conf
from chatproxy.logs import known_level
from chatproxy.upstream.governor import Group

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"chatproxy.E{number:03d}")


@register()
def check_settings(**_: object) -> list[CheckMessage]:
    """All rules at once, so that one start tells everything there is to mend."""
    found: list[CheckMessage] = []
    for rule in _RULES:
        found.extend(rule())
    return found


def _secret_key() -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 16:
        return []
    return [
        _error(
            1,
            "CHAT_SECRET_KEY is missing or too short: it signs keys and tickets.",
            "Set it, or CHAT_SECRET_KEY_FILE, to 50 random characters, the same for all processes.",
        )
    ]


def _vault_keys() -> list[CheckMessage]:
    if not conf.vault_keys:
        return [
            _error(
                2,
                "CHAT_VAULT_KEYS is missing: it seals tokens and messages in the database.",
                "Make one with: python -c 'from cryptography.fernet import Fernet; "
                "print(Fernet.generate_key().decode())'",
            )
        ]
    for number, key in enumerate(conf.vault_keys, start=1):
        try:
            Fernet(key)
        except ValueError:
            return [
                _error(
                    3,
                    f"Key {number} of CHAT_VAULT_KEYS is not a Fernet key.",
                    "Use 32 bytes in URL-safe base64; several are separated by commas.",
                )
            ]
    return []


def _public_url() -> list[CheckMessage]:
    parts = urlsplit(conf.public_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        return [
            _error(
                4,
                "CHAT_PUBLIC_URL is missing or not of the form https://chat.example.com.",
                "Set it to the address browsers reach this proxy at: scheme and host, no path.",
            )
        ]
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return [
            _error(
                5,
                "CHAT_PUBLIC_URL is plain http on a host other than this machine.",
                "Serve it over https; keys and messages would travel readable otherwise.",
            )
        ]
    if parts.scheme == "http" and parts.hostname != "127.0.0.1":
        return [
            Warning(
                "CHAT_PUBLIC_URL is plain http and does not name 127.0.0.1.",
                hint="ChatJS accepts unencrypted websockets at ws://127.0.0.1:port only.",
                id="chatproxy.W001",
            )
        ]
    return []


def _demo() -> list[CheckMessage]:
    host = urlsplit(conf.public_url).hostname
    if conf.demo and host not in _LOOPBACK:
        return [
            _error(
                6,
                "CHAT_DEMO is on, but CHAT_PUBLIC_URL is not on this machine.",
                "The demo's log-in is public: unset CHAT_DEMO anywhere but on loopback.",
            )
        ]
    return []


def _connect() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not conf.region:
        found.append(
            _error(7, "CONNECT_REGION is missing.", "Set the AWS region of your Connect instance.")
        )
    for number, name, value in (
        (8, "CONNECT_INSTANCE_ID", conf.instance_id),
        (9, "CONNECT_CONTACT_FLOW_ID", conf.contact_flow_id),
    ):
        if not value:
            found.append(
                Warning(
                    f"{name} is missing: widgets that name none of their own can't start chats.",
                    hint="Copy it from the Connect console, or set it on each widget in the admin.",
                    id=f"chatproxy.W{number:03d}",
                )
            )
    return found


def _endpoints() -> list[CheckMessage]:
    contact, participant = conf.connect_endpoint_url, settings.CONNECT_PARTICIPANT_ENDPOINT_URL
    if bool(contact) != bool(participant):
        return [
            _error(
                10,
                "Only one of CONNECT_ENDPOINT_URL and CONNECT_PARTICIPANT_ENDPOINT_URL is set.",
                "Chats started at one place can't be joined at another: set both, or neither.",
            )
        ]
    if participant and not settings.CONNECT_WEBSOCKET_HOSTS:
        return [
            _error(
                11,
                "CONNECT_PARTICIPANT_ENDPOINT_URL is set, CONNECT_WEBSOCKET_HOSTS is not.",
                "Name the host (and port) upstream sockets may be opened to, for example "
                "127.0.0.1:8001 for a sandbox.",
            )
        ]
    return []


def _numbers() -> list[CheckMessage]:
    rules = (
        ("CHAT_RETENTION_DAYS", conf.retention_days, 0),
        ("CHAT_SESSION_IDLE_SECONDS", conf.session_idle_s, 300),
        ("CHAT_ENDED_READABLE_SECONDS", conf.ended_readable_s, 0),
        ("CHAT_TABS_PER_SESSION", conf.tabs_per_session, 1),
        ("CHAT_TAB_BUFFER_BYTES", conf.tab_buffer_bytes, 65_536),
    )
    return [
        _error(12, f"{name} is {value}; the least is {least}.", f"Set {name} to {least} or more.")
        for name, value, least in rules
        if value < least
    ]


def _proxies() -> list[CheckMessage]:
    for entry in conf.trusted_proxies:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return [
                _error(
                    13,
                    f"CHAT_TRUSTED_PROXIES holds {entry!r}, which is no network.",
                    "List addresses or networks, for example 10.0.0.0/8, separated by commas.",
                )
            ]
    return []


def _opened_cache() -> list[CheckMessage]:
    if 0 <= conf.opened_cache_s <= 15:
        return []
    return [
        _error(
            14,
            "CHAT_OPENED_CACHE_SECONDS is outside 0 to 15.",
            "A revoked key must be dead everywhere within 15 seconds.",
        )
    ]


def _unread() -> list[CheckMessage]:
    return [
        _error(15, f"{name} can't be used: {wrong}.", f"Correct {name}, or unset it.")
        for name, wrong in settings.UNREAD.items()
    ]


def _quotas() -> list[CheckMessage]:
    groups = [str(group) for group in Group]
    hint = f'Write {{"message": [20, 30]}}: a second, at once. Groups: {", ".join(groups)}.'
    if not isinstance(settings.CONNECT_QUOTAS, dict):
        return [_error(16, "CONNECT_QUOTAS is not a JSON object.", hint)]
    return [
        _error(16, f"CONNECT_QUOTAS: {group!r} is no group, or its value no pair of numbers.", hint)
        for group, pair in settings.CONNECT_QUOTAS.items()
        if group not in groups or not _is_quota(pair)
    ]


def _is_quota(pair: object) -> bool:
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    rate, burst = pair
    numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in pair)
    return numbers and rate > 0 and burst >= 1


def _rates() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name, value in (
        ("CHAT_STARTS_PER_ADDRESS", conf.starts_per_address),
        ("CHAT_REQUESTS_PER_KEY", conf.requests_per_key),
    ):
        try:
            parse(value)
        except ValueError:
            hint = f"Write {name} as a number and a time, for example 10/minute."
            found.append(_error(17, f"{name} is {value!r}, which is no rate.", hint))
    return found


def _challenge() -> list[CheckMessage]:
    try:
        is_callable = not conf.start_challenge or callable(import_string(conf.start_challenge))
    except ImportError:
        is_callable = False
    if is_callable:
        return []
    return [
        _error(
            18,
            f"CHAT_START_CHALLENGE names {conf.start_challenge!r}, which can't be imported.",
            "Give the dotted path of a callable (request, answer) -> bool, or unset it.",
        )
    ]


def _logging() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if known_level(settings.CHAT_LOG_LEVEL) != settings.CHAT_LOG_LEVEL:
        hint = "Set CHAT_LOG_LEVEL to DEBUG, INFO, WARNING or ERROR."
        found.append(_error(19, f"CHAT_LOG_LEVEL is {settings.CHAT_LOG_LEVEL!r}.", hint))
    if settings.CHAT_LOG_FORMAT not in {"json", "text"}:
        hint = "Set CHAT_LOG_FORMAT to json or text."
        found.append(_error(19, f"CHAT_LOG_FORMAT is {settings.CHAT_LOG_FORMAT!r}.", hint))
    return found


def _redis() -> list[CheckMessage]:
    scheme = urlsplit(settings.REDIS_URL).scheme
    if not settings.REDIS_URL or scheme in {"redis", "rediss", "unix"}:
        return []
    return [
        _error(
            20,
            "REDIS_URL is not the address of a Redis server.",
            "Write redis://host:6379/0, rediss:// for TLS, or unset it.",
        )
    ]


_RULES: tuple[Callable[[], list[CheckMessage]], ...] = (
    _secret_key,
    _vault_keys,
    _public_url,
    _demo,
    _connect,
    _endpoints,
    _numbers,
    _proxies,
    _opened_cache,
    _unread,
    _quotas,
    _rates,
    _challenge,
    _logging,
    _redis,
)
