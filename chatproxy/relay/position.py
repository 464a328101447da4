"""How far a tab has come in its session's history, as it is told and tells again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from chatproxy.upstream.shapes import parse_time, wire_time

REPLAY_MARGIN = timedelta(minutes=2)
EARLIEST = "2000-01-01T00:00:00.000Z"
INSTANT_BYTES = len(EARLIEST)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a session's history: which history, how far, and when that was (service time)."""

    history: str
    number: int
    instant: str

    def __str__(self) -> str:
        return f"{self.history}.{self.number}.{self.instant}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """A position from a browser, or ``None`` if it is none of ours."""
        history, _, rest = text.partition(".")
        number, dot, instant = rest.partition(".")
        if not (history and number.isdecimal() and dot and len(text) < 64):
            return None
        position = cls(history, int(number), instant)
        return None if position.replayed_from() is None else position

    def replayed_from(self) -> str | None:
        """The instant from which on nothing may be missing; ``None`` if there is no such time."""
        try:
            return wire_time(parse_time(self.instant or EARLIEST) - REPLAY_MARGIN)
        except (ValueError, OverflowError):
            return None
