"""The bot's words: each gives a message the service could have sent, checked by its limits."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from chatproxy.sandbox.bot import ready, samples, texts
from chatproxy.sandbox.bot.words import WORDS
from chatproxy.upstream.vocabulary import (
    CONTENT_MAX,
    AttachmentStatus,
    EventType,
    MessageType,
    ResponseMode,
)
from tests.unit.sandbox.shop import Shop

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


def test_end_says_goodbye_and_ends_the_chat(shop: Shop) -> None:
    goodbye, ended = shop.write("end")

    assert goodbye.content == texts.GOODBYE.format(name="Jane")
    assert ended.content_type == EventType.CHAT_ENDED
    assert shop.contact.is_over


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
