"""The states of a session, and every way from one to the next."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from chatproxy.sessions import control, keys, lifecycle, opened
from chatproxy.sessions.errors import SessionEnded, SessionKeyInvalid
from chatproxy.sessions.models import ChatSession, EndedBy, LinkLease, SpentTicket, State
from chatproxy.upstream.shapes import ConnectionCredentials, ConnectionToken
from tests.unit.sessions.conftest import MakeSession

pytestmark = pytest.mark.django_db


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(control, "publish", lambda kind, session_id, **_: said.append(str(kind)))
    return said


def credentials(text: str, **life: float) -> ConnectionCredentials:
    return ConnectionCredentials(ConnectionToken(text), timezone.now() + timedelta(**life))


def in_an_hour() -> Any:
    return timezone.now() + timedelta(hours=1)


# --- keys


def lives(chat: ChatSession, key: str) -> bool:
    return chat.keys.filter(digest=keys.digest(key), revoked_at=None).exists()


def test_a_repeated_start_revokes_the_key_before(
    make_session: MakeSession, published: list[str]
) -> None:
    chat = make_session()
    first = lifecycle.issue_key(chat)
    second = lifecycle.replace_key(chat)
    session = opened.reopen(str(chat.pk))
    assert session.key_id(second)
    with pytest.raises(SessionKeyInvalid):
        session.key_id(first)
    assert published == ["revoked"]


@pytest.mark.django_db(transaction=True)
def test_of_starts_that_are_answered_at_once_one_key_lives(make_session: MakeSession) -> None:
    chat, together = make_session(), threading.Barrier(6)

    def answered(_: int) -> str:
        together.wait()
        try:
            return lifecycle.replace_key(chat)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as crowd:
        held = list(crowd.map(answered, range(6)))
    assert sum(lives(chat, key) for key in held) == chat.keys.filter(revoked_at=None).count() == 1


def test_the_key_of_whoever_asked_last_lives_whoever_is_answered_last(
    make_session: MakeSession,
) -> None:
    chat, now = make_session(), timezone.now()
    repeat = lifecycle.replace_key(chat, now)
    first_try = lifecycle.replace_key(chat, now - timedelta(seconds=5))
    assert (lives(chat, repeat), lives(chat, first_try)) == (True, False)


# --- connecting


def test_a_token_that_lasts_is_kept_and_one_that_does_not_is_replaced(
    make_session: MakeSession,
) -> None:
    chat, generations = make_session(), []
    for text, life in (("a", {"hours": 2}), ("b", {"days": 1}), ("c", {"days": 1})):
        until = timezone.now() + timedelta(hours=3 if text == "b" else 1)
        lifecycle.keep_token(str(chat.pk), credentials(text, **life), needed_until=until)
        chat.refresh_from_db()
        generations.append(chat.connection_generation)
    assert generations == [1, 2, 2]


def test_a_refused_token_is_replaced_and_kept_beside_the_new_one(
    make_session: MakeSession,
) -> None:
    chat = make_session()
    for text in ("a", "b", "c"):
        lifecycle.keep_token(
            str(chat.pk), credentials(text, days=1), needed_until=in_an_hour(), replace=True
        )
    session = opened.open_session(str(chat.pk))
    assert {n: pair[0].reveal() for n, pair in session.tokens.items()} == {2: "b", 3: "c"}


def test_a_token_that_comes_when_the_chat_is_over_is_not_kept(make_session: MakeSession) -> None:
    chat, late = make_session(), credentials("late", days=1)
    lifecycle.mark_ended(str(chat.pk))
    assert lifecycle.keep_token(str(chat.pk), late, needed_until=in_an_hour()) == late.expiry
    chat.refresh_from_db()
    assert (chat.connection_token_sealed, chat.connection_expiry) == ("", None)


def test_the_first_connection_makes_a_session_active_once(make_session: MakeSession) -> None:
    chat = make_session(state=State.STARTING, connected_at=None)
    lifecycle.mark_connected(str(chat.pk))
    chat.refresh_from_db()
    first = chat.connected_at
    lifecycle.mark_connected(str(chat.pk))
    chat.refresh_from_db()
    assert (chat.state, chat.connected_at) == (State.ACTIVE, first)


def test_a_late_connection_revives_no_chat_that_is_over(make_session: MakeSession) -> None:
    chat = make_session(state=State.LEAVING)
    lifecycle.mark_connected(str(chat.pk))
    chat.refresh_from_db()
    assert chat.state == State.LEAVING


def test_a_ticket_is_spent_once(make_session: MakeSession) -> None:
    ticket = keys.Ticket("0" * 32, 1, 2_000_000_000)
    lifecycle.spend(ticket)
    with pytest.raises(SessionKeyInvalid):
        lifecycle.spend(ticket)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_spend_a_ticket_at_once_one_gets_in() -> None:
    ticket = keys.Ticket("1" * 32, 1, 2_000_000_000)
    barrier, got_in, refused = threading.Barrier(6), [], []

    def spend(number: int) -> None:
        barrier.wait()
        try:
            lifecycle.spend(ticket)
            got_in.append(number)
        except SessionKeyInvalid:
            refused.append(number)
        finally:
            connection.close()

    threads = [threading.Thread(target=spend, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(got_in), len(refused)) == (1, 5)


# --- ending


def test_ending_erases_tokens_and_happens_once(
    make_session: MakeSession, published: list[str]
) -> None:
    chat = make_session(participant_token_sealed="sealed")
    lifecycle.keep_token(str(chat.pk), credentials("a", days=1), needed_until=in_an_hour())
    for by in (EndedBy.AGENT, EndedBy.SERVICE):
        lifecycle.mark_ended(str(chat.pk), by=by)
    chat.refresh_from_db()
    assert (chat.state, chat.ended_by) == (State.ENDED, EndedBy.AGENT)
    assert (chat.participant_token_sealed, chat.connection_token_sealed) == ("", "")
    assert published == ["ended"]
    assert list(chat.events.values_list("kind", flat=True)) == ["ended"]
    with pytest.raises(SessionEnded):
        opened.open_session(str(chat.pk)).must_be_live()


@pytest.mark.parametrize(
    ("fields", "by", "who"),
    [
        ({}, "", EndedBy.SERVICE),
        ({}, "agent", EndedBy.AGENT),
        ({"state": State.LEAVING}, "agent", EndedBy.CUSTOMER),
        ({"state": State.LEAVING}, "", EndedBy.CUSTOMER),
        ({"ended_by": EndedBy.OPERATOR}, "agent", EndedBy.OPERATOR),
    ],
)
def test_who_left_first_ended_it(
    make_session: MakeSession, fields: dict[str, Any], by: str, who: str
) -> None:
    chat = make_session(**fields)
    lifecycle.mark_ended(str(chat.pk), by=by)
    chat.refresh_from_db()
    assert chat.ended_by == who


def test_an_end_nobody_saw_says_from_when_on_items_may_be_missing(
    make_session: MakeSession,
) -> None:
    start = timezone.now() - timedelta(minutes=5)
    for since, said in ((start + timedelta(minutes=3),) * 2, (start - timedelta(days=1), start)):
        chat = make_session(started_at=start)
        lifecycle.mark_ended(str(chat.pk), incomplete_since=since)
        chat.refresh_from_db()
        assert chat.incomplete_since == said


def test_leaving_is_not_the_end(make_session: MakeSession) -> None:
    chat = make_session()
    lifecycle.mark_leaving(str(chat.pk))
    lifecycle.mark_leaving(str(chat.pk))
    chat.refresh_from_db()
    assert chat.state == State.LEAVING
    assert opened.open_session(str(chat.pk)).is_live
    assert chat.events.count() == 1


def test_time_moves_sessions_on(make_session: MakeSession) -> None:
    now = timezone.now()
    gone = now - timedelta(seconds=1)
    late = make_session(ago=10, state=State.STARTING, connected_at=None)
    young = make_session(ago=2, state=State.STARTING, connected_at=None)
    outlived = make_session(expires_at=gone)
    read = make_session(state=State.ENDED, expires_at=gone)
    going_on = make_session()
    SpentTicket.objects.create(nonce="old", expires_at=gone)
    LinkLease.objects.create(session=going_on, holder="x:1:a", expires_at=now - timedelta(hours=1))
    lifecycle.sweep()
    states = {chat.pk: chat.state for chat in ChatSession.objects.all()}
    assert [states[each.pk] for each in (late, young, outlived, read, going_on)] == [
        State.FAILED,
        State.STARTING,
        State.ENDED,
        State.EXPIRED,
        State.ACTIVE,
    ]
    assert not SpentTicket.objects.exists()
    assert not LinkLease.objects.exists()


def test_an_error_noted_is_an_error_counted(make_session: MakeSession) -> None:
    chat = make_session()
    lifecycle.note(chat.pk, "link_failed", error="ThrottlingException", request_id="")
    lifecycle.note(chat.pk, "link_up")
    chat.refresh_from_db()
    assert chat.errors == 1
    assert chat.events.get(kind="link_failed").detail == {"error": "ThrottlingException"}


def test_a_start_that_failed_is_an_error_counted(make_session: MakeSession) -> None:
    chat = make_session(state=State.STARTING, contact_id="")
    lifecycle.fail(chat, "StartChatContact failed", request_id="r-1")
    chat.refresh_from_db()
    assert (chat.state, chat.errors) == (State.FAILED, 1)
