"""The bot's turns: what it answers to, in which order, and when it is silent."""

import json

import pytest

from chatproxy.sandbox.agents import State
from chatproxy.sandbox.bot import texts
from chatproxy.upstream.vocabulary import (
    EventType,
    ItemType,
    MessageType,
)
from tests.unit.sandbox.shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop().open()


def test_the_greeting_comes_when_the_customer_is_connected_and_not_before() -> None:
    shop = Shop()
    shop.center.start(shop.contact)
    shop.settle(10)
    assert shop.ears.frames == []

    shop.center.customer_connected(shop.contact)
    shop.settle()

    joined, typing, greeting = shop.ears.frames
    assert joined["ContentType"] == EventType.PARTICIPANT_JOINED
    assert typing["ContentType"] == EventType.TYPING
    assert greeting["Content"] == texts.GREETING.format(name="Jane")
    assert (greeting["ParticipantRole"], greeting["DisplayName"]) == ("SYSTEM", "BOT")


def test_the_initial_message_is_answered_after_the_greeting() -> None:
    shop = Shop().open((MessageType.PLAIN, "Is anybody there?"))

    said = [item.content for item in shop.contact.items if item.type == ItemType.MESSAGE]

    assert said == [
        "Is anybody there?",
        texts.GREETING.format(name="Jane"),
        "You wrote: “Is anybody there?”",
    ]


def test_free_text_is_quoted_after_typing(shop: Shop) -> None:
    item = shop.answer("Do you have <b>boots</b>?")

    assert item.content == "You wrote: “Do you have <b>boots</b>?”"
    kinds = [frame["ContentType"] for frame in shop.ears.frames]
    assert kinds == [MessageType.PLAIN, EventType.TYPING, MessageType.PLAIN]


def test_delays_follow_the_setting() -> None:
    shop = Shop(bot_delay_s=2.0).open()
    shop.settle(60)
    before = len(shop.contact.items)

    shop.center.post_message(shop.contact, shop.contact.customer, "Hello")
    shop.settle(2.5)
    assert len(shop.contact.items) == before + 1
    shop.settle(1)
    assert len(shop.contact.items) == before + 2


def test_a_picked_title_is_told_from_free_text(shop: Shop) -> None:
    assert (shop.answer("40").content or "").startswith("You wrote")
    shop.answer("panel")
    assert shop.answer("40").content == "You picked “40”."


def test_a_choice_in_a_carousel_comes_as_json(shop: Shop) -> None:
    shop.answer("carousel")
    choice = {
        "templateIdentifier": "trail",
        "listTitle": "Trail runner",
        "selectionText": "Reserve it",
    }

    assert shop.answer(json.dumps(choice)).content == "You picked “Reserve it” for Trail runner."


@pytest.mark.parametrize("content", ["", "[]", "null", '{"action":1}', '{"data":"x"}', "{"])
def test_a_nonsense_response_is_still_answered(shop: Shop, content: str) -> None:
    assert shop.answer(content or " ", MessageType.INTERACTIVE_RESPONSE).content


def test_a_filled_form_is_repeated(shop: Shop) -> None:
    item = shop.answer("view")
    view_token = json.loads(item.content or "")["data"]["content"]["viewToken"]
    view = shop.center.views.get(view_token)
    assert view is not None
    assert json.loads(view["Content"]["Template"])["Body"]

    response = {
        "action": "Submit",
        "data": {"name": "Jane", "city": "Utrecht"},
        "templateType": "ViewResource",
        "version": "1.0",
    }
    answer = shop.answer(json.dumps(response), MessageType.INTERACTIVE_RESPONSE)
    assert answer.content == "You sent “Submit” with name: Jane, city: Utrecht."


def test_an_attachment_is_named_once_the_scanner_is_done() -> None:
    shop = Shop(scanner_s=5.0).open()
    customer = shop.contact.customer
    before = len(shop.contact.items)

    shop.center.attach(shop.contact, customer, "shoe.png", "image/png", b"png")
    shop.settle(4)
    assert len(shop.contact.items) == before + 1
    shop.settle(2)

    assert shop.contact.items[-1].content == "I have your file shoe.png (image/png)."


