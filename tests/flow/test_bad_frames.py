"""What a browser socket does with frames that make no sense."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.flow.client import Visitor
from tests.processes import RunningDemo

HEARTBEAT = '{"topic":"aws/heartbeat"}'
SUBSCRIBE = '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'


@pytest.fixture
def socket(demo: RunningDemo) -> Iterator[ClientConnection]:
    demo.sandbox.change(bot=False)
    with connect(Visitor(demo.url).connect(), proxy=None, open_timeout=10) as opened:
        yield opened


def closed_with(socket: ClientConnection) -> int:
    for _ in range(200):
        try:
            socket.recv(timeout=10)
        except ConnectionClosed as err:
            return err.rcvd.code if err.rcvd else 1006
    pytest.fail("200 frames, and still open")


@pytest.mark.parametrize(
    "nonsense",
    [
        "",
        "hello",
        "[]",
        "7",
        "null",
        "{",
        '{"topic": 7}',
        '{"topic": ["aws/chat"]}',
        '{"topic": "aws/chat", "content": "mine"}',
        '{"topic": "aws/unsubscribe", "content": {"topics": ["aws/chat"]}}',
        "[" * 30_000,
    ],
)
def test_a_frame_that_means_nothing_is_ignored(socket: ClientConnection, nonsense: str) -> None:
    socket.send(nonsense)
    socket.send(HEARTBEAT)
    assert json.loads(socket.recv(timeout=10)) == {"topic": "aws/heartbeat"}


@pytest.mark.parametrize(
    "content",
    [None, 7, "aws/chat", {}, {"topics": 7}, {"topics": "aws/chat"}, {"topics": [7, None, {}]}],
)
def test_a_subscribe_to_nothing_we_have_fails(socket: ClientConnection, content: object) -> None:
    socket.send(json.dumps({"topic": "aws/subscribe", "content": content}))
    answer = json.loads(socket.recv(timeout=10))
    assert answer == {"topic": "aws/subscribe", "content": {"status": "failure", "topics": []}}
    socket.send(SUBSCRIBE)
    assert json.loads(socket.recv(timeout=10))["content"]["status"] == "success"


@pytest.mark.parametrize(
    "after", [7, "", "x", "a.b.c", "x" * 5000, {"a": 1}, "zz.1.99999999999999999999"]
)
def test_a_position_that_is_none_is_answered_with_a_reset_or_nothing(
    socket: ClientConnection, after: object
) -> None:
    topics = ["aws/chat", "chatproxy/session"]
    content = {"topics": topics, "after": after}
    socket.send(json.dumps({"topic": "aws/subscribe", "content": content}))
    socket.send(HEARTBEAT)
    topic = ""
    while topic != "aws/heartbeat":
        topic = json.loads(socket.recv(timeout=10))["topic"]


def test_a_binary_frame_closes_the_socket(socket: ClientConnection) -> None:
    socket.send(b"\x00\x01")
    assert closed_with(socket) == 4503


def test_a_frame_that_is_too_long_closes_the_socket(socket: ClientConnection) -> None:
    socket.send("x" * 32_769)
    assert closed_with(socket) == 4503


def test_too_many_frames_close_the_socket(socket: ClientConnection) -> None:
    for _ in range(61):
        socket.send(HEARTBEAT)
    assert closed_with(socket) == 4504
