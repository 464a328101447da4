"""The sessions' counts: what is new in a chat, by who said it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chatproxy.sessions import counts
from chatproxy.sessions.counts import Tally
from chatproxy.sessions.models import ChatSession
from chatproxy.widgets.models import Widget


def a_chat(widget: Widget) -> ChatSession:
    long_ago = timezone.now() - timedelta(hours=1)
    return ChatSession.objects.create(
        widget=widget, expires_at=timezone.now() + timedelta(days=1), last_activity_at=long_ago
    )


@pytest.mark.django_db
def test_counts_are_raised_for_each_of_their_sessions() -> None:
    widget = Widget.objects.create(key="counted", name="Counted")
    first, second, quiet = a_chat(widget), a_chat(widget), a_chat(widget)
    counts.write([Tally(str(first.pk), 1, 1), Tally(str(second.pk), 0, 2)])
    counts.write([Tally(str(first.pk), 3, 1), Tally(str(second.pk), 0, 2)])
    for chat in (first, second, quiet):
        chat.refresh_from_db()
    assert (first.messages_in, first.messages_out) == (3, 1)
    assert (second.messages_in, second.messages_out) == (0, 2)
    assert (quiet.messages_in, quiet.messages_out) == (0, 0)
    recently = timezone.now() - timedelta(minutes=1)
    assert first.last_activity_at > recently > quiet.last_activity_at


@pytest.mark.django_db
def test_a_link_that_has_not_read_all_of_its_chat_lowers_no_count() -> None:
    chat = a_chat(Widget.objects.create(key="counted", name="Counted"))
    counts.write([Tally(str(chat.pk), 5, 7)])
    counts.write([Tally(str(chat.pk), 2, 8)])
    chat.refresh_from_db()
    assert (chat.messages_in, chat.messages_out) == (5, 8)


@pytest.mark.parametrize(
    ("role", "kind", "adds"),
    [
        ("CUSTOMER", "MESSAGE", (1, 0)),
        ("CUSTOMER", "ATTACHMENT", (1, 0)),
        ("AGENT", "MESSAGE", (0, 1)),
        ("SYSTEM", "MESSAGE", (0, 1)),
        ("AGENT", "EVENT", (0, 0)),
        ("CUSTOMER", "MESSAGEMETADATA", (0, 0)),
    ],
)
def test_messages_and_files_count(role: str, kind: str, adds: tuple[int, int]) -> None:
    tally = Tally("s-1")
    tally.count({"Type": kind, "ParticipantRole": role})
    assert (tally.incoming, tally.outgoing) == adds
