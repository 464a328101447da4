"""The one lock of all doors: the right key, from the right page, in time, and not too fast."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from chatproxy.api import access, limits
from chatproxy.api.access import Key, Policy, Visitor, admit, bearer, door
from chatproxy.sessions import keys, lifecycle, opened
from chatproxy.sessions.errors import (
    OriginNotAllowed,
    RateLimited,
    SessionEnded,
    SessionKeyInvalid,
    SessionNotFound,
)
from chatproxy.sessions.models import ChatSession, State
from chatproxy.widgets.models import Widget

pytestmark = pytest.mark.django_db
PAGE = "https://shop.example"
SESSION, CONNECTION = Policy(Key.SESSION), Policy(Key.CONNECTION)


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    opened.forget_all()
    monkeypatch.setattr(limits.request_budget, "_left", {})


@pytest.fixture
def chat(db: None) -> ChatSession:
    widget = Widget.objects.create(key="locked", name="Locked", allowed_origins=[PAGE])
    return ChatSession.objects.create(
        widget=widget, state=State.ACTIVE, expires_at=timezone.now() + timedelta(days=1)
    )


def asking(key: str, origin: str | None = PAGE) -> HttpRequest:
    headers = {"X-Amz-Bearer": key} | ({"Origin": origin} if origin is not None else {})
    return RequestFactory().post("/participant/message", headers=headers)


def connection_key(chat: ChatSession, session_key: str) -> str:
    key_id = opened.open_session(str(chat.pk)).key_id(session_key)
    return keys.new_connection_key(str(chat.pk), 1, key_id, int(time.time()) + 60)


def test_a_session_key_opens_what_takes_one(chat: ChatSession) -> None:
    visitor = admit(asking(lifecycle.issue_key(chat)), SESSION)
    assert (visitor.chat.id, visitor.origin) == (str(chat.pk), PAGE)


def test_a_connection_key_says_which_token_it_stands_for(chat: ChatSession) -> None:
    key = connection_key(chat, lifecycle.issue_key(chat))
    assert admit(asking(key), CONNECTION).generation == 1


def test_keys_may_travel_as_bearer_too() -> None:
    request = RequestFactory().get("/", headers={"Authorization": "bearer  the-key"})
    assert bearer(request) == "the-key"
    for headers in ({}, {"Authorization": "Basic x"}, {"Cookie": "key=sk1.x"}):
        with pytest.raises(SessionKeyInvalid):
            bearer(RequestFactory().get("/", headers=headers))


def test_each_kind_of_key_opens_its_own_doors_only(chat: ChatSession) -> None:
    session_key = lifecycle.issue_key(chat)
    for key, policy in ((session_key, CONNECTION), (connection_key(chat, session_key), SESSION)):
        with pytest.raises(SessionKeyInvalid):
            admit(asking(key), policy)


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://SHOP.example",
        "https://shop.example/",
        "https://sub.shop.example",
    ],
)
def test_a_page_that_is_not_exactly_on_the_list_is_refused(chat: ChatSession, origin: str) -> None:
    with pytest.raises(OriginNotAllowed):
        admit(asking(lifecycle.issue_key(chat), origin), SESSION)


def test_who_names_no_page_needs_only_the_key(chat: ChatSession) -> None:
    assert admit(asking(lifecycle.issue_key(chat), None), SESSION).origin == ""


def test_a_revoked_key_takes_its_connection_keys_along(chat: ChatSession) -> None:
    session_key = lifecycle.issue_key(chat)
    key = connection_key(chat, session_key)
    lifecycle.revoke_keys(chat)
    for each, policy in ((session_key, SESSION), (key, CONNECTION)):
        with pytest.raises(SessionKeyInvalid):
            admit(asking(each), policy)


def test_a_key_made_in_another_process_is_found(
    chat: ChatSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.open_session(str(chat.pk))
    monkeypatch.setattr(opened, "forget", lambda _: None)  # that process forgets, not ours
    key = lifecycle.issue_key(chat)
    monkeypatch.undo()
    monkeypatch.setattr(access.opened, "age_s", lambda _: 2.0)
    assert admit(asking(key), SESSION)


def test_made_up_keys_cost_no_query_each(chat: ChatSession, django_assert_num_queries: Any) -> None:
    opened.open_session(str(chat.pk))
    with django_assert_num_queries(0):
        for _ in range(10):
            with pytest.raises(SessionKeyInvalid):
                admit(asking(keys.new_session_key(str(chat.pk))), SESSION)


def test_a_chat_that_is_over_is_open_to_readers_only(chat: ChatSession) -> None:
    key = lifecycle.issue_key(chat)
    lifecycle.mark_ended(str(chat.pk))
    with pytest.raises(SessionEnded):
        admit(asking(key), SESSION)
    assert admit(asking(key), Policy(Key.SESSION, live=False))
    ChatSession.objects.update(state=State.EXPIRED)
    opened.forget_all()
    with pytest.raises(SessionNotFound):
        admit(asking(key), Policy(Key.SESSION, live=False))


def test_what_a_session_says_it_can_do_is_what_its_doors_do(
    chat: ChatSession, client: Client
) -> None:
    """Also while an end is known and not yet written down, so that no page runs into a refusal."""
    key = lifecycle.issue_key(chat)

    def can() -> Any:
        answer = client.get("/api/v1/session", headers={"X-Amz-Bearer": key, "Origin": PAGE})
        return answer.json()["can"]

    assert (can()["send"], can()["resume"]) == (True, True)
    opened.mark_over(str(chat.pk))
    assert (can()["send"], can()["attach"], can()["resume"]) == (False, False, False)


def test_a_session_that_asks_too_fast_is_refused_where_that_does_no_harm(
    chat: ChatSession, settings: Any
) -> None:
    settings.CHAT_REQUESTS_PER_KEY = "1/second"
    key = lifecycle.issue_key(chat)
    for _ in range(2):
        admit(asking(key), SESSION)
    with pytest.raises(RateLimited):
        admit(asking(key), SESSION)
    assert admit(asking(key), Policy(Key.SESSION, limited=False))


def test_a_door_takes_its_own_methods_only() -> None:
    @door(SESSION)
    def view(request: HttpRequest, visitor: Visitor) -> HttpResponse:
        raise AssertionError("not reached")

    response = view(RequestFactory().get("/"))
    assert (response.status_code, response["Allow"]) == (405, "POST")
