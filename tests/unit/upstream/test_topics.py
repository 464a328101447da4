"""The upstream websocket, text by text, on a clock of the test's own."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.upstream.topics import (
    HEARTBEAT,
    PING,
    SUBSCRIBE,
    ChatFrame,
    Failure,
    GatewayError,
    HeartbeatAnswered,
    Ignored,
    PingAnswered,
    Subscribed,
    SubscribeRefused,
    TopicsProtocol,
)
from tests.unit.upstream.clock import Clock

SUBSCRIBED = b'{"topic":"aws/subscribe","content":{"status":"success","topics":["aws/chat"]}}'
REFUSED = b'{"topic":"aws/subscribe","content":{"status":"failure","topics":["aws/chat"]}}'
ANSWERED = b'{"topic":"aws/heartbeat"}'


@pytest.fixture
def protocol(clock: Clock) -> TopicsProtocol:
    return TopicsProtocol(clock=clock)


def pass_time(protocol: TopicsProtocol, clock: Clock, seconds: float) -> list[tuple[float, str]]:
    """Let time pass as the socket's owner would; what it sends, and when."""
    sent, end = [], clock.now + seconds
    while protocol.failure is None and clock.now + protocol.wakes_in() <= end:
        clock.now += protocol.wakes_in()
        sent += [(clock.now - 1000.0, text) for text in protocol.tick()]
    clock.now = max(clock.now, end)
    return sent


def test_opening_sends_what_chatjs_sends(protocol: TopicsProtocol) -> None:
    assert protocol.opening() == (
        '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}',
        '{"topic":"aws/ping"}',
        '{"topic":"aws/heartbeat"}',
    )


def test_chat_frame_is_decoded_and_kept_as_it_came(protocol: TopicsProtocol) -> None:
    inner = {"Id": "m1", "Type": "MESSAGE", "Content": "Grüße"}
    payload = json.dumps({"content": json.dumps(inner), "topic": "aws/chat"}).encode()
    event = protocol.receive(payload)
    assert isinstance(event, ChatFrame)
    assert event.payload is payload
    assert event.item.wire == inner
    assert "Grüße" not in repr(event)


def test_item_that_came_unwrapped_is_read_too(protocol: TopicsProtocol) -> None:
    event = protocol.receive(b'{"topic":"aws/chat","content":{"Id":"m1"}}')
    assert isinstance(event, ChatFrame)
    assert event.item.id == "m1"


@pytest.mark.parametrize(
    ("payload", "event"),
    [
        (SUBSCRIBED, Subscribed()),
        (REFUSED, SubscribeRefused("failure")),
        (b'{"topic":"aws/subscribe"}', SubscribeRefused("None")),
        (b'{"topic":"aws/heartbeat","content":5}', HeartbeatAnswered()),
        (b'{"topic":"aws/ping","statusCode":200,"statusContent":"OK"}', PingAnswered(True)),
        (b'{"topic":"aws/ping","statusCode":500,"statusContent":"OK"}', PingAnswered(False)),
        (b'{"topic":"aws/ping"}', PingAnswered(False)),
        (
            b'{"message":"Forbidden","connectionId":"c","requestId":"r"}',
            GatewayError("Forbidden", "r"),
        ),
        (b'{"message":"Internal server error"}', GatewayError("Internal server error", "")),
        (b"", Ignored("empty")),
        (b"  \n", Ignored("empty")),
        (b"hello", Ignored("not a JSON object")),
        (b"[1]", Ignored("not a JSON object")),
        (b"null", Ignored("not a JSON object")),
        (b"{}", Ignored("no topic")),
        (b'{"topic":"aws/metrics"}', Ignored("another topic")),
        (b'{"topic":["aws/chat"]}', Ignored("another topic")),
        (b'{"topic":"aws/chat"}', Ignored("a chat frame without an item")),
        (b'{"topic":"aws/chat","content":"[]"}', Ignored("a chat frame without an item")),
        (
            b'{"topic":"aws/chat","content":"{"}',
            Ignored("a chat frame without an item"),
        ),
        (b"[" * 200_000, Ignored("not a JSON object")),
        (b'{"topic":"aws/heartbeat","content":"\xff"}', Ignored("not UTF-8")),
    ],
)
def test_frame_is_read_as(payload: bytes, event: object, protocol: TopicsProtocol) -> None:
    assert protocol.receive(payload) == event


