"""The item store: newest versions, sealed, in order; gone when their time is over."""

from __future__ import annotations

import pytest

from chatproxy.sessions import items
from chatproxy.sessions.models import StoredItem
from chatproxy.sessions.vault import SealBroken
from tests.unit.sessions.conftest import MakeSession, say

pytestmark = pytest.mark.django_db


def test_items_are_read_in_order_of_time_ties_as_they_came(make_session: MakeSession) -> None:
    chat = make_session()
    for text, minute in (("c", 5), ("a", 1), ("b1", 3), ("b2", 3)):
        say(chat, text, minute=minute)
    assert [each["Content"] for each in items.read(str(chat.pk))] == ["a", "b1", "b2", "c"]


def test_a_newer_version_takes_the_place_of_the_older(make_session: MakeSession) -> None:
    chat = make_session()
    wire = say(chat, "draft")
    items.append([(str(chat.pk), {**wire, "Content": "final"})])
    assert [each["Content"] for each in items.read(str(chat.pk))] == ["final"]


def test_whatever_people_write_comes_back_as_it_was(make_session: MakeSession) -> None:
    chat = make_session()
    said = ["\ud83d half a pair", "\x00", "雪 🧵", '"\\ %s %(x)s', "x" * 16_384]
    for minute, text in enumerate(said):
        say(chat, text, minute=minute, Numbers=[1e400, 0.1, None])
    found = items.read(str(chat.pk))
    assert [each["Content"] for each in found] == said
    assert found[0]["Numbers"] == [float("inf"), 0.1, None]


def test_more_than_one_statement_takes_is_written_in_order(make_session: MakeSession) -> None:
    chat, other = make_session(), make_session()
    wires = [say(chat, str(number)) for number in range(3)]
    many = [{**wires[0], "Id": f"m-{number}", "Content": str(number)} for number in range(250)]
    pairs = [(str(session.pk), wire) for wire in many for session in (chat, other)]
    items.append([*pairs, (str(chat.pk), {**many[0], "Content": "final"})])
    assert [each["Content"] for each in items.read(str(other.pk))] == [str(n) for n in range(250)]
    assert len(items.read(str(chat.pk))) == 253
    assert items.read(str(chat.pk))[3]["Content"] == "final"


def test_nothing_people_wrote_lies_readable_in_a_row(make_session: MakeSession) -> None:
    chat = make_session()
    say(chat, "my card number is 4711", DisplayName="Ada Lovelace")
    row = StoredItem.objects.values().get()
    assert not any("4711" in str(value) or "Lovelace" in str(value) for value in row.values())


def test_an_item_moved_to_another_chat_does_not_open(make_session: MakeSession) -> None:
    one, other = make_session(), make_session()
    say(one, "private")
    StoredItem.objects.update(session=other)
    with pytest.raises(SealBroken):
        items.read(str(other.pk))
