"""An opened session is remembered for some seconds, and never longer than it is true."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from chatproxy.sessions import keys, lifecycle, opened
from chatproxy.sessions.errors import SessionEnded, SessionKeyInvalid, SessionNotFound
from chatproxy.sessions.models import ChatSession, State
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream.shapes import ConnectionCredentials, ConnectionToken
from tests.unit.sessions.conftest import MakeSession

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    opened.forget_all()
    yield
    opened.forget_all()


def keep(chat: ChatSession, text: str, **more: Any) -> None:
    now = timezone.now()
    credentials = ConnectionCredentials(ConnectionToken(text), now + timedelta(days=1))
    more = {"needed_until": now + timedelta(hours=1), **more}
    lifecycle.keep_token(str(chat.pk), credentials, **more)


def test_a_session_is_loaded_once(
    make_session: MakeSession, django_assert_num_queries: Any
) -> None:
    chat = make_session()
    first = opened.open_session(str(chat.pk))
    with django_assert_num_queries(0):
        assert opened.open_session(str(chat.pk)) is first


def test_it_is_loaded_again_when_its_seconds_are_over(
    make_session: MakeSession, settings: Any
) -> None:
    settings.CHAT_OPENED_CACHE_SECONDS = 0.0
    chat = make_session()
    first = opened.open_session(str(chat.pk))
    assert opened.open_session(str(chat.pk)) is not first


def test_what_would_be_loaded_anew_anyway_is_not_kept(
    make_session: MakeSession, settings: Any
) -> None:
    settings.CHAT_OPENED_CACHE_SECONDS = 10.0
    old, new = str(make_session().pk), str(make_session().pk)
    opened.open_session(old)
    settings.CHAT_OPENED_CACHE_SECONDS = 0.0
    opened.drop_outdated()
    assert opened._opened == {}
    settings.CHAT_OPENED_CACHE_SECONDS = 10.0
    opened.open_session(new)
    opened.drop_outdated()
    assert list(opened._opened) == [new]


@pytest.mark.parametrize(
    "fields", [{"state": State.EXPIRED}, {"expires_at": timezone.now() - timedelta(seconds=1)}]
)
def test_an_expired_session_is_not_found(make_session: MakeSession, fields: dict[str, Any]) -> None:
    chat = make_session(**fields)
    with pytest.raises(SessionNotFound):
        opened.open_session(str(chat.pk))


def test_a_revoked_key_is_dead_at_once_in_the_process_that_knows(make_session: MakeSession) -> None:
    chat = make_session()
    key = lifecycle.issue_key(chat)
    assert opened.open_session(str(chat.pk)).key_id(key)
    assert lifecycle.revoke_keys(chat) == 1
    with pytest.raises(SessionKeyInvalid):
        opened.open_session(str(chat.pk)).key_id(key)


def test_a_load_that_began_before_a_change_is_not_remembered(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read, changed, remembered: in this order the old state would live on."""
    chat = make_session()
    load: Callable[[str], opened.OpenedSession] = opened._load

    def overtaken(session_id: str) -> opened.OpenedSession:
        old = load(session_id)
        lifecycle.mark_ended(session_id)
        return old

    monkeypatch.setattr(opened, "_load", overtaken)
    assert opened.open_session(str(chat.pk)).is_live
    monkeypatch.setattr(opened, "_load", load)
    assert not opened.open_session(str(chat.pk)).is_live


def test_a_chat_known_to_be_over_is_refused_before_the_database_says_so(
    make_session: MakeSession,
) -> None:
    chat = make_session()
    opened.open_session(str(chat.pk))
    opened.mark_over(str(chat.pk))
    with pytest.raises(SessionEnded):
        opened.open_session(str(chat.pk)).must_be_live()


def test_it_stays_over_until_the_database_says_so(make_session: MakeSession) -> None:
    """Also when nothing was remembered of it, or all was forgotten for another reason."""
    chat = make_session()
    opened.mark_over(str(chat.pk))
    assert not opened.open_session(str(chat.pk)).is_live
    lifecycle.mark_leaving(str(chat.pk))
    assert not opened.open_session(str(chat.pk)).is_live
    lifecycle.mark_ended(str(chat.pk))
    assert opened._over == set()
    assert not opened.open_session(str(chat.pk)).is_live


def test_many_threads_may_open_and_forget_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opened, "_REMEMBERED", 5)
    monkeypatch.setattr(opened, "_load", lambda session_id: _Fake(session_id))
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(200):
                opened.open_session(str((number + turn) % 9))
                opened.forget(str(turn % 9))
        except BaseException as err:
            failures.append(err)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(opened._opened) <= 5
    assert opened._loading == {}


class _Fake:
    loaded_at = float("inf")

    def __init__(self, session_id: str) -> None:
        self.id = session_id


def test_a_send_goes_out_on_the_token_of_its_first_try(make_session: MakeSession) -> None:
    chat = make_session()
    keep(chat, "first")
    keep(chat, "second", replace=True)
    session = opened.open_session(str(chat.pk))
    assert [session.token(n)[1].reveal() for n in (1, 2)] == ["first", "second"]  # type: ignore[index]
    assert session.token(99)[0] == 2  # type: ignore[index]


def test_tokens_do_not_show_and_do_not_lie_readable(make_session: MakeSession) -> None:
    chat = make_session()
    keep(chat, "the-secret-token")
    assert "the-secret-token" not in repr(opened.open_session(str(chat.pk)))
    assert not any("the-secret" in str(v) for v in ChatSession.objects.values().get().values())


def test_a_token_moved_to_another_session_does_not_open(make_session: MakeSession) -> None:
    one, other = make_session(), make_session()
    keep(one, "token")
    one.refresh_from_db()
    ChatSession.objects.filter(pk=other.pk).update(
        connection_token_sealed=one.connection_token_sealed,
        connection_expiry=one.connection_expiry,
        connection_generation=one.connection_generation,
    )
    with pytest.raises(SealBroken):
        opened.open_session(str(other.pk))


def test_keys_are_compared_by_digest(make_session: MakeSession) -> None:
    chat = make_session()
    key = lifecycle.issue_key(chat)
    assert list(chat.keys.values_list("digest", flat=True)) == [keys.digest(key)]
    with pytest.raises(SessionKeyInvalid):
        opened.open_session(str(chat.pk)).key_id(keys.new_session_key(str(chat.pk)))
