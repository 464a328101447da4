"""``GET /api/v1/session``: what a page hears of its chat when it comes back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from chatproxy.sessions import lifecycle, opened, ratings
from chatproxy.sessions.models import ChatSession, State
from chatproxy.widgets.models import Widget

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat() -> ChatSession:
    opened.forget_all()
    now = timezone.now()
    return ChatSession.objects.create(
        widget=Widget.objects.create(key="shop", name="Shop"),
        state=State.ENDED,
        contact_id="c-1",
        started_at=now,
        ended_at=now,
        expires_at=now + timedelta(hours=1),
    )


def asked(client: Client, key: str) -> Any:
    return client.get("/api/v1/session", headers={"X-Amz-Bearer": key})


def test_a_rating_is_told_as_it_was_given(client: Client, chat: ChatSession) -> None:
    ratings.rate(str(chat.pk), 4, "quick and kind")
    told = asked(client, lifecycle.issue_key(chat)).json()
    assert told["rating"] == {"score": 4, "comment": "quick and kind"}


def test_a_comment_that_does_not_open_any_more_leaves_the_rest(
    client: Client, chat: ChatSession
) -> None:
    ChatSession.objects.update(rating_score=4, rating_comment_sealed="of another key")
    answer = asked(client, lifecycle.issue_key(chat))
    assert answer.status_code == 200
    assert answer.json()["rating"] == {"score": 4, "comment": None}


def test_a_key_that_has_just_expired_is_refused_though_the_session_is_remembered(
    client: Client, chat: ChatSession
) -> None:
    key = lifecycle.issue_key(chat)
    assert asked(client, key).status_code == 200
    ChatSession.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    lifecycle.sweep()
    assert asked(client, key).status_code == 401