def test_what_follows_the_first_value_is_cut_off(protocol: TopicsProtocol) -> None:
    frame = b'{"topic":"aws/chat","content":"{\\"Id\\":\\"m1\\"}"}'
    event = protocol.receive(b" %b)" % frame)
    assert isinstance(event, ChatFrame)
    assert event.payload == frame


@given(
    st.text()
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["topic", "content", "message", "status"]), inner)
        ),
    ).map(json.dumps)
)
def test_nonsense_never_raises(text: str) -> None:
    TopicsProtocol().receive(text.encode("utf-8", "surrogatepass"))


def test_heartbeats_go_out_every_ten_seconds(protocol: TopicsProtocol, clock: Clock) -> None:
    protocol.opening()
    protocol.receive(SUBSCRIBED)
    sent: list[Any] = []
    for _ in range(3):
        protocol.receive(ANSWERED)
        sent += pass_time(protocol, clock, 10)
    assert sent == [(at, text) for at in (10.0, 20.0, 30.0) for text in (PING, HEARTBEAT)]
    assert protocol.failure is None


def test_heartbeat_missed_is_the_end_of_the_socket(protocol: TopicsProtocol, clock: Clock) -> None:
    protocol.opening()
    protocol.receive(SUBSCRIBED)
    protocol.receive(ANSWERED)
    sent = pass_time(protocol, clock, 60)
    assert sent == [(10.0, PING), (10.0, HEARTBEAT)]
    assert protocol.failure == Failure.HEARTBEAT_MISSED
    assert protocol.tick() == ()


def test_a_frame_that_is_not_utf8_is_the_end_of_the_socket(protocol: TopicsProtocol) -> None:
    protocol.receive(SUBSCRIBED)
    protocol.receive(b'{"topic":"aws/chat","content":"\xff"}')
    assert protocol.failure == Failure.NOT_UTF8


def test_ping_missed_is_not(protocol: TopicsProtocol, clock: Clock) -> None:
    protocol.opening()
    protocol.receive(SUBSCRIBED)
    protocol.receive(b'{"topic":"aws/ping","statusCode":503}')
    for _ in range(5):
        protocol.receive(ANSWERED)
        pass_time(protocol, clock, 10)
    assert protocol.failure is None


def test_subscribe_is_repeated_until_answered(protocol: TopicsProtocol, clock: Clock) -> None:
    protocol.opening()
    assert pass_time(protocol, clock, 2.5) == [(1.0, SUBSCRIBE), (2.0, SUBSCRIBE)]
    assert not protocol.is_subscribed
    protocol.receive(SUBSCRIBED)
    assert protocol.is_subscribed
    protocol.receive(ANSWERED)
    assert pass_time(protocol, clock, 6) == []


def test_subscribe_never_answered_is_the_end(protocol: TopicsProtocol, clock: Clock) -> None:
    protocol.opening()
    sent = pass_time(protocol, clock, 60)
    assert [at for at, _ in sent] == [1.0, 2.0, 3.0, 4.0]
    assert protocol.failure == Failure.SUBSCRIBE_UNANSWERED


def test_refused_subscribe_is_tried_again_soon_then_given_up(
    protocol: TopicsProtocol, clock: Clock
) -> None:
    assert protocol.opening()[0] == SUBSCRIBE
    sent = []
    for _ in range(5):
        assert protocol.receive(REFUSED) == SubscribeRefused("failure")
        sent += pass_time(protocol, clock, 0.5)
    assert [at for at, _ in sent] == [0.5, 1.0, 1.5, 2.0]
    assert protocol.failure == Failure.SUBSCRIBE_REFUSED


def test_white_space_around_either_json_is_no_matter() -> None:
    inner = json.dumps({"Id": "m1", "Type": "MESSAGE"})
    outer = json.dumps({"topic": "aws/chat", "content": f" \n{inner} "})
    event = TopicsProtocol().receive(f"\r\n {outer}\n".encode())
    assert isinstance(event, ChatFrame)
    assert event.item.id == "m1"
