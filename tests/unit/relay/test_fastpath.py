"""The straight way to daphne's sockets: same frames, same order, and off where shapes differ."""

from __future__ import annotations

import functools
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from chatproxy.relay.fastpath import pack, unpacked, writer_for
from tests.processes import free_port
from tests.unit.serving import Program, running

# The socket's first text says what to do. "count N SIZE": frames in turn straight and plain.
PROGRAM = """
import json, sys
from chatproxy.lifespan import Lifespan
from chatproxy.relay.fastpath import pack, writer_for
from chatproxy.serve import run

async def application(scope, receive, send):
    await receive()
    def overflown():
        print("OVERFLOWN", write.buffered_bytes(), flush=True)
    early = writer_for(send, 1_000_000, overflown)
    await send({"type": "websocket.accept"})
    write = writer_for(send, 1_000_000, overflown)
    kinds = {"early": str(early), "accepted": type(write).__name__}
    await send({"type": "websocket.send", "text": json.dumps(kinds)})
    while (message := await receive())["type"] != "websocket.disconnect":
        word, *rest = message["text"].split()
        if word == "count":
            for number in range(int(rest[0])):
                text = str(number).ljust(int(rest[1]), ".")
                if number % 3 == 2:
                    write.flush()  # or it would wait for the turn's end
                    await send({"type": "websocket.send", "text": text})
                else:
                    write(pack(text.encode()))
        elif word == "fail":
            write._send = write._transport.write = lambda data: 1 / 0
            write(pack(b"never"))
        elif word == "close":
            await send({"type": "websocket.close", "code": 4100})
            before = write.buffered_bytes()
            write(pack(b"never"))
            write.flush()
            print("AFTER", write.buffered_bytes() - before, flush=True)

sys.exit(run(application, host="127.0.0.1", port=int(sys.argv[1]), lifespan=Lifespan()))
"""

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture(scope="module")
def server() -> Iterator[Program]:
    with running(PROGRAM, free_port()) as program:
        program.until("chatproxy is ready")
        yield program


@pytest.fixture
def tab(server: Program) -> Iterator[ClientConnection]:
    with connect(server.socket_url("/ws"), compression=None, max_size=None) as tab:
        yield tab


def received(tab: ClientConnection, count: int, size: int) -> bool:
    return all(tab.recv(timeout=10) == str(number).ljust(size, ".") for number in range(count))


@given(st.text(max_size=300) | st.sampled_from([125, 126, 65_535, 65_536]).map("x".__mul__))
def test_a_frame_is_what_any_server_would_send(text: str) -> None:
    frame = Frame(Opcode.TEXT, text.encode()).serialize(mask=False)
    payload = text.encode()
    for cut in (0, len(payload) // 2, len(payload)):
        assert pack(payload[:cut], payload[cut:]) == frame
    assert unpacked(frame) == text


def test_a_socket_on_daphne_has_a_writer_once_it_is_accepted(tab: ClientConnection) -> None:
    assert json.loads(tab.recv(timeout=20)) == {"early": "None", "accepted": "SocketWriter"}


@pytest.mark.parametrize("size", [1, 125, 126, 400, 65_536, 300_000])
def test_frames_keep_their_order_however_they_are_sent(tab: ClientConnection, size: int) -> None:
    tab.recv(timeout=20)
    tab.send(f"count 60 {size}")
    assert received(tab, 60, size)


def test_what_a_browser_does_not_read_is_counted_and_sent_later(
    server: Program, tab: ClientConnection
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as slow:
        slow.sendall(HANDSHAKE)
        assert slow.recv(4096).startswith(b"HTTP/1.1 101")
        slow.sendall(Frame(Opcode.TEXT, b"count 120 100000").serialize(mask=True))
        assert int(server.until("OVERFLOWN").split()[1]) > 1_000_000
        tab.recv(timeout=20)
        tab.send("count 30 400")  # others do not notice
        assert received(tab, 30, 400)
        expected = b"".join(pack(str(number).ljust(100_000, ".").encode()) for number in range(120))
        assert all_from(slow, len(expected)).endswith(expected)


def test_a_socket_that_cannot_be_written_is_cut_and_no_other(
    server: Program, tab: ClientConnection
) -> None:
    with connect(server.socket_url("/ws"), compression=None, max_size=None) as other:
        other.recv(timeout=10)
        tab.recv(timeout=10)
        tab.send("fail")
        with pytest.raises(ConnectionClosed):
            tab.recv(timeout=5)
        other.send("count 10 100")
        assert received(other, 10, 100)


def all_from(raw: socket.socket, at_least: int) -> bytes:
    """What comes until it ends with the last frame, of which there are ``at_least`` bytes."""
    read = bytearray()
    while len(read) < at_least or not read.endswith(b"." * 99_000):
        read += raw.recv(1 << 20)
    return bytes(read)


def test_a_socket_that_closes_takes_no_more_frames(server: Program, tab: ClientConnection) -> None:
    tab.recv(timeout=20)
    tab.send("close")
    assert server.until("AFTER").split() == ["AFTER", "0"]


@pytest.mark.parametrize(
    "send",
    [
        lambda message: None,
        functools.partial(print),
        functools.partial(print, "a protocol that is none"),
    ],
)
def test_any_other_server_has_no_writer(send: Any) -> None:
    assert writer_for(send, 1000, lambda: None) is None
