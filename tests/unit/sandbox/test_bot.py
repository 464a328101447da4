"""The bot: each word gives a message the service could have sent, and it minds its turn."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chatproxy.sandbox.agents import AgentDesk, State
from chatproxy.sandbox.bot import Bot, ready, samples, texts
from chatproxy.sandbox.bot.words import WORDS
from chatproxy.sandbox.center import Center, Observer
from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.contacts import Contact, Item, Participant, Wire
from chatproxy.sandbox.options import Options
from chatproxy.upstream.vocabulary import (
    CONTENT_MAX,
    AttachmentStatus,
    EventType,
    ItemType,
    MessageType,
    ParticipantRole,
    ResponseMode,
)

# Administrator Guide, "Add interactive messages to chat": elements per template, and lengths.
ELEMENTS = {
    "ListPicker": (1, 6),
    "Panel": (1, 10),
    "QuickReply": (2, 5),
    "TimePicker": (1, 40),
    "Carousel": (2, 5),
}
TITLE_MAX = 400
QUICK_REPLY_OPTION_MAX = 200
INTERACTIVE_MAX_BYTES = 20_000


class Ears(Observer):
    """What the customer's sockets get."""

    def __init__(self) -> None:
        self.frames: list[Wire] = []

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        self.frames.append(frame)


class Shop:
    """A sandbox without a wire, its clock moved by hand, and one customer in it."""

    def __init__(self, **changes: Any) -> None:
        self.clock = Clock(wall=lambda: 1_767_000_000.0)
        options = Options()
        options.update({"bot_delay_s": 0.0} | changes)
        self.center = Center(options, self.clock)
        self.ears = Ears()
        self.center.observe(self.ears)
        self.desk = AgentDesk(self.center)
        self.bot = Bot(self.center, self.desk)
        now = self.clock.now()
        self.contact = Contact(
            instance_id="i",
            contact_flow_id="f",
            customer=Participant(ParticipantRole.CUSTOMER, "Jane"),
            started_at=now,
            ends_at=now + 90_000,
            content_types=frozenset({MessageType.PLAIN, MessageType.MARKDOWN}),
            response_mode=ResponseMode.INCREMENTAL,
        )

    def open(self, first: tuple[str, str] | None = None) -> "Shop":
        self.center.start(self.contact, first)
        self.center.customer_connected(self.contact)
        self.settle()
        return self

    def settle(self, seconds: float = 1.0) -> None:
        """Let everything happen that is due within ``seconds``."""
        self.clock.advance(seconds)

    def write(self, text: str, content_type: str = MessageType.PLAIN) -> list[Item]:
        """Say ``text`` as the customer and return what was kept after it."""
        self.ears.frames.clear()
        before = len(self.contact.items) + 1
        self.center.post_message(self.contact, self.contact.customer, text, content_type)
        self.settle()
        return self.contact.items[before:]

    def answer(self, text: str, content_type: str = MessageType.PLAIN) -> Item:
        answers = self.write(text, content_type)
        assert len(answers) == 1
        return answers[0]

    def events(self) -> list[str]:
        """Content types of the events heard since the last line, typing left out."""
        return [
            frame["ContentType"]
            for frame in self.ears.frames
            if frame["Type"] == ItemType.EVENT and frame["ContentType"] != EventType.TYPING
        ]


@pytest.fixture
def shop() -> Shop:
    return Shop().open()


