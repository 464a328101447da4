"""One upstream websocket: dialled, subscribed, kept awake; it says what arrives and when it is
gone.

The only place that knows the websocket library. Why picows: docs/decisions/0001. What the frames
mean is told by ``upstream/topics.py``.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Protocol

from picows import WSCloseCode, WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from chatproxy.conf import conf
from chatproxy.flag import Flag, any_set
from chatproxy.upstream.chatframes import ChatFrame
from chatproxy.upstream.tokens import WebsocketUrl
from chatproxy.upstream.topics import Event, HeartbeatAnswered, Subscribed, TopicsProtocol

logger = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S = 8.0
SUBSCRIBE_TIMEOUT_S = 6.0
# A beat unanswered when the next is due: a half-open socket is noticed within twice this.
HEARTBEAT_S = 7.5
MAX_FRAME_BYTES = 1024 * 1024
#: It grows as frames need it; by default each socket would have 16 kB from the start.
READ_BUFFER_BYTES = 2048

TEXT = WSMsgType.TEXT

Took = Callable[[ChatFrame], object]


class Socket(Protocol):
    """An open, subscribed upstream socket."""

    gone: Flag
    #: Empty as long as it is not.
    why_gone: str

    async def answers(self, within_s: float) -> bool:
        """Whether the other end still answers: then nothing sent on it before was lost."""

    def close(self) -> None:
        """Close it; closing twice is no mistake."""


Dial = Callable[[WebsocketUrl, Took], Awaitable[Socket]]


class SocketLost(Exception):
    """The upstream socket could not be opened, or is gone. Says why in a word, without the URL."""


class SocketRefused(SocketLost):
    """The handshake was answered with an HTTP status; ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(f"handshake refused with {status}")
        self.status = status


class UpstreamSocket(WSListener):
    """An open, subscribed upstream websocket. Make one with ``UpstreamSocket.dial``."""

    __slots__ = (
        "_answered",
        "_heard",
        "_is_wanted",
        "_parts",
        "_receive",
        "_timer",
        "_took",
        "_topics",
        "_transport",
        "gone",
        "why_gone",
    )

    def __init__(self, took: Took) -> None:
        super().__init__()
        self._took = took
        self._topics = TopicsProtocol(heartbeat_interval_s=HEARTBEAT_S)
        self._receive = self._topics.receive
        self._transport: WSTransport | None = None
        self._is_wanted = True
        self._parts: list[bytes] = []
        self._heard = Flag()
        self._answered = Flag()
        self._timer: asyncio.TimerHandle | None = None
        self.gone = Flag()
        self.why_gone = ""

    @classmethod
    async def dial(cls, url: WebsocketUrl, took: Took) -> UpstreamSocket:
        """Open a socket and subscribe it; frames go to ``took(frame)`` as they come.

        Raises:
            SocketLost: it could not be opened, or was not subscribed in time.
        """
        check_host(url)
        socket = cls(took)
        try:
            await ws_connect(
                lambda: socket,
                url.reveal(),
                websocket_handshake_timeout=HANDSHAKE_TIMEOUT_S,
                max_frame_size=MAX_FRAME_BYTES,
                read_buffer_init_size=READ_BUFFER_BYTES,
                max_redirects=0,
            )
            await socket._subscribe()
        except BaseException as err:
            socket.close()
            if isinstance(err, WSError | OSError | TimeoutError):
                raise _lost(err) from None
            raise
        return socket

    async def _subscribe(self) -> None:
        end = asyncio.get_running_loop().time() + SUBSCRIBE_TIMEOUT_S
        while not self._topics.is_subscribed and not self.why_gone:
            if self._topics.failure or asyncio.get_running_loop().time() >= end:
                raise SocketLost(str(self._topics.failure or "not subscribed in time"))
            self._heard.clear()
            await any_set(self._heard, within_s=min(0.5, self._topics.wakes_in() + 0.01))
            self._send_all(self._topics.tick())
        if self.why_gone:
            raise SocketLost(self.why_gone)
        self._keep_awake()

    def _keep_awake(self) -> None:
        """Send what is due, and come back when something is; a silent socket is gone."""
        try:
            self._send_all(self._topics.tick())
        except Exception as err:
            # Without heartbeats it would die and nobody notice.
            logger.exception("a heartbeat failed")
            self._gone(type(err).__name__)
        if self._topics.failure:
            self._gone(str(self._topics.failure))
        if self.why_gone:
            self.close()
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._topics.wakes_in(), self._keep_awake)

    async def answers(self, within_s: float) -> bool:
        """Send a heartbeat and wait for its answer."""
        self._answered.clear()
        self._send_all(self._topics.beat())
        return await any_set(self._answered, self.gone, within_s=within_s) and not self.why_gone

    def close(self) -> None:
        """Close with 1000; the peer's answer is not waited for. Idempotent."""
        self._is_wanted = False
        self._rest()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    # --- called by picows -------------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        if not self._is_wanted:
            # Whoever dialled was cancelled, which does not end a handshake.
            transport.disconnect()
            return
        self._transport = transport
        self._send_all(self._topics.opening())

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is TEXT and frame.fin:
            # Nearly every frame there is, so no further call on its way.
            event = self._receive(frame.get_payload_as_bytes())
            if type(event) is ChatFrame:
                self._took(event)
            else:
                self._heard_of(event)
        elif kind in (TEXT, WSMsgType.CONTINUATION):
            self._on_part(frame)
        elif kind == WSMsgType.CLOSE:
            self._gone(f"closed with {frame.get_close_code()}")
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._gone("connection lost")

    def _on_part(self, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > MAX_FRAME_BYTES:
            self._gone("frame too large")
            self.close()
        elif frame.fin:
            whole, self._parts = b"".join(self._parts), []
            self._heard_of(self._receive(whole))

    def _heard_of(self, event: Event) -> None:
        if type(event) is ChatFrame:
            self._took(event)
        elif type(event) is Subscribed:
            self._heard.set()
        elif type(event) is HeartbeatAnswered:
            self._answered.set()
        elif self._topics.failure:
            # What it said is to be read from the transcript, by whoever comes next.
            self._gone(str(self._topics.failure))
            self.close()

    def _gone(self, why: str) -> None:
        if not self.why_gone:
            self.why_gone = why
            self.gone.set()
        self._heard.set()
        self._rest()

    def _rest(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _send_all(self, texts: tuple[str, ...]) -> None:
        if self._transport is not None:
            for text in texts:
                self._transport.send(WSMsgType.TEXT, text.encode())


def check_host(url: WebsocketUrl) -> None:
    """Dial only where the configuration says upstream sockets live.

    Raises:
        SocketLost: another host, or no TLS where TLS is due.
    """
    pinned = _pinned(tuple(conf.websocket_hosts))
    if not pinned.match(url.host):
        raise SocketLost(f"host {url.host} is not among CONNECT_WEBSOCKET_HOSTS")
    if url.scheme != "wss" and not conf.participant_endpoint_url.startswith("http://"):
        raise SocketLost("the upstream offered an unencrypted socket")


@lru_cache(maxsize=4)
def _pinned(hosts: tuple[str, ...]) -> re.Pattern[str]:
    alternatives = [re.escape(host.lower()).replace(r"\*\.", r"[a-z0-9-]+\.") for host in hosts]
    return re.compile(rf"\A(?:{'|'.join(alternatives)})\Z")


def _lost(err: BaseException) -> SocketLost:
    status = getattr(getattr(err, "response", None), "status", None)
    if status is not None:
        return SocketRefused(int(status))
    return SocketLost(f"not opened: {type(err).__name__}")
