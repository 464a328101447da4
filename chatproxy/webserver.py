"""Daphne's server with the bounds a public chat needs, and without what it logs or forgets.

Importing this installs Twisted's asyncio reactor: only `serve.py` does. Differences to daphne's
own: a connection that was reset is noticed at once;
a request body is not kept beyond a limit, and forms are not parsed before Django parses them;
a websocket takes so many frames in ten seconds, whether or not its application reads them; every
close code and its reason reach the browser; stopping closes the port first, and does not
stumble over half-open connections; no query string, which may hold a ticket, reaches a log. Where
it reaches into daphne it checks first that what it finds has the shape it expects, and leaves it
alone otherwise.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from autobahn.websocket import protocol as autobahn_protocol
from daphne.http_protocol import WebRequest
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import defer, main, reactor, tcp
from twisted.web.http import HTTPChannel

from chatproxy.closing import Close, closed
from chatproxy.inbox import Inbox

logger = logging.getLogger(__name__)
access_log = logging.getLogger("chatproxy.access")

#: Bytes of a body that are read from the network and thrown away, so that the client gets to read
#: its 413, before the connection is cut.
DISCARD_BYTES = 8 * 1024 * 1024

CLOSE_AFTERWARDS = (b"connection", b"close")

#: Frames of one websocket in ten seconds: pings, pieces of messages and all. What the application
#: takes of whole messages is its own affair, and less.
FRAMES_PER_10_S = 120

#: What the kernel holds for a browser that does not read; it takes twice of what it is told. By
#: itself it may hold 4 MB, and the bound for slow readers counts from there on.
SEND_BUFFER_BYTES = 131_072

#: A browser has so long to answer a close before it is cut off. On a bad network the close waits
#: behind other frames, and with it why, and when to come back; autobahn's own is one second.
CLOSE_ANSWER_S = 5.0

#: The state of a TCP connection that no longer is one, as Linux numbers it (``tcp_states.h``).
TCP_CLOSE = 7

#: RFC 6455: a close frame has 125 bytes, two of them the code.
MAX_REASON_BYTES = 123


class BrowserConnection(tcp.Server):
    """A TCP connection that is over at once when the other end resets it.

    On a reset, uvloop looks into the connection once more and then stops watching it. Where
    something was said just before the reset, that look finds words and no end: the connection would
    stay for ever, be read by nobody, and fail when written to.
    """

    def doRead(self) -> Any:
        over = super().doRead()
        if over is None and self.connected and _was_reset(self.socket):
            return main.CONNECTION_LOST
        return over


def _was_reset(connection: socket.socket) -> bool:
    if not hasattr(socket, "TCP_INFO"):  # not on Linux
        return bool(connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
    # Not the error: whoever wrote to it in the meantime has taken that.
    return connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == TCP_CLOSE


class BoundedRequest(WebRequest):  # type: ignore[misc]
    """A request whose body is kept up to ``max_body_bytes`` and one more, to tell it was longer."""

    max_body_bytes = 2_621_440

    def gotLength(self, length: int | None) -> None:
        declared = self.max_body_bytes + 1 if length is None else length
        super().gotLength(min(declared, self.max_body_bytes + 1))

    def handleContentChunk(self, data: bytes) -> None:
        room = self.max_body_bytes + 1 - self.content.tell()
        if room > 0:
            super().handleContentChunk(data[:room])
        self._discarded = getattr(self, "_discarded", 0) + max(0, len(data) - room)
        if self._discarded > DISCARD_BYTES:
            self.channel.transport.abortConnection()


class BoundedSocket(WebSocketProtocol):  # type: ignore[misc]
    """A websocket that closes with 4504 on a flood of frames, and takes little of the kernel.

    Daphne answers pings by itself, and queues messages for an application that is busy, for ever.
    When it is over nothing of it is in a circle of references, which would keep it until the
    collector comes by: that is seldom (`serve.py`).
    """

    _window = 0.0
    _frames = 0

    def connectionMade(self) -> None:
        connection = getattr(self.transport, "socket", None)
        if isinstance(connection, socket.socket):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        channel = getattr(self.transport, "producer", None)
        if isinstance(channel, HTTPChannel):
            channel.requests.clear()  # it was the last: else they hold each other for ever
        super().connectionMade()

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        self.is_closed = None  # its result is ourselves

    def onFrameBegin(self) -> None:
        now = time.monotonic()
        if now - self._window > 10:
            self._window, self._frames = now, 0
        self._frames += 1
        if self._frames > FRAMES_PER_10_S and self.state == self.STATE_OPEN:
            closed[Close.FLOODING] += 1
            self.sendCloseFrame(code=Close.FLOODING, reasonUtf8=b"too many frames")
        super().onFrameBegin()

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if self.state == self.STATE_OPEN:  # else it is closing, and nobody listens any more
            super().onMessage(payload, isBinary)


class ChatServer(Server):  # type: ignore[misc]
    """Daphne's server. ``failure`` says why it could not listen, or is None.

    Args:
        on_running: Called on the event loop once it runs.
        max_body_bytes: Longest request body kept, whatever its path.
    """

    def __init__(
        self,
        *args: Any,
        on_running: Callable[[], None],
        max_body_bytes: int = BoundedRequest.max_body_bytes,
        **options: Any,
    ) -> None:
        self.failure: BaseException | None = None
        self._ports: list[Any] = []
        self._is_leaving = False
        self._on_running = on_running
        self._request_class = type("Request", (BoundedRequest,), {"max_body_bytes": max_body_bytes})
        super().__init__(*args, ready_callable=self._ready, signal_handlers=False, **options)

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = reactor._asyncioEventloop  # daphne's own way to it
        return loop

    def _ready(self) -> None:
        """Called by daphne when it listens, just before the loop runs."""
        factory = self.http_factory
        build = factory.buildProtocol

        def bounded(address: Any) -> Any:
            protocol = build(address)
            if getattr(protocol, "requestFactory", None) is WebRequest:
                protocol.requestFactory = partial(
                    self._request_class, parsePOSTFormSubmission=False
                )
            return protocol

        factory.buildProtocol = bounded
        factory.log = _written_nowhere
        self.ws_factory.setProtocolOptions(closeHandshakeTimeout=CLOSE_ANSWER_S)
        if self.ws_factory.protocol is WebSocketProtocol:
            self.ws_factory.protocol = BoundedSocket
        self.loop.call_soon(self._on_running)

    def listen_success(self, port: Any) -> None:
        self._ports.append(port)
        if getattr(port, "transport", None) is tcp.Server:
            port.transport = BrowserConnection
        super().listen_success(port)

    def refuse_connections(self) -> None:
        """Take no new connection from now on; those that are open go on, one request each.

        A balancer that is refused tries the next process at once.
        """
        self._is_leaving = True
        for port in self._ports:
            port.stopListening()

    def listen_error(self, failure: Any) -> None:
        self.failure = failure.value
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Inbox:
        """As daphne's, with a queue that takes less memory."""
        inbox = Inbox()
        scope.setdefault("asgi", {"version": "3.0"})
        application = self.application(
            scope=scope, receive=inbox.get, send=partial(self.handle_reply, protocol)
        )
        self.connections[protocol]["application_instance"] = asyncio.ensure_future(application)
        return inbox

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """As daphne's, which drops a close reason and fails on codes such as 1012."""
        closing = message.get("type") == "websocket.close"
        if closing and _is_open_socket(protocol):
            # The method below daphne's: `sendClose` takes 1000 and 3000-4999 only.
            reason = (message.get("reason") or "").encode()[:MAX_REASON_BYTES]
            protocol.sendCloseFrame(
                code=message.get("code") or 1000,
                reasonUtf8=reason.decode(errors="ignore").encode(),
                isReply=False,
            )
            return
        if self._is_leaving and message.get("type") == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), CLOSE_AFTERWARDS]}
        await super().handle_reply(protocol, message)

    def application_checker(self) -> None:
        """As daphne's, which ends for ever with the first connection that it fails at.

        It would then forget none of those that are over, and keep each request's memory.
        """
        for protocol, details in list(self.connections.items()):
            try:
                self._reap(protocol, details)
            except Exception:
                logger.exception("a connection that is over could not be closed in order")
                _cut(protocol)
                self.connections.pop(protocol, None)
        self.loop.call_later(1, self.application_checker)

    def _reap(self, protocol: Any, details: dict[str, Any]) -> None:
        gone = details.get("disconnected")
        task = details.get("application_instance")
        if task is not None and not task.done():
            if gone and time.time() - gone > self.application_close_timeout:
                logger.warning("an application was stopped that outlived its connection")
                task.cancel()
            return
        if task is not None:
            del details["application_instance"]
            error = None if task.cancelled() else task.exception()
            if error is not None:
                logger.error("an application failed", exc_info=error)
                if not gone:
                    protocol.handle_exception(error)
        if gone:
            del self.connections[protocol]

    def kill_all_applications(self) -> Any:
        """As daphne's, which fails on a connection that has no application yet."""
        tasks = [d["application_instance"] for d in self._details() if "application_instance" in d]
        for task in tasks:
            task.cancel()
        if not tasks:
            return None
        return defer.Deferred.fromFuture(asyncio.gather(*tasks, return_exceptions=True))

    def requests_running(self) -> int:
        """HTTP requests that have not been answered to the end."""
        return sum(
            1
            for protocol, details in list(self.connections.items())
            if isinstance(protocol, WebRequest)
            and "disconnected" not in details
            and "application_instance" in details
        )

    def _details(self) -> list[dict[str, Any]]:
        return list(self.connections.values())