def test_a_refused_attachment_is_said_to_be_refused(shop: Shop) -> None:
    shop.center.attach(shop.contact, shop.contact.customer, "virus.png", "image/png", b"png")
    shop.settle()

    assert "refused virus.png" in (shop.contact.items[-1].content or "")


def test_agent_puts_the_chat_in_line_and_the_bot_falls_silent(shop: Shop) -> None:
    assert shop.answer("agent").content == texts.LOOKING_FOR_AGENT
    assert shop.desk.state(shop.contact) is State.WAITING

    assert shop.write("Hello?") == []
    shop.desk.accept(shop.contact)
    assert shop.write("Hello, Ann?") == []
    assert shop.desk.state(shop.contact) is State.OPEN


def test_the_bot_says_once_when_nobody_comes(shop: Shop) -> None:
    shop.write("agent")
    shop.settle(200)

    said = [item.content for item in shop.contact.items]
    assert said.count(texts.STILL_LOOKING) == 1
    assert shop.desk.state(shop.contact) is State.WAITING


def test_nothing_is_said_about_waiting_when_somebody_came(shop: Shop) -> None:
    shop.write("agent")
    shop.desk.accept(shop.contact)
    shop.settle(200)

    assert texts.STILL_LOOKING not in [item.content for item in shop.contact.items]


def test_bot_takes_the_customer_out_of_the_line(shop: Shop) -> None:
    shop.write("agent")

    assert shop.answer("Bot").content == texts.NO_LONGER_LOOKING
    assert shop.desk.state(shop.contact) is State.UNATTENDED
    assert (shop.answer("thanks").content or "").startswith("You wrote")


def test_the_quick_reply_for_a_person_does_what_agent_does(shop: Shop) -> None:
    shop.answer("quick")
    shop.answer("I would like to talk to a person")

    assert shop.desk.state(shop.contact) is State.WAITING


def test_a_chat_handed_back_is_the_bots_again(shop: Shop) -> None:
    shop.write("agent")
    shop.desk.accept(shop.contact)
    shop.desk.hand_back(shop.contact, to_queue=False)
    shop.settle()

    assert shop.contact.items[-1].content == texts.RETURNED
    assert (shop.answer("hello").content or "").startswith("You wrote")


def test_a_chat_put_back_in_line_is_nobodys(shop: Shop) -> None:
    shop.desk.accept(shop.contact)
    shop.desk.hand_back(shop.contact, to_queue=True)
    shop.settle()

    assert shop.contact.items[-1].content_type == EventType.PARTICIPANT_LEFT
    assert shop.write("hello") == []


def test_a_script_stops_when_a_person_joins() -> None:
    shop = Shop(bot_delay_s=1.0).open()
    shop.settle(10)
    shop.center.post_message(shop.contact, shop.contact.customer, "stream")
    shop.settle(2)
    shop.desk.accept(shop.contact)
    shop.ears.frames.clear()
    shop.settle(60)

    assert shop.ears.frames == []


def test_lines_are_answered_in_their_order() -> None:
    shop = Shop(bot_delay_s=1.0).open()
    shop.settle(10)
    for line in ("one", "stream", "two"):
        shop.center.post_message(shop.contact, shop.contact.customer, line)
    shop.settle(60)

    answers = [item.content for item in shop.contact.items[-3:]]
    assert answers == ["You wrote: “one”", texts.STREAMED, "You wrote: “two”"]


def test_switched_off_it_is_silent_and_chats_go_straight_to_the_line() -> None:
    shop = Shop(bot=False).open()

    assert [item.type for item in shop.contact.items] == [ItemType.EVENT]
    assert shop.desk.state(shop.contact) is State.WAITING
    assert shop.write("hello") == []
    assert shop.write("bot") == []


def test_nothing_is_said_after_the_customer_left() -> None:
    shop = Shop(disconnect_flow_s=60.0, bot_delay_s=1.0).open()
    shop.settle(10)
    shop.center.post_message(shop.contact, shop.contact.customer, "hello")
    shop.center.leave(shop.contact, shop.contact.customer)
    shop.ears.frames.clear()
    shop.settle(30)

    assert shop.ears.frames == []
