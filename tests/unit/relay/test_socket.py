"""An upstream socket that is given up is closed, however far its opening had come."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from types import SimpleNamespace
from typing import Any

import pytest

from chatproxy.relay import socket as socket_module
from chatproxy.relay.socket import TEXT, UpstreamSocket
from chatproxy.upstream.tokens import WebsocketUrl

ACCEPT_SALT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


async def test_a_dial_cancelled_in_its_handshake_leaves_no_socket_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket_module, "check_host", lambda _: None)
    asked, answer = asyncio.Event(), asyncio.Event()
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        names = (line.partition(b": ") for line in head)
        key = next(value for name, _, value in names if name.lower() == b"sec-websocket-key")
        asked.set()
        await answer.wait()
        accept = base64.b64encode(hashlib.sha1(key + ACCEPT_SALT).digest())  # noqa: S324
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        heard.set_result(await reader.read())  # to the connection's end
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = WebsocketUrl(f"ws://127.0.0.1:{port}/")
        dial = asyncio.create_task(UpstreamSocket.dial(url, lambda _: None))
        await asked.wait()
        dial.cancel()
        await asyncio.gather(dial, return_exceptions=True)
        answer.set()
        async with asyncio.timeout(2):
            assert await heard == b""


async def test_a_frame_nobody_can_read_costs_the_socket_so_that_its_message_is_read_elsewhere() -> (
    None
):
    socket = UpstreamSocket(lambda _: None)
    frame: Any = SimpleNamespace(
        msg_type=TEXT, fin=True, get_payload_as_bytes=lambda: b'{"topic":"aws/chat","content":"\xff'
    )
    transport: Any = None
    socket.on_ws_frame(transport, frame)
    assert socket.gone.is_set()
    assert socket.why_gone == "a frame was not UTF-8"


async def test_a_socket_whose_heartbeat_fails_is_gone_and_closed() -> None:
    socket = UpstreamSocket(lambda _: None)
    done: list[str] = []

    def send(*_: object) -> None:
        raise ValueError("a mistake of ours")

    transport: Any = SimpleNamespace(
        send=send,
        send_close=lambda _: done.append("close"),
        disconnect=lambda: done.append("disconnect"),
    )
    socket._transport = transport
    socket._topics = SimpleNamespace(tick=lambda: ("{}",), failure=None)  # type: ignore[assignment]
    socket._keep_awake()
    assert socket.gone.is_set()
    assert socket.why_gone == "ValueError"
    assert done == ["close", "disconnect"]
