"""Keys and tickets: only ours pass, only for what they were made for, only in their time."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproxy.sessions import keys
from chatproxy.sessions.errors import SessionKeyInvalid

SESSION = "6f9fa0c4-0000-4000-8000-000000000001"
OTHER = "6f9fa0c4-0000-4000-8000-000000000002"
PAGE = "https://shop.example"


def test_a_session_key_names_its_session_and_hides_256_bits() -> None:
    key = keys.new_session_key(SESSION)
    assert keys.session_id_of(key) == SESSION
    assert len(key.rpartition(".")[2]) == 43
    assert keys.new_session_key(SESSION) != key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "sk1",
        "sk1..",
        f"sk1.{SESSION}",
        f"sk1.{SESSION}.short",
        f"SK1.{SESSION}.{'a' * 43}",
        f"sk1.{SESSION.upper()}.{'a' * 43}",
        f"sk1.{SESSION}.{'a' * 43}\n",
        f"sk2.{SESSION}.{'a' * 43}",
    ],
)
def test_what_is_no_session_key_is_refused(key: str) -> None:
    with pytest.raises(SessionKeyInvalid):
        keys.session_id_of(key)


def test_each_kind_of_key_in_the_others_place_is_told_apart() -> None:
    connection = keys.new_connection_key(SESSION, 1, 7, 2_000_000_000)
    with pytest.raises(SessionKeyInvalid, match="not a connection key"):
        keys.session_id_of(connection)
    with pytest.raises(SessionKeyInvalid, match="not the session key"):
        keys.read_connection_key(keys.new_session_key(SESSION))


def test_a_connection_key_says_what_it_stands_for() -> None:
    read = keys.read_connection_key(keys.new_connection_key(SESSION, 3, 7, 2_000), now=1_999)
    assert (read.session_id, read.generation, read.key_id, read.expires_at) == (
        SESSION,
        3,
        7,
        2_000,
    )


def test_a_connection_key_ends_at_its_second() -> None:
    key = keys.new_connection_key(SESSION, 3, 7, 2_000)
    with pytest.raises(SessionKeyInvalid, match="expired"):
        keys.read_connection_key(key, now=2_000)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_altered_connection_key_passes(data: st.DataObject) -> None:
    key = keys.new_connection_key(SESSION, 3, 7, 2_000_000_000)
    place = data.draw(st.integers(0, len(key) - 1))
    letter = data.draw(st.sampled_from("0123456789abcdefABCDEF._-"))
    altered = key[:place] + letter + key[place + 1 :]
    if altered == key:
        return
    try:
        read = keys.read_connection_key(altered, now=1_000)
    except SessionKeyInvalid:
        return
    # The last letter of base64 holds spare bits; what it stands for is the same.
    assert (read.session_id, read.generation, read.key_id) == (SESSION, 3, 7)
    assert place == len(key) - 1


def test_keys_of_another_secret_are_not_ours(settings: Any) -> None:
    key = keys.new_connection_key(SESSION, 1, 7, 2_000_000_000)
    settings.SECRET_KEY = "quite another secret"
    with pytest.raises(SessionKeyInvalid, match="not one of ours"):
        keys.read_connection_key(key)


def test_a_ticket_opens_a_socket_of_its_session_from_its_page() -> None:
    ticket = keys.new_ticket(SESSION, PAGE, 7, 2_000)
    read = keys.read_ticket(ticket, SESSION, (PAGE, ""), now=1_999)
    assert (read.key_id, read.expires_at) == (7, 2_000)


@pytest.mark.parametrize(
    ("session", "origins", "now"),
    [
        (OTHER, (PAGE,), 1_999),
        (SESSION, ("https://evil.example",), 1_999),
        (SESSION, ("http://shop.example", "https://shop.example:444", ""), 1_999),
        (SESSION, (), 1_999),
        (SESSION, (PAGE,), 2_000),
    ],
    ids=["another session", "another page", "nearly the page", "no page", "too late"],
)
def test_a_ticket_is_good_for_nothing_else(
    session: str, origins: tuple[str, ...], now: float
) -> None:
    ticket = keys.new_ticket(SESSION, PAGE, 7, 2_000)
    with pytest.raises(SessionKeyInvalid):
        keys.read_ticket(ticket, session, origins, now=now)


@pytest.mark.parametrize("ticket", ["", "a.b.c.d", "x" * 10_000, f"{'0' * 32}.7.2000.{'a' * 27}"])
def test_what_is_no_ticket_is_refused(ticket: str) -> None:
    with pytest.raises(SessionKeyInvalid):
        keys.read_ticket(ticket, SESSION, (PAGE,), now=1)


def test_no_two_tickets_are_alike() -> None:
    assert keys.new_ticket(SESSION, PAGE, 7, 2_000) != keys.new_ticket(SESSION, PAGE, 7, 2_000)


def test_a_connection_key_is_no_ticket_and_a_cursor_is_neither() -> None:
    text = str(uuid.uuid4())
    assert keys.is_signed("cursor", text, keys.sign("cursor", text))
    assert not keys.is_signed("ticket", text, keys.sign("cursor", text))
    assert not keys.is_signed("cursor", text, "ümlaut")
