"""Keys, numbers, rates and names: what has to have a form, whatever it is about."""

from __future__ import annotations

from collections.abc import Callable

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage
from django.utils.module_loading import import_string
from limits import parse

from chatproxy.checks.messages import error, warning
from chatproxy.conf import conf
from chatproxy.logs import known_level

_YEARS_S = 10 * 365 * 24 * 3600
_FORMS = {
    "DATABASE_URL": "Write postgres://user:password@host/name, or sqlite:////absolute/path.sqlite3",
    "CHAT_PUBLIC_URL": "Write https://chat.example.com: scheme and host",
}


def _secret_key() -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= 16:
        return []
    return [
        error(
            1,
            "CHAT_SECRET_KEY is missing or too short: it signs keys and tickets.",
            "Set it, or CHAT_SECRET_KEY_FILE, to 50 random characters, the same for all processes.",
        )
    ]


def _vault_keys() -> list[CheckMessage]:
    if not conf.vault_keys:
        return [
            error(
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
                error(
                    3,
                    f"Key {number} of CHAT_VAULT_KEYS is not a Fernet key.",
                    "Use 32 bytes in URL-safe base64; several are separated by commas.",
                )
            ]
    return []


def _numbers() -> list[CheckMessage]:
    rules = (
        ("CHAT_RETENTION_DAYS", conf.retention_days, 0, 36_500),
        ("CHAT_SESSION_IDLE_SECONDS", conf.session_idle_s, 300, _YEARS_S),
        ("CHAT_ENDED_READABLE_SECONDS", conf.ended_readable_s, 0, _YEARS_S),
        ("CHAT_TABS_PER_SESSION", conf.tabs_per_session, 1, 1_000),
        ("CHAT_TAB_BUFFER_BYTES", conf.tab_buffer_bytes, 65_536, 1 << 30),
    )
    found: list[CheckMessage] = []
    for name, value, least, most in rules:
        if value < least:
            hint = f"Set {name} to {least} or more."
            found.append(error(12, f"{name} is {value}; the least is {least}.", hint))
        if value > most:  # no date is that far away, no memory that large
            hint = f"Set {name} to {most} or less."
            found.append(error(12, f"{name} is more than {most}, which is the most.", hint))
    return found


def _opened_cache() -> list[CheckMessage]:
    if 0 <= conf.opened_cache_s <= 15:
        return []
    return [
        error(
            14,
            "CHAT_OPENED_CACHE_SECONDS is outside 0 to 15.",
            "A revoked key must be dead everywhere within 15 seconds.",
        )
    ]


def _unread() -> list[CheckMessage]:
    return [
        error(
            15,
            f"{name} can't be used: {wrong}.",
            f"{_FORMS.get(name, f'Correct {name}')}, or unset it.",
        )
        for name, wrong in settings.UNREAD.items()
    ]


def _unknown() -> list[CheckMessage]:
    return [
        warning(
            30,
            f"{name} is no setting{f'; did you mean {nearest}?' if nearest else '.'}",
            f"Correct or unset {name}: it has no effect. docs/settings.md lists what there is.",
        )
        for name, nearest in settings.UNKNOWN.items()
    ]


def _rates() -> list[CheckMessage]:
    return [
        error(
            17,
            f"{name} is {value!r}, which is no rate.",
            f"Write {name} as a number, 1 or more, and a time, for example 10/minute.",
        )
        for name, value in (
            ("CHAT_STARTS_PER_ADDRESS", conf.starts_per_address),
            ("CHAT_REQUESTS_PER_KEY", conf.requests_per_key),
        )
        if not _is_rate(value)
    ]


def _is_rate(value: str) -> bool:
    try:
        rate = parse(value)
    except ValueError:
        return False
    return rate.amount >= 1 and rate.multiples >= 1  # "0/minute" would refuse everybody


def _challenge() -> list[CheckMessage]:
    try:
        is_callable = not conf.start_challenge or callable(import_string(conf.start_challenge))
    except ImportError:
        is_callable = False
    if is_callable:
        return []
    return [
        error(
            18,
            f"CHAT_START_CHALLENGE names {conf.start_challenge!r}, which can't be imported.",
            "Give the dotted path of a callable (request, answer) -> bool, or unset it.",
        )
    ]


def _logging() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if known_level(settings.CHAT_LOG_LEVEL) != settings.CHAT_LOG_LEVEL:
        hint = "Set CHAT_LOG_LEVEL to DEBUG, INFO, WARNING or ERROR."
        found.append(error(19, f"CHAT_LOG_LEVEL is {settings.CHAT_LOG_LEVEL!r}.", hint))
    if settings.CHAT_LOG_FORMAT not in {"json", "text"}:
        hint = "Set CHAT_LOG_FORMAT to json or text."
        found.append(error(19, f"CHAT_LOG_FORMAT is {settings.CHAT_LOG_FORMAT!r}.", hint))
    return found


RULES: tuple[Callable[[], list[CheckMessage]], ...] = (
    _secret_key,
    _vault_keys,
    _numbers,
    _opened_cache,
    _unread,
    _unknown,
    _rates,
    _challenge,
    _logging,
)
