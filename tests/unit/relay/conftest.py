"""Sessions that links can be opened for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from chatproxy.sessions.models import ChatSession, State
from chatproxy.widgets.models import Widget

MakeChat = Callable[..., ChatSession]
OnLoop = Callable[[], None]


@pytest.fixture
def on_loop(db: None, monkeypatch: pytest.MonkeyPatch) -> OnLoop:
    """Call it in a coroutine: from there on the database is the test's, in its transaction."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    connection = connections["default"]

    def on_loop() -> None:
        connections["default"] = connection

    return on_loop


@pytest.fixture
def make_chat(on_loop: OnLoop) -> MakeChat:
    """``make_chat(**fields)``: a session whose chat is going on."""
    widget = Widget.objects.create(key="relayed", name="Relayed")

    def make_chat(**fields: Any) -> ChatSession:
        on_loop()
        now = timezone.now()
        facts = {
            "widget": widget,
            "state": State.ACTIVE,
            "contact_id": "c-1",
            "connected_at": now,
            "expires_at": now + timedelta(days=1),
        }
        return ChatSession.objects.create(**{**facts, **fields})

    return make_chat
