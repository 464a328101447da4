"""Plain frames are told by their text, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.upstream.chatframes import MOST_TAILS, ChatFrame, PlainFrames
from chatproxy.upstream.topics import Ignored, TopicsProtocol

MESSAGE = {
    "AbsoluteTime": "2026-11-23T10:00:00.000Z",
    "Content": "hello",
    "ContentType": "text/plain",
    "Id": "m-1",
    "Type": "MESSAGE",
    "ParticipantId": "p-1",
    "DisplayName": "Ada",
    "ParticipantRole": "CUSTOMER",
    "InitialContactId": "c-1",
    "ContactId": "c-1",
}


def spelled(item: dict[str, Any]) -> bytes:
    inner = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    outer = {"content": inner, "contentType": "application/json", "topic": "aws/chat"}
    # Half a character can be written, but not sent.
    text = json.dumps(outer, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")


@pytest.fixture
def topics() -> TopicsProtocol:
    """A socket that has seen the participant speak."""
    topics = TopicsProtocol()
    topics.receive(spelled(MESSAGE))
    return topics


def test_what_a_known_participant_says_next_is_plain(topics: TopicsProtocol) -> None:
    payload = spelled(MESSAGE | {"Id": "m-2", "AbsoluteTime": "2026-11-23T10:00:01.500Z"})
    frame = topics.receive(payload)
    assert isinstance(frame, ChatFrame)
    assert (frame.id, frame.instant) == ("m-2", b"2026-11-23T10:00:01.500Z")
    assert frame.is_customers
    assert frame.payload is payload
    assert frame.peek().content == "hello"
    assert frame._item is None
    assert frame.item.content == "hello"
    assert frame.peek() is frame.item


@pytest.mark.parametrize(
    "change",
    [
        {"ParticipantId": "p-2"},
        {"DisplayName": "A. L."},
        {"Type": "EVENT"},
        {"MessageMetadata": {"MessageId": "m-1"}},
        {"Attachments": []},
        {"RelatedContactId": "c-0"},
        {"AbsoluteTime": "2026-11-23T10:00:00Z"},
        {"AbsoluteTime": ""},
        {"Id": 'm"2'},
        {"Id": ""},
    ],
)
def test_anything_new_about_a_frame_has_it_decoded(
    topics: TopicsProtocol, change: dict[str, Any]
) -> None:
    frame = topics.receive(spelled(MESSAGE | change))
    assert isinstance(frame, ChatFrame)
    assert frame.id == ""
    assert frame.item.wire == MESSAGE | change


@pytest.mark.parametrize("early", ["Type", "ParticipantRole", "Attachments"])
def test_what_is_told_before_the_id_is_never_taken_for_granted(early: str) -> None:
    def moved(item: dict[str, Any]) -> dict[str, Any]:
        first = {"AbsoluteTime": item["AbsoluteTime"], early: item.get(early)}
        return {name: value for name, value in (first | item).items() if value is not None}

    topics = TopicsProtocol()
    others = {"Type": "EVENT", "ParticipantRole": "AGENT", "Attachments": []}
    for _ in range(2):
        topics.receive(spelled(moved(MESSAGE)))
    frame = topics.receive(spelled(moved(MESSAGE | {early: others[early], "Id": "m-9"})))
    assert isinstance(frame, ChatFrame)
    assert frame.id == ""
    assert frame.item.wire[early] == others[early]


def test_half_a_character_escaped_in_the_outer_document_alone_is_read() -> None:
    inner = json.dumps(MESSAGE | {"Content": "half"}, separators=(",", ":"))
    payload = spelled(MESSAGE | {"Content": "half", "Id": "m-8"}).replace(b"half", rb"half \ud83d")
    assert inner.encode() not in payload
    for topics in (TopicsProtocol(), TopicsProtocol()):
        for _ in range(2):  # decoded, and plain
            frame = topics.receive(payload)
            assert isinstance(frame, ChatFrame)
            assert frame.item.content == "half \ud83d"
        topics.receive(payload.replace(b"m-8", rb"m-\ud83d"))


def test_a_text_that_is_no_json_is_not_plain_before_one_was_decoded() -> None:
    assert isinstance(TopicsProtocol().receive(spelled(MESSAGE)[:-1]), Ignored)


@given(st.text(), st.sampled_from(["Id", "MessageMetadata", "Type", "AbsoluteTime"]))
def test_what_people_write_cannot_pass_for_a_member(said: str, name: str) -> None:
    topics = TopicsProtocol()
    topics.receive(spelled(MESSAGE))
    for content in (said, f'","{name}":"{said}', f'\\","{name}\\":\\"{said}', f'{said}\\"{name}'):
        item = MESSAGE | {"Content": content, "Id": "m-7"}
        frame = topics.receive(spelled(item))
        assert isinstance(frame, ChatFrame)
        assert frame.id in ("m-7", "")
        assert frame.item.wire == item


def test_what_is_remembered_is_bounded() -> None:
    plain = PlainFrames()
    for number in range(3 * MOST_TAILS):
        item = MESSAGE | {"ParticipantId": f"p-{number}"}
        topics = TopicsProtocol()
        frame = topics.receive(spelled(item))
        assert isinstance(frame, ChatFrame)
        plain.learn(spelled(item), frame.item)
        assert plain.read(spelled(item)) is not None
        assert len(plain._tails) <= MOST_TAILS
