"""What our own adapter does beyond what every adapter must."""

import socket
import threading
import time

import pytest

from chatproxy.upstream.errors import (
    ClientShutDown,
    UpstreamError,
    UpstreamShapeError,
    UpstreamTimeout,
)
from chatproxy.upstream.inputs import Disconnection, OutgoingMessage
from chatproxy.upstream.onesocket import OneSocketAdapter
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.tokens import ConnectionToken
from chatproxy.upstream.transport import Transport, prepared
from tests.unit.upstream.scripted import HASTY, Script, ScriptedServer, answer, raw

TOKEN = ConnectionToken("ct")
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.fixture
def adapter() -> type[OneSocketAdapter]:
    return OneSocketAdapter


def leave(client: ParticipantClient) -> None:
    client.disconnect_participant(TOKEN, Disconnection())


def wait_until_closed(server: ScriptedServer) -> None:
    """Until the server has closed its end, as it does when ours has gone."""
    deadline = time.monotonic() + 5
    while server.connections[0].fileno() >= 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def dripping_head(connection: socket.socket) -> None:
    connection.sendall(OK)
    for _ in range(1000):
        connection.sendall(b"X: y\r\n")
        time.sleep(0.02)


def in_single_bytes(connection: socket.socket) -> None:
    for byte in OK + b"Transfer-Encoding: chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\nTrailer: 1\r\n\r\n":
        connection.sendall(bytes([byte]))


@HASTY
def test_headers_that_drip_have_to_end_in_time(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(dripping_head)
    began = time.monotonic()
    with pytest.raises(UpstreamTimeout):
        leave(client)
    assert time.monotonic() - began < 10


def test_answer_may_come_byte_by_byte(server: ScriptedServer, client: ParticipantClient) -> None:
    server.will(in_single_bytes)
    leave(client)
    leave(client)
    assert {asked.connection for asked in server.asked} == {1}


def test_interim_answers_are_passed_over(server: ScriptedServer, client: ParticipantClient) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    server.will(raw(early + early + OK + b"Content-Length: 2\r\n\r\n{}"))
    leave(client)


NOT_HTTP: dict[str, Script] = {
    "interim answers for ever": raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 10),
    "HTTP/2": raw(b"HTTP/2 200 OK\r\n\r\n"),
    "status 999": raw(b"HTTP/1.1 999 What\r\n\r\n"),
    "a folded header": raw(OK + b"X: y\r\n z\r\n\r\n"),
    "a header without a colon": raw(OK + b"hello\r\n\r\n"),
    "a header with a space in its name": raw(OK + b"Content-Length : 2\r\n\r\n{}"),
    "two lengths": raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "a negative length": raw(OK + b"Content-Length: -1\r\n\r\n"),
    "a length that is a word": raw(OK + b"Content-Length: two\r\n\r\n{}"),
    "an unknown coding": raw(OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    "a chunk without a size": raw(OK + b"Transfer-Encoding: chunked\r\n\r\nhello\r\n"),
    "a chunk of negative size": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n"),
    "a chunk longer than it said": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n"),
    "trailers for ever": raw(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: y\r\n" * 200),
}


@pytest.mark.parametrize("name", NOT_HTTP)
def test_http_that_is_none_is_refused(
    name: str, server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(NOT_HTTP[name], answer({}))
    with pytest.raises(UpstreamShapeError, match="not HTTP"):
        leave(client)
    leave(client)
    assert [asked.connection for asked in server.asked] == [1, 2]


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
        OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_connection_that_is_to_end_is_not_used_again(
    head: bytes, server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(raw(head if b"chunked" in head else head + b"{}"))
    leave(client)
    leave(client)
    assert [asked.connection for asked in server.asked] == [1, 2]


def test_head_with_a_line_break_in_it_is_not_sent(server: ScriptedServer) -> None:
    adapter = OneSocketAdapter()
    request = prepared("GET", server.url + "/", {"X-Amz-Bearer": "a\r\nX-Evil: 1"}, None)
    with pytest.raises(ValueError, match="line break"):
        adapter.send(request, timeout=(1, 1))
    assert server.asked == []


def test_call_under_way_finishes_though_the_client_is_shut_down(server: ScriptedServer) -> None:
    has_asked, may_answer = threading.Event(), threading.Event()

    def late(connection: socket.socket) -> None:
        has_asked.set()
        may_answer.wait(5)
        answer({})(connection)

    server.will(late)
    client = ParticipantClient(server.url)
    failures: list[UpstreamError] = []

    def call() -> None:
        try:
            leave(client)
        except UpstreamError as error:
            failures.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert has_asked.wait(5)
    client.shutdown()
    may_answer.set()
    thread.join(5)
    assert failures == []
    wait_until_closed(server)
    with pytest.raises(ClientShutDown):
        leave(client)


def test_threads_that_call_one_after_the_other_share_a_connection(server: ScriptedServer) -> None:
    server.will(answer({}))
    with ParticipantClient(server.url) as client:
        for _ in range(3):
            thread = threading.Thread(target=leave, args=(client,))
            thread.start()
            thread.join(5)
    assert [asked.connection for asked in server.asked] == [1, 1, 1]


def test_answer_larger_than_allowed_is_not_read_to_its_end(server: ScriptedServer) -> None:
    server.will(answer(b"x" * 300_000))
    transport = Transport(connect_timeout_s=1, read_timeout_s=5, max_answer_bytes=100_000)
    message = OutgoingMessage("text/plain", "x")
    with pytest.raises(UpstreamShapeError, match="too large"):
        transport.exchange(message.operation, "GET", server.url + "/", {}, None)
    transport.shutdown()
