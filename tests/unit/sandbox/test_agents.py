"""The desk and what the console lets an agent do, without a page."""

import json
from typing import Any

import pytest

from chatproxy.sandbox.agents import DEFAULT_NAME, State
from chatproxy.sandbox.console import stream
from chatproxy.sandbox.console.actions import ACTIONS, NotPossible
from chatproxy.sandbox.console.stream import EventStream
from chatproxy.sandbox.console.summaries import detail, overview, summary
from chatproxy.upstream.vocabulary import CONTENT_MAX, EventType, ItemType, ParticipantRole
from tests.unit.sandbox.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop(bot=False).open()


@pytest.fixture
def taken(shop: Shop) -> Shop:
    """A chat that the agent has taken."""
    do(shop, "accept")
    shop.ears.frames.clear()
    return shop


def do(shop: Shop, action: str, **body: Any) -> dict[str, Any]:
    return ACTIONS[action](shop.desk, shop.contact, body)


def said(shop: Shop) -> list[str | None]:
    return [item.content for item in shop.contact.items if item.type == ItemType.MESSAGE]


def test_taking_a_chat_twice_joins_once(taken: Shop) -> None:
    do(taken, "accept")

    assert taken.ears.frames == []
    assert len(taken.contact.active_participants(ParticipantRole.AGENT)) == 1


def test_a_message_repeated_with_its_token_is_said_once(taken: Shop) -> None:
    first = do(taken, "message", text="Hello", token="t1")
    again = do(taken, "message", text="Hello", token="t1")
    do(taken, "message", text="Hello", token="t2")

    assert first == again
    assert said(taken) == ["Hello", "Hello"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": " \n"},
        {"text": 5},
        {"text": "x", "contentType": "text/html"},
        {"text": "é" * (CONTENT_MAX // 2 + 1)},
    ],
)
def test_a_message_that_cannot_be_sent_is_refused_with_a_sentence(
    taken: Shop, body: dict[str, Any]
) -> None:
    with pytest.raises(NotPossible, match=r"^[A-Z].+\.$"):
        do(taken, "message", **body)
    assert said(taken) == []


@pytest.mark.parametrize(
    ("action", "body"),
    [("message", {"text": "x"}), ("typing", {}), ("canned", {"word": "list"})],
)
def test_who_has_not_taken_the_chat_says_nothing_in_it(
    shop: Shop, action: str, body: dict[str, Any]
) -> None:
    with pytest.raises(NotPossible, match="Take the chat first"):
        do(shop, action, **body)


def test_receipts_stop_when_a_third_person_is_in_the_chat(taken: Shop) -> None:
    first = taken.center.post_message(taken.contact, taken.contact.customer, "One")
    do(taken, "receipt", messageId=first.id, isRead=False)
    assert len(first.receipts) == 1

    taken.center.join(taken.contact, ParticipantRole.SUPERVISOR, "Sam")
    second = taken.center.post_message(taken.contact, taken.contact.customer, "Two")
    do(taken, "receipt", messageId=second.id, isRead=True)
    assert second.receipts == {}


def test_unread_counts_what_the_customer_said_since_the_agent_looked(taken: Shop) -> None:
    customer = taken.contact.customer
    item = taken.center.post_message(taken.contact, customer, "One")
    taken.center.post_message(taken.contact, customer, "Two")
    assert taken.desk.unread(taken.contact) == 2

    do(taken, "receipt", messageId=item.id, isRead=False)
    assert taken.desk.unread(taken.contact) == 2
    do(taken, "receipt", messageId=item.id, isRead=True)
    assert taken.desk.unread(taken.contact) == 0


def test_the_agent_leaves_before_the_chat_ends(taken: Shop) -> None:
    do(taken, "end")

    assert taken.events() == [EventType.PARTICIPANT_LEFT, EventType.CHAT_ENDED]
    assert taken.contact.ended_by == "agent"
    assert taken.desk.state(taken.contact) is State.ENDED


def test_a_waiting_chat_shows_what_the_customer_said_not_that_they_asked() -> None:
    shop = Shop().open()
    shop.write("My parcel is late")
    shop.write("agent")

    assert summary(shop.desk, shop.contact)["preview"]["text"] == "My parcel is late"


def test_chats_nobody_has_connected_to_are_not_listed() -> None:
    shop = Shop(bot=False)
    shop.center.start(shop.contact)
    assert overview(shop.desk)["chats"] == []

    shop.center.customer_connected(shop.contact)
    assert [chat["state"] for chat in overview(shop.desk)["chats"]] == ["waiting"]


def test_a_chat_is_told_with_its_transcript_and_what_it_was_started_with(taken: Shop) -> None:
    told = detail(taken.desk, taken.contact)

    assert [item["ContentType"] for item in told["items"]] == [EventType.PARTICIPANT_JOINED] * 2
    assert told["about"]["participants"] == [
        {"name": "Jane", "role": "CUSTOMER"},
        {"name": DEFAULT_NAME, "role": "AGENT"},
    ]


async def test_the_stream_begins_with_the_overview_and_goes_on_with_frames(taken: Shop) -> None:
    events = EventStream(taken.desk).events()
    assert (await anext(events)).startswith("event: overview\n")

    do(taken, "message", text="Hello")
    name, _, data = (await anext(events)).partition("\n")
    assert name == "event: frame"
    assert json.loads(data.removeprefix("data: "))["frame"]["Content"] == "Hello"
    assert (await anext(events)).startswith("event: chat\n")
    await events.aclose()


async def test_a_page_that_does_not_read_is_let_go(
    taken: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "QUEUE_MAX", 10)
    events = EventStream(taken.desk).events()
    await anext(events)
    for _ in range(20):
        do(taken, "typing")

    heard = [event async for event in events]
    assert len(heard) < 10


async def test_a_reset_restores_the_name_and_tells_every_page(shop: Shop) -> None:
    shop.desk.rename("  Robin ")
    events = EventStream(shop.desk).events()
    assert '"name": "Robin"' in await anext(events)

    shop.desk.clear()
    assert f'"name": "{DEFAULT_NAME}"' in await anext(events)
    await events.aclose()
