"""The sessions' counts, kept up while items are stored."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils import timezone

from chatproxy.sessions import items
from chatproxy.sessions.items import Kept
from chatproxy.sessions.models import ChatSession
from chatproxy.widgets.models import Widget

_ids = itertools.count()


def said(chat: ChatSession, role: str, *, is_new: bool = True, kind: str = "MESSAGE") -> Kept:
    item = {
        "Id": f"item-{next(_ids)}",
        "Type": kind,
        "ParticipantRole": role,
        "AbsoluteTime": "2026-11-22T10:00:00.000Z",
    }
    return Kept(str(chat.pk), item, is_new)


def a_chat(widget: Widget) -> ChatSession:
    long_ago = timezone.now() - timedelta(hours=1)
    return ChatSession.objects.create(
        widget=widget, expires_at=timezone.now() + timedelta(days=1), last_activity_at=long_ago
    )


@pytest.mark.django_db
@pytest.mark.parametrize("days", [0, 30])
def test_a_batch_counts_for_each_of_its_sessions(
    days: int, settings: pytest.FixtureRequest
) -> None:
    settings.CHAT_RETENTION_DAYS = days  # type: ignore[attr-defined]
    widget = Widget.objects.create(key="counted", name="Counted")
    first, second, quiet = a_chat(widget), a_chat(widget), a_chat(widget)
    items.append(
        [
            said(first, "AGENT"),
            said(first, "CUSTOMER"),
            said(second, "AGENT"),
            said(second, "SYSTEM"),
            said(second, "AGENT", is_new=False),
            said(second, "AGENT", kind="EVENT"),
        ]
    )
    for chat in (first, second, quiet):
        chat.refresh_from_db()
    assert (first.messages_in, first.messages_out) == (1, 1)
    assert (second.messages_in, second.messages_out) == (0, 2)
    assert (quiet.messages_in, quiet.messages_out) == (0, 0)
    recently = timezone.now() - timedelta(minutes=1)
    assert first.last_activity_at > recently > quiet.last_activity_at
