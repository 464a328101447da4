"""What the page of one session shows: facts, links, keys, timeline, transcript. No secret in any.

Of keys there is a fingerprint, of tokens an expiry. What people wrote is opened only for those who
may read it, one page at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.utils import timezone

from chatproxy.sessions import items, ratings
from chatproxy.sessions.inspection.words import facts, noted
from chatproxy.sessions.models import ChatSession, SessionEvent, StoredItem
from chatproxy.sessions.spoken import Spoken, spoken
from chatproxy.sessions.vault import SealBroken

PER_PAGE = 100
UNREADABLE = "(cannot be opened with the present CHAT_VAULT_KEYS)"


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the timeline; ``gap``: since the line below it, in words."""

    at: datetime
    said: str
    is_error: bool
    detail: list[tuple[str, str]]
    gap: str


def timeline(session: ChatSession, number: Any) -> tuple[list[Note], Page[SessionEvent]]:
    """One page of the technical timeline, newest first, and the page itself for its links."""
    page = Paginator(session.events.order_by("-at", "-id"), PER_PAGE).get_page(number)
    events = list(page.object_list)
    if not page.has_next():
        events.append(SessionEvent(session=session, at=session.created_at, kind="asked_for"))
        before = None
    else:
        before = session.events.order_by("-at", "-id")[page.end_index()].at
    times = [event.at for event in events[1:]] + [before]
    return [_note(event, earlier) for event, earlier in zip(events, times, strict=True)], page


def _note(event: SessionEvent, earlier: datetime | None) -> Note:
    gap = duration(event.at - earlier) if earlier is not None else ""
    return Note(event.at, noted(event.kind), event.is_error, facts(event.detail), gap)


def transcript(session: ChatSession, number: Any) -> tuple[list[Spoken], Page[StoredItem]]:
    """One page of what was said, oldest first; the last page unless another is asked for."""
    pages = Paginator(session.items.order_by("absolute_time", "id"), PER_PAGE)
    page = pages.get_page(number or pages.num_pages)
    return [_opened(row) for row in page.object_list], page


def _opened(row: StoredItem) -> Spoken:
    try:
        return spoken(items.opened(row))
    except SealBroken:
        at = row.absolute_time.isoformat()
        return Spoken(at, row.participant_role, "other", "", UNREADABLE, "")


def rating_comment(session: ChatSession) -> str:
    """What the visitor wrote beside the score."""
    try:
        return ratings.comment_on(session)
    except SealBroken:
        return UNREADABLE


@dataclass(frozen=True, slots=True)
class Fact:
    name: str
    value: Any
    note: str = ""


def times(session: ChatSession) -> list[Fact]:
    """When what happened, and how long it took."""
    end = session.ended_at or (timezone.now() if session.is_live else session.last_activity_at)
    found = [
        Fact("Asked for", session.created_at),
        Fact("Contact started", session.started_at, _after(session.created_at, session.started_at)),
        Fact("Connected", session.connected_at, _after(session.started_at, session.connected_at)),
        Fact("Last activity", session.last_activity_at),
        Fact("Customer left", session.left_at),
        Fact("Ended", session.ended_at),
        Fact("Lasted", duration(end - session.created_at)),
        Fact("May be incomplete after", session.incomplete_since),
        Fact(_expiry_name(session), session.expires_at),
    ]
    return [fact for fact in found if fact.value is not None]


def _expiry_name(session: ChatSession) -> str:
    return "Live until, at the latest" if session.is_live else "Its keys read until"


def _after(earlier: datetime | None, later: datetime | None) -> str:
    return f"after {duration(later - earlier)}" if earlier and later else ""


def tokens(session: ChatSession) -> list[Fact]:
    """What is held of the service's tokens: whether, and until when. Never which."""
    found = [
        Fact("Participant token", "held, sealed" if session.participant_token_sealed else "none")
    ]
    for name, sealed, expiry in (
        ("Connection token", session.connection_token_sealed, session.connection_expiry),
        ("Connection token before", session.previous_token_sealed, session.previous_expiry),
    ):
        if sealed and expiry:
            found.append(Fact(name, f"held, sealed, until {expiry:%d %b %Y %H:%M:%S}"))
    return found


def duration(span: timedelta) -> str:
    """A time span as a person reads it: 38 ms, 2.4 s, 3 min 5 s, 1 h 12 min, 2 d 3 h."""
    seconds = span.total_seconds()
    if seconds < 0:
        return f"-{duration(-span)}"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
