"""Who may start a chat now: one row for each start, within the widget's caps.

A widget has so many places: chats a day, and chats open at one time. Whoever starts a chat takes a
place by inserting a starting session, in the same transaction that counted the places taken. Starts
of one widget count one after the other: PostgreSQL locks the widget's row for that moment, SQLite
has one writer at a time (``transaction_mode`` in the settings). So the caps hold to the chat, for
all threads and processes together, and nothing is locked while Connect is asked.

A start that came to nothing gives its place back (`lifecycle.fail`): once it is known of all its
tries, beside each other or one after the other, that no contact came of them. While one of them may
bring a contact, or may have made one unheard, it keeps its place, until the five minutes for
connecting are over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from chatproxy.conf import conf
from chatproxy.sessions import keys
from chatproxy.sessions.errors import RateLimited, SessionEnded, WidgetNotFound
from chatproxy.sessions.models import LIVE_STATES, ChatSession, State
from chatproxy.widgets.models import Widget

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Start:
    """What a page asks for when it starts a chat; checked by the door, not yet by the widget."""

    widget: Widget
    origin: str
    display_name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    initial_message: str = ""
    client_token: str = ""
    continues: ChatSession | None = None


def prepare(start: Start) -> ChatSession:
    """The row for a start, saved before Connect is asked; the same client token gives the same row.

    Unless the row has its contact, this opens a try: it ends with `lifecycle.keep_contact` or
    `lifecycle.fail`, or its outcome stays unknown.

    Raises:
        RateLimited: the widget's daily cap or its number of live chats is reached.
        SessionEnded: the client token belongs to a chat that is over.
        WidgetNotFound: the widget was switched off a moment ago.
    """
    digest = keys.digest(f"{start.origin}\0{start.client_token}") if start.client_token else None
    with transaction.atomic():
        widget = _one_at_a_time(start.widget)
        # Locked, because a try that fails at this moment changes its state and open tries.
        sessions = widget.sessions.select_for_update()
        known = digest and sessions.filter(client_token_digest=digest).first()
        if known:
            return _prepared_again(known, widget)
        _take_place(widget)
        return _insert(start, widget, digest)


def _one_at_a_time(widget: Widget) -> Widget:
    """The widget as it is now, its starts held up until this transaction ends."""
    # Sessions that are inserted refer to the row; they do not wait for a lock that leaves its key.
    rows = Widget.objects.select_for_update(no_key=True)
    found = rows.filter(pk=widget.pk, enabled=True).first()
    if found is None:
        raise WidgetNotFound(f"No widget has the key {widget.key!r}, or it is switched off.")
    return found


def _take_place(widget: Widget) -> None:
    sessions = ChatSession.objects.filter(widget=widget)
    # Those that never had a contact cost nothing.
    today = sessions.started_since(_DAY).exclude(
        contact_id="", state__in=(State.FAILED, State.EXPIRED)
    )
    if today.count() >= widget.starts_per_day:
        raise RateLimited("No more chats can be started today. Please try again tomorrow.", 3600)
    if sessions.live().count() >= widget.live_chats:
        raise RateLimited("All our lines are busy. Please try again in a few minutes.", 60)


def _insert(start: Start, widget: Widget, digest: str | None) -> ChatSession:
    now = timezone.now()
    session = ChatSession(
        widget=widget,
        origin=start.origin,
        client_token_digest=digest,
        display_name=start.display_name or widget.visitor_name,
        attributes=start.attributes,
        continued_from=start.continues,
        open_tries=1,
        created_at=now,
        last_activity_at=now,
        expires_at=now + _lifetime(widget),
    )
    session.save(force_insert=True)
    return session


def _prepared_again(session: ChatSession, widget: Widget) -> ChatSession:
    if session.state == State.FAILED and not session.contact_id:
        _take_place(widget)
        _begin_anew(session)
    elif session.state not in LIVE_STATES:
        raise SessionEnded("This clientToken belongs to a chat that is over. Use a new one.")
    elif not session.contact_id:
        # A contact that this try makes can be connected to for five minutes from now.
        session.open_tries, session.last_activity_at = session.open_tries + 1, timezone.now()
        session.save(update_fields=["open_tries", "last_activity_at"])
    return session


def _begin_anew(session: ChatSession) -> None:
    now = timezone.now()
    session.state, session.failure, session.open_tries = State.STARTING, "", 1
    session.created_at, session.last_activity_at, session.ended_at = now, now, None
    session.save(
        update_fields=[
            "state",
            "failure",
            "open_tries",
            "created_at",
            "last_activity_at",
            "ended_at",
        ]
    )


def _lifetime(widget: Widget) -> timedelta:
    return timedelta(seconds=max(widget.chat_minutes * 60, conf.session_idle_s))
