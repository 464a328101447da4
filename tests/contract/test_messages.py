"""SendMessage: what may be sent, what comes back, and that a retry does not say it twice."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.ground import (
    INTERACTIVE,
    INTERACTIVE_RESPONSE,
    TYPING,
    Ground,
    assert_refused,
    differs,
)


def test_answer_echo_and_transcript_agree(ground: Ground) -> None:
    chat = ground.live()
    sent = chat.send("one and the same")
    assert set(sent) == {"Id", "AbsoluteTime"}
    echo = chat.ear.item(Id=sent["Id"])
    entry = chat.entries()[-1]
    for name in ("Id", "AbsoluteTime", "Content", "ContentType", "Type", "ParticipantId"):
        assert entry[name] == echo[name]
    assert "InitialContactId" not in entry


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("text/plain", "plain"),
        ("text/plain", " "),
        ("text/plain", "x" * 16_384),
        ("text/plain", "é" * 8_192),
        ("text/markdown", "**bold**"),
        ("application/json", '{"a":1}'),
        (INTERACTIVE_RESPONSE, '{"action":"go","templateType":"ViewResource","version":"1.0"}'),
    ],
)
def test_every_type_a_customer_may_send_arrives_as_it_was(
    ground: Ground, content_type: str, content: str
) -> None:
    chat = ground.live()
    sent = chat.send(content, content_type)
    echo = chat.ear.item(Id=sent["Id"])
    assert (echo["ContentType"], echo["Content"]) == (content_type, content)


def test_a_customer_does_not_send_interactive_messages(ground: Ground) -> None:
    chat = ground.live()
    answer = chat.post("message", {"ContentType": INTERACTIVE, "Content": "{}"})
    assert_refused(answer, 400, "ValidationException")


@differs("proxy", "which types a chat has is the widget's configuration")
def test_a_chat_knows_plain_text_only_unless_told_otherwise(ground: Ground) -> None:
    chat = ground.live(SupportedMessagingContentTypes=["text/plain"])
    chat.send("plain")
    answer = chat.post("message", {"ContentType": "text/markdown", "Content": "**bold**"})
    assert_refused(answer, 400, "ValidationException")


@pytest.mark.parametrize(
    ("content_type", "most"),
    [
        ("text/plain", 1_024),
        ("text/markdown", 1_024),
        ("application/json", 12_000),
        (INTERACTIVE_RESPONSE, 12_288),
    ],
)
def test_the_strict_profile_has_the_older_limits(
    ground: Ground, content_type: str, most: int
) -> None:
    chat = ground.live()
    ground.sandbox.change(size_profile="strict")
    chat.send("é" * most, content_type)
    answer = chat.post("message", {"ContentType": content_type, "Content": "é" * (most + 1)})
    assert_refused(answer, 400, "ValidationException")


def test_a_repeated_client_token_says_it_once(ground: Ground) -> None:
    chat = ground.live()
    first = chat.send("once", ClientToken="t-1")
    again = chat.send("once", ClientToken="t-1")
    assert again == first
    other = chat.send("twice", ClientToken="t-2")
    assert other["Id"] != first["Id"]
    chat.ear.item(Id=other["Id"])
    assert [each.get("Content") for each in chat.ear.items() if "Content" in each] == [
        "once",
        "twice",
    ]
    assert sum(each["Id"] == first["Id"] for each in chat.entries()) == 1


def test_a_client_token_counts_per_operation(ground: Ground) -> None:
    chat = ground.live()
    message = chat.send("hello", ClientToken="same")
    event = chat.event(TYPING, ClientToken="same")
    assert message["Id"] != event["Id"]


@differs("proxy", "every connection key of a session uses one connection token upstream")
def test_a_client_token_counts_per_connection(ground: Ground) -> None:
    chat = ground.live()
    chat.connect()
    first = chat.send("hello", ClientToken="same")
    chat.connect()
    assert chat.send("hello", ClientToken="same")["Id"] != first["Id"]


def test_a_refused_message_does_not_use_up_its_client_token(ground: Ground) -> None:
    chat = ground.live()
    body = {"ContentType": "text/html", "Content": "x", "ClientToken": "t"}
    assert_refused(chat.post("message", body), 400, "ValidationException")
    sent = chat.send("x", ClientToken="t")
    chat.ear.item(Id=sent["Id"])


def test_retries_at_the_same_moment_say_it_once(ground: Ground) -> None:
    chat = ground.live()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: chat.send("once", ClientToken="t"), range(8)))
    assert all(each == answers[0] for each in answers)
    chat.ear.settle()
    assert sum(each["Id"] == answers[0]["Id"] for each in chat.ear.items()) == 1


def test_the_agent_is_not_bound_to_the_customers_types(ground: Ground) -> None:
    chat = ground.live()
    content = json.dumps({"templateType": "QuickReply", "version": "1.0", "data": {}})
    said = chat.say(content, content_type=INTERACTIVE, role="SYSTEM")
    heard = chat.ear.item(Id=said["Id"])
    assert heard["ParticipantRole"] == "SYSTEM"
    assert json.loads(heard["Content"])["templateType"] == "QuickReply"


def test_a_streamed_answer_comes_in_chunks_and_then_whole(ground: Ground) -> None:
    chat = ground.live(ParticipantConfiguration={"ResponseMode": "INCREMENTAL"})
    said = chat.act("stream", chunks=["The ref", "und is on", " its way."])["item"]
    chat.ear.item(Content="The refund is on its way.")
    seen = [each for each in chat.ear.items() if each["Id"] == said["Id"]]
    assert [each["Content"] for each in seen[:-1]] == ["The ref", "und is on", " its way."]
    assert [each["MessageMetadata"]["ChunkNumber"] for each in seen[:-1]] == [1, 2, 3]
    assert not any(each["MessageMetadata"]["MessageCompleted"] for each in seen[:-1])
    assert seen[-1]["MessageMetadata"] == {"MessageId": said["Id"], "MessageCompleted": True}
    assert [each["Content"] for each in chat.entries() if each["Id"] == said["Id"]] == [
        "The refund is on its way."
    ]


@differs("proxy", "the demo's chats ask for streamed answers")
def test_who_did_not_ask_for_chunks_gets_the_answer_whole(ground: Ground) -> None:
    chat = ground.live()
    said = chat.act("stream", chunks=["The ref", "und"])["item"]
    chat.ear.item(Content="The refund")
    seen = [each for each in chat.ear.settle() if each["Id"] == said["Id"]]
    assert len(seen) == 1
    assert "MessageMetadata" not in seen[0]


def test_processing_holds_a_message_back_and_shows_what_is_left_of_it(ground: Ground) -> None:
    chat = ground.live()
    ground.sandbox.change(processing_s=60)
    sent = chat.send("my card is 4111 1111 1111 1111")
    assert sent["MessageMetadata"]["MessageProcessingStatus"] == "PROCESSING"
    assert sent["Id"] not in [each["Id"] for each in chat.ear.settle()]
    ground.sandbox.advance(61)
    assert chat.ear.item(Id=sent["Id"])["Content"] == "my card is [PII]"
    assert chat.entries()[-1]["Content"] == "my card is [PII]"


def test_processing_may_refuse_a_message(ground: Ground) -> None:
    chat = ground.live()
    ground.sandbox.change(processing_s=60)
    sent = chat.send("something forbidden")
    ground.sandbox.advance(61)
    verdict = chat.ear.item(Id=sent["Id"])
    assert verdict["Type"] == "MESSAGEMETADATA"
    assert verdict["MessageMetadata"]["MessageProcessingStatus"] == "REJECTED"
    assert chat.entries()[-1]["MessageMetadata"]["MessageProcessingStatus"] == "REJECTED"