def templates(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The template and those inside it."""
    yield template
    for element in template["data"]["content"].get("elements", ()):
        if "templateType" in element:
            yield from templates(element)


def assert_valid_template(content: str) -> None:
    """Counts, lengths and required members, as the guide lists them."""
    assert len(content.encode()) < INTERACTIVE_MAX_BYTES
    for template in templates(json.loads(content)):
        assert template["version"] == "1.0"
        body = template["data"]["content"]
        kind = template["templateType"]
        if kind == "ViewResource":
            assert body["viewToken"]
            continue
        low, high = ELEMENTS[kind]
        parts = body["timeslots"] if kind == "TimePicker" else body["elements"]
        assert low <= len(parts) <= high
        assert 0 < len(body["title"]) <= TITLE_MAX
        assert len(body.get("subtitle", "")) <= TITLE_MAX
        assert ("imageType" in body) == ("imageData" in body)
        if "replyMessage" in template["data"]:
            assert template["data"]["replyMessage"]["title"]
        for part in parts:
            assert_valid_part(kind, part)


def assert_valid_part(kind: str, part: dict[str, Any]) -> None:
    if kind == "Carousel":
        assert part["templateIdentifier"]
        assert part["templateType"] in {"ListPicker", "Panel"}
    elif kind == "TimePicker":
        assert part.keys() == {"date", "duration"}
    else:
        limit = QUICK_REPLY_OPTION_MAX if kind == "QuickReply" else TITLE_MAX
        assert 0 < len(part["title"]) <= limit
        assert kind != "Panel" or part.keys() == {"title"}
        assert part.get("type") != "hyperlink" or part["url"].startswith("https://")


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


def test_help_names_every_word(shop: Shop) -> None:
    item = shop.answer("Help!")

    assert item.content_type == MessageType.MARKDOWN
    assert all(f"**{word.word}**" in (item.content or "") for word in WORDS)
    assert len(item.content or "") <= 1024


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("list", "ListPicker"),
        ("time", "TimePicker"),
        ("panel", "Panel"),
        ("quick", "QuickReply"),
        ("carousel", "Carousel"),
        ("pages", "ListPicker"),
        ("view", "ViewResource"),
    ],
)
def test_an_interactive_word_shows_its_template(shop: Shop, word: str, kind: str) -> None:
    item = shop.answer(word)

    assert item.content_type == MessageType.INTERACTIVE
    assert item.content is not None
    assert json.loads(item.content)["templateType"] == kind
    assert_valid_template(item.content)


@pytest.mark.parametrize("entry", ready.BY_WORD.values(), ids=ready.BY_WORD)
def test_every_ready_message_of_the_console_is_valid(shop: Shop, entry: ready.Ready) -> None:
    agent = shop.desk.accept(shop.contact)
    shop.ears.frames.clear()

    entry.send(shop.center, shop.contact, agent)
    shop.settle(20)

    frames = shop.ears.frames
    assert frames
    for frame in frames:
        assert len(frame.get("Content", "").encode()) <= CONTENT_MAX
        if frame.get("ContentType") == MessageType.INTERACTIVE:
            assert_valid_template(frame["Content"])


def test_offered_times_lie_ahead_and_read_as_the_service_writes_them(shop: Shop) -> None:
    item = shop.answer("time")
    assert item.content is not None
    slots = [slot["date"] for slot in json.loads(item.content)["data"]["content"]["timeslots"]]

    assert slots == sorted(set(slots))
    assert all(len(slot) == len("2020-10-31T17:00+00:00") for slot in slots)
    assert (shop.answer(slots[0]).content or "").startswith("You are expected on ")


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


def test_show_more_replaces_the_page_until_the_catalogue_ends(shop: Shop) -> None:
    content = json.loads(shop.answer("pages").content or "")["data"]["content"]
    reference, titles = content["referenceId"], []
    while True:
        titles += [each["title"] for each in content["elements"] if "actionDetail" not in each]
        if not any(each.get("actionDetail") == "SHOW_MORE" for each in content["elements"]):
            break
        item = shop.answer(
            json.dumps(paging("SHOW_MORE", content)), MessageType.INTERACTIVE_RESPONSE
        )
        assert item.content is not None
        assert_valid_template(item.content)
        content = json.loads(item.content)["data"]["content"]
        assert content["referenceId"] == reference

    assert tuple(titles) == samples.CATALOGUE


def test_previous_options_leads_back(shop: Shop) -> None:
    first = json.loads(shop.answer("pages").content or "")["data"]["content"]
    response = json.dumps(paging("SHOW_MORE", first))
    second = json.loads(shop.answer(response, MessageType.INTERACTIVE_RESPONSE).content or "")
    response = json.dumps(paging("PREVIOUS_OPTIONS", second["data"]["content"]))
    again = json.loads(shop.answer(response, MessageType.INTERACTIVE_RESPONSE).content or "")

    assert again["data"]["content"] == first


def paging(action: str, content: dict[str, Any]) -> dict[str, Any]:
    """What a client sends for a paging element (CI)."""
    members = ("preIndex", "nextIndex", "listId", "referenceId")
    data = {name: content[name] for name in members}
    return {
        "version": "1.0",
        "action": action,
        "data": data | {"actionName": action, "templateType": "ListPicker"},
    }


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


def test_markdown_and_json_have_their_own_content_type(shop: Shop) -> None:
    assert shop.answer("markdown").content_type == MessageType.MARKDOWN
    item = shop.answer("json")
    assert item.content_type == MessageType.JSON
    assert json.loads(item.content or "") == texts.JSON


def test_file_is_an_approved_attachment_with_bytes(shop: Shop) -> None:
    _, item = shop.write("file")

    (attachment,) = item.attachments
    assert (attachment.name, attachment.status) == (texts.INVOICE_NAME, AttachmentStatus.APPROVED)
    stored = shop.center.files.get(attachment.attachment_id)
    assert stored is not None
    assert stored.data is not None
    assert stored.data.startswith(b"%PDF-1.4")
    assert stored.data.endswith(b"%%EOF\n")


def test_stream_is_deltas_and_then_the_whole_text_under_one_id(shop: Shop) -> None:
    item = shop.answer("stream")

    chunks = [frame for frame in shop.ears.frames if frame.get("Id") == item.id]
    *parts, final = chunks
    numbers = [part["MessageMetadata"]["ChunkNumber"] for part in parts]
    assert numbers == list(range(1, len(parts) + 1))
    assert "".join(part["Content"] for part in parts) == final["Content"] == texts.STREAMED
    assert final["MessageMetadata"]["MessageCompleted"] is True


def test_stream_is_one_message_for_who_did_not_ask_for_chunks() -> None:
    shop = Shop()
    shop.contact.response_mode = ResponseMode.COMPLETE
    item = shop.open().answer("stream")

    (frame,) = (frame for frame in shop.ears.frames if frame.get("Id") == item.id)
    assert frame["Content"] == texts.STREAMED
    assert "MessageMetadata" not in frame


def test_idle_shows_the_three_idle_events(shop: Shop) -> None:
    shop.answer("idle")

    assert shop.events() == [
        EventType.PARTICIPANT_IDLE,
        EventType.PARTICIPANT_RETURNED,
        EventType.PARTICIPANT_IDLE,
        EventType.PARTICIPANT_AUTODISCONNECTION,
    ]


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("signin ok", EventType.AUTHENTICATION_SUCCEEDED),
        ("signin fail", EventType.AUTHENTICATION_FAILED),
        ("signin timeout", EventType.AUTHENTICATION_TIMEOUT),
        ("signin expire", EventType.AUTHENTICATION_EXPIRED),
        ("signin cancel", EventType.AUTHENTICATION_CANCELLED),
    ],
)
def test_signin_asks_and_plays_the_outcome(shop: Shop, line: str, outcome: EventType) -> None:
    shop.write("signin")
    (initiated,) = (f for f in shop.ears.frames if f["ContentType"].endswith("initiated"))
    assert len(json.loads(initiated["Content"])["SessionId"]) == 36

    shop.write(line)
    assert shop.events() == [outcome]


def test_a_sign_in_nobody_finishes_times_out_once(shop: Shop) -> None:
    shop.write("signin")
    shop.settle(200)

    assert shop.events().count(EventType.AUTHENTICATION_TIMEOUT) == 1
    assert "The time for signing in is over" in (shop.contact.items[-1].content or "")


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


def test_end_says_goodbye_and_ends_the_chat(shop: Shop) -> None:
    goodbye, ended = shop.write("end")

    assert goodbye.content == texts.GOODBYE.format(name="Jane")
    assert ended.content_type == EventType.CHAT_ENDED
    assert shop.contact.is_over


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
