"""A Connect that does as little as possible: enough of the wire for a chat to open, and fast.

REST is a few fixed answers from one `asyncio.Protocol`; sockets are picows. It lives in the load
generator's own process, so that a frame's way from here to a tab is timed by one clock.
"""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)

SUBSCRIBED = b'{"topic":"aws/subscribe","content":{"status":"success","topics":["aws/chat"]}}'
HEARTBEAT = b'{"topic":"aws/heartbeat"}'
PING = b'{"topic":"aws/ping","statusCode":200,"statusContent":"OK"}'

_INNER = json.dumps(
    {
        "AbsoluteTime": "%(at)s",
        "Content": "#%(number)d:%(sent)d# The refund is on its way, thank you for your patience."
        "%(more)s",
        "ContentType": "text/plain",
        "Id": "00000000-0000-4000-8000-%(id)012d",
        "Type": "MESSAGE",
        "ParticipantId": "11111111-2222-4333-8444-555555555555",
        "DisplayName": "Agent",
        "ParticipantRole": "AGENT",
        "InitialContactId": "%(contact)s",
        "ContactId": "%(contact)s",
    },
    separators=(",", ":"),
)
_FRAME = json.dumps(
    {"content": _INNER, "contentType": "application/json", "topic": "aws/chat"},
    separators=(",", ":"),
)


def contact_id(chat: int) -> str:
    return f"aaaaaaaa-bbbb-4ccc-8ddd-{chat:012d}"


class UpstreamSocket(WSListener):
    """The service's end of one of a chat's websockets."""

    def __init__(self, upstream: Upstream, chat: int) -> None:
        super().__init__()
        self._upstream = upstream
        self._chat = chat

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        text = frame.get_payload_as_bytes()
        if b"aws/subscribe" in text:
            transport.send(WSMsgType.TEXT, SUBSCRIBED)
            self._upstream.joined(self._chat, transport)
        elif b"aws/heartbeat" in text:
            transport.send(WSMsgType.TEXT, HEARTBEAT)
        elif b"aws/ping" in text:
            transport.send(WSMsgType.TEXT, PING)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._upstream.left(self._chat, transport)


class Upstream:
    """All chats of one run.

    Args:
        to_all: Say each thing to all sockets of a chat, for what opens one for each tab; otherwise
            to the newest.
    """

    def __init__(self, *, to_all: bool = False) -> None:
        self.to_all = to_all
        #: Seconds until a message is answered.
        self.answers_after_s = 0.0
        #: By chat, the newest last; a chat without any is not there.
        self.sockets: dict[int, list[WSTransport]] = {}
        self.requests = 0
        self.port = 0
        self.socket_port = 0
        self._chats = 0
        self._ids = 0
        self._second, self._at = 0, ""
        self._servers: list[asyncio.Server] = []

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        rest = await loop.create_server(lambda: _Rest(self), "127.0.0.1", 0, backlog=1024)
        sockets = await ws_create_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self._servers = [rest, sockets]
        self.port = rest.sockets[0].getsockname()[1]
        self.socket_port = sockets.sockets[0].getsockname()[1]

    def stop(self) -> None:
        for server in self._servers:
            server.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def socket_url(self) -> str:
        """Add a chat's number."""
        return f"ws://127.0.0.1:{self.socket_port}/"

    def push(self, chat: int, number: int, more: str = "") -> None:
        """Say one thing in ``chat``: the frame tells its number and when (ns) it was sent."""
        self._ids += 1
        now = int(time.time())
        if now != self._second:
            self._second, self._at = now, time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(now))
        frame = _FRAME % {
            "at": self._at,
            "number": number,
            "sent": time.perf_counter_ns(),
            "id": self._ids,
            "contact": contact_id(chat),
            "more": more,
        }
        sockets, payload = self.sockets.get(chat, []), frame.encode()
        for socket in sockets if self.to_all else sockets[-1:]:
            socket.send(WSMsgType.TEXT, payload)

    def joined(self, chat: int, transport: WSTransport) -> None:
        """A socket has subscribed to ``chat``."""
        sockets = self.sockets.setdefault(chat, [])
        if transport not in sockets:
            sockets.append(transport)

    def left(self, chat: int, transport: WSTransport) -> None:
        """A socket is gone, which may never have subscribed."""
        sockets = self.sockets.get(chat, [])
        if transport in sockets:
            sockets.remove(transport)
        if not sockets:
            self.sockets.pop(chat, None)

    def _accept(self, request: WSUpgradeRequest) -> WSListener:
        return UpstreamSocket(self, int(request.path.rpartition(b"/")[2]))

    def answer(self, path: str, token: str) -> dict[str, Any]:
        """The JSON of an answer; the request's own does not matter."""
        self.requests += 1
        match path:
            case "/participant/message" | "/participant/event":
                return {"Id": f"sent-{self.requests}", "AbsoluteTime": _stamp()}
            case "/participant/connection":
                return self._connection(int(token.rpartition("-")[2]))
            case "/participant/transcript":
                return {"InitialContactId": "unknown", "Transcript": []}
            case "/contact/chat":
                return self._started()
        return {}

    def _started(self) -> dict[str, Any]:
        self._chats += 1
        return {
            "ContactId": contact_id(self._chats - 1),
            "ParticipantId": f"customer-{self._chats}",
            "ParticipantToken": f"participant-token-{self._chats - 1}",
        }

    def _connection(self, chat: int) -> dict[str, Any]:
        return {
            "Websocket": {
                "Url": f"{self.socket_url}{chat}",
                "ConnectionExpiry": _stamp(timedelta(hours=1)),
            },
            "ConnectionCredentials": {
                "ConnectionToken": f"connection-token-{chat}",
                "Expiry": _stamp(timedelta(days=1)),
            },
        }


class _Rest(asyncio.Protocol):
    """HTTP/1.1 with Content-Length, keep-alive, one request at a time."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while (end := self._read.find(b"\r\n\r\n")) >= 0:
            head = self._read[:end].decode("latin-1")
            first, *lines = head.split("\r\n")
            headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
            length = int(headers.get("content-length", "0"))
            if len(self._read) < end + 4 + length:
                return
            self._read = self._read[end + 4 + length :]
            path = first.split(" ")[1]
            answer = self._upstream.answer(path, headers.get("x-amz-bearer", ""))
            wait_s = self._upstream.answers_after_s if path == "/participant/message" else 0.0
            if wait_s:
                asyncio.get_running_loop().call_later(wait_s, self._send, answer)
            else:
                self._send(answer)

    def _send(self, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: bench\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )


def _stamp(later: timedelta = timedelta()) -> str:
    moment = datetime.now(UTC) + later
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
