"""The little HTTP the service doors need, on ASGI: requests read whole, answers sent whole.

Django serves the console; the service's own doors go without it, because they must see paths
still percent-encoded, hang or reset a connection on request, and answer thousands of calls a
second in tests.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from autobahn.websocket.types import ConnectionDeny

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Request:
    """``path`` is as sent, percent-encoding included; header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


@dataclass
class Answer:
    """Status, headers and body; ``Answer.json`` makes the usual kind."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(
        cls, value: object, status: int = 200, headers: dict[str, str] | None = None
    ) -> "Answer":
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, {"Content-Type": "application/json"} | (headers or {}), body)


async def read_request(scope: Scope, receive: Receive) -> Request | None:
    """The whole request, or None when the client went away meanwhile."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Request(
        method=scope["method"],
        path=scope["raw_path"].partition(b"?")[0].decode("latin-1"),
        query={name: values[-1] for name, values in query.items()},
        headers={
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        },
        body=bytes(body),
    )


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [
        (name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()
    ]
    headers.append((b"Content-Length", str(len(answer.body)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


class ConnectionReset(Exception):
    """Instead of an answer, the TCP connection is to be reset."""


def abort(send: Send) -> None:
    """Reset the TCP connection under a request or socket, as a dying network path does."""
    _transport(send).abortConnection()


def go_deaf(send: Send) -> None:
    """Stop reading from the TCP connection under a socket: not even a ping is answered."""
    _transport(send).pauseProducing()


def refuse_handshake(send: Send, status: int) -> None:
    """Answer a websocket handshake with ``status``; ASGI by itself knows only 403."""
    protocol = _protocol(send)
    protocol.handshake_deferred.errback(ConnectionDeny(code=status, reason="Refused"))  # type: ignore[no-untyped-call]
    del protocol.handshake_deferred
    protocol.server.protocol_disconnected(protocol)


class NoAnswer(Exception):
    """Instead of an answer, nothing, until the client gives up."""


def close_socket(send: Send, code: int, reason: str) -> None:
    """Close a websocket. Any code: through ASGI, daphne takes neither 1001 nor a reason."""
    protocol = _protocol(send)
    protocol.sendCloseFrame(code=code, reasonUtf8=reason.encode())


def _protocol(send: Send) -> Any:
    # Daphne hands applications ``functools.partial(server.handle_reply, protocol)``. It is the
    # only server the sandbox runs on, and ASGI has no words for any of these.
    return send.args[0]  # type: ignore[attr-defined]


def _transport(send: Send) -> Any:
    protocol = _protocol(send)
    channel = getattr(protocol, "channel", None)
    return protocol.transport if channel is None else channel.transport
