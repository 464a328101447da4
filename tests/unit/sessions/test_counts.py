"""The sessions' counts: what is new in a chat, by who said it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from chatproxy.sessions import counts
from chatproxy.sessions.counts import NOTHING, Said
from chatproxy.sessions.models import ChatSession
from chatproxy.widgets.models import Widget


def a_chat(widget: Widget) -> ChatSession:
    long_ago = timezone.now() - timedelta(hours=1)
    return ChatSession.objects.create(
        widget=widget, expires_at=timezone.now() + timedelta(days=1), last_activity_at=long_ago
    )


@pytest.mark.django_db
def test_counts_are_added_to_each_of_their_sessions() -> None:
    widget = Widget.objects.create(key="counted", name="Counted")
    first, second, quiet = a_chat(widget), a_chat(widget), a_chat(widget)
    counts.add({str(first.pk): Said(1, 1), str(second.pk): Said(0, 2)})
    counts.add({str(first.pk): Said(2, 0), str(second.pk): NOTHING})
    for chat in (first, second, quiet):
        chat.refresh_from_db()
    assert (first.messages_in, first.messages_out) == (3, 1)
    assert (second.messages_in, second.messages_out) == (0, 2)
    assert (quiet.messages_in, quiet.messages_out) == (0, 0)
    recently = timezone.now() - timedelta(minutes=1)
    assert first.last_activity_at > recently > quiet.last_activity_at


@pytest.mark.parametrize(
    ("role", "kind", "adds"),
    [
        ("CUSTOMER", "MESSAGE", Said(1, 0)),
        ("CUSTOMER", "ATTACHMENT", Said(1, 0)),
        ("AGENT", "MESSAGE", Said(0, 1)),
        ("SYSTEM", "MESSAGE", Said(0, 1)),
        ("AGENT", "EVENT", Said(0, 0)),
        ("CUSTOMER", "MESSAGEMETADATA", Said(0, 0)),
    ],
)
def test_messages_and_files_count(role: str, kind: str, adds: Said) -> None:
    assert counts.said_by({"Type": kind, "ParticipantRole": role}) == adds