def _written_nowhere(*_: object) -> str:
    """In place of lines that Twisted and autobahn make with care, for logs that nobody keeps."""
    return ""


# Of all its settings, for each socket: a fifth of a millisecond.
if hasattr(autobahn_protocol, "pformat"):
    autobahn_protocol.pformat = _written_nowhere


def _cut(protocol: Any) -> None:
    """End a connection that nobody answers any more, else its client would wait."""
    transport: Any = getattr(getattr(protocol, "channel", None) or protocol, "transport", None)
    with suppress(Exception):
        transport.abortConnection()


def _is_open_socket(protocol: Any) -> bool:
    return isinstance(protocol, WebSocketProtocol) and protocol.state == protocol.STATE_OPEN


def log_access(protocol: str, action: str, details: dict[str, Any]) -> None:
    """Daphne's action log as one line a request; the query string stays out of it."""
    access_log.info(
        "request",
        extra={
            "protocol": protocol,
            "action": action,
            "method": details.get("method"),
            "path": str(details.get("path", "")).partition("?")[0],
            "status": details.get("status"),
            "milliseconds": round(1000 * details.get("time_taken", 0), 1),
            "client": details.get("client"),
        },
    )


class WithoutQuery(logging.Filter):
    """Takes query strings out of what daphne logs: Twisted's requests name their whole URI."""

    _query = re.compile(r"\?[^\s'\"<>]+")

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = self._query.sub("?…", record.getMessage())
        record.args = ()
        return True


for _name in ("daphne.server", "daphne.http_protocol", "daphne.ws_protocol"):
    logging.getLogger(_name).addFilter(WithoutQuery())
