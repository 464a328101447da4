"""Where browsers reach us, and where our own data and files are."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.core.checks import CheckMessage

from chatproxy.checks.messages import LOOPBACK, error, warning
from chatproxy.conf import conf


def _public_url() -> list[CheckMessage]:
    if "CHAT_PUBLIC_URL" in settings.UNREAD:
        return []  # told already
    parts = urlsplit(conf.public_url)
    if not _is_scheme_and_host(parts):
        return [
            error(
                4,
                "CHAT_PUBLIC_URL is missing or not of the form https://chat.example.com.",
                "Set it to the address browsers reach this proxy at: scheme and host, no path, "
                "no user or password.",
            )
        ]
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        return [
            error(
                5,
                "CHAT_PUBLIC_URL is plain http on a host other than this machine.",
                "Serve it over https; keys and messages would travel readable otherwise.",
            )
        ]
    if parts.scheme == "http" and parts.hostname != "127.0.0.1":
        return [
            warning(
                1,
                "CHAT_PUBLIC_URL is plain http and does not name 127.0.0.1.",
                "ChatJS accepts unencrypted websockets at ws://127.0.0.1:port only.",
            )
        ]
    return []


def _is_scheme_and_host(parts: SplitResult) -> bool:
    more = parts.path or parts.query or parts.fragment or "@" in parts.netloc
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and not more


def _demo() -> list[CheckMessage]:
    host = urlsplit(conf.public_url).hostname
    if conf.demo and host not in LOOPBACK:
        return [
            error(
                6,
                "CHAT_DEMO is on, but CHAT_PUBLIC_URL is not on this machine.",
                "The demo's log-in is public: unset CHAT_DEMO anywhere but on loopback.",
            )
        ]
    return []


def _debug() -> list[CheckMessage]:
    if not settings.DEBUG or urlsplit(conf.public_url).scheme != "https":
        return []
    return [
        warning(
            26,
            "CHAT_DEBUG is on, and CHAT_PUBLIC_URL is https, so probably in use.",
            "Debug pages show settings and variables to anybody who causes an error: unset "
            "CHAT_DEBUG.",
        )
    ]


def _allowed_hosts() -> list[CheckMessage]:
    return [
        error(
            28,
            f"CHAT_ALLOWED_HOSTS holds {host!r}, which no Host header is held to be.",
            "List host names alone, without scheme, port and path, separated by commas: "
            "chat.example.com, .example.com for all below it.",
        )
        for host in settings.ALLOWED_HOSTS
        if "/" in host or host.count(":") == 1
    ]


def _proxies() -> list[CheckMessage]:
    for entry in conf.trusted_proxies:
        try:
            ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return [
                error(
                    13,
                    f"CHAT_TRUSTED_PROXIES holds {entry!r}, which is no network.",
                    "List addresses or networks, for example 10.0.0.0/8, separated by commas.",
                )
            ]
    return []


def _redis() -> list[CheckMessage]:
    scheme = urlsplit(settings.REDIS_URL).scheme
    if not settings.REDIS_URL or scheme in {"redis", "rediss", "unix"}:
        return []
    return [
        error(
            20,
            "REDIS_URL is not the address of a Redis server.",
            "Write redis://host:6379/0, rediss:// for TLS, or unset it.",
        )
    ]


def _database_folder() -> list[CheckMessage]:
    database = settings.DATABASES["default"]
    name = str(database.get("NAME", ""))
    if "sqlite3" not in database["ENGINE"] or not name or ":" in name:
        return []  # ":memory:" and "file:…" have no folder
    folder = Path(name).resolve().parent
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return []
    wrong = "can't be written to by this user" if folder.is_dir() else "does not exist"
    return [
        error(
            21,
            f"The folder of the SQLite database, {folder}, {wrong}.",
            f"Run `mkdir -p {folder}` as the user that runs the proxy, or name a file in another "
            "folder with DATABASE_URL.",
        )
    ]


def _collected_files() -> list[CheckMessage]:
    if not settings.STATIC_ROOT or (Path(settings.STATIC_ROOT) / "staticfiles.json").exists():
        return []
    return [
        warning(
            22,
            "The files of the admin and of /api/docs have not been collected: their pages fail.",
            "Run `python manage.py collectstatic --no-input`, and again after an upgrade.",
        )
    ]


RULES: tuple[Callable[[], list[CheckMessage]], ...] = (
    _public_url,
    _demo,
    _debug,
    _allowed_hosts,
    _proxies,
    _redis,
    _database_folder,
    _collected_files,
)
