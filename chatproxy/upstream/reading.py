"""Reading decoded JSON with suspicion: members, times, addresses, each present and of its kind.

Used by the shapes of answers; requests people send to us are read by ``fields.py``.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


class BadShape(ValueError):
    """Decoded JSON that does not fit; the text names members, never values."""


def member(body: object, name: str, kind: type) -> Any:
    """``body[name]``, which must be there and of that kind (true is no number)."""
    value = body.get(name) if isinstance(body, Mapping) else None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadShape(f"{name} is not a {kind.__name__}")
    return value


def parse_time(value: object) -> datetime:
    """An ISO 8601 time of the service as an aware UTC datetime.

    Raises:
        BadShape: not such a time.
    """
    try:
        parsed = datetime.fromisoformat(str(value))
        if parsed.tzinfo is UTC:  # as the service writes them
            return parsed
        return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    except (ValueError, OverflowError) as err:
        raise BadShape("a time is not ISO 8601") from err


def wire_time(moment: datetime) -> str:
    """A time as the service writes it: UTC, three decimals, ``Z``."""
    return (
        moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
    )


def web_address(body: Json, name: str) -> str:
    """A URL that a browser is going to open: http or https, nothing else."""
    url: str = member(body, name, str)
    if not url.startswith(("https://", "http://")):
        raise BadShape(f"{name} is not a web address")
    return url
