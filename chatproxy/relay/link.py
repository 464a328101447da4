"""The life of one session's upstream socket: open, fill the gap, renew, back off, end.

One task per session. A *gap* is any time without a subscribed socket: after it, the transcript is
read back to what we know and passed on as ordinary frames before the link calls itself connected.
Renewal has no gap, because the new socket is subscribed before the old one is closed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chatproxy.relay.gateway import Gateway
from chatproxy.relay.recorder import Recorder
from chatproxy.relay.socket import SocketLost, UpstreamSocket
from chatproxy.relay.stream import LinkState, Stream
from chatproxy.sessions import lifecycle
from chatproxy.sessions.errors import SessionEnded, SessionNotFound
from chatproxy.upstream.errors import AccessDeniedException, ServiceException, UpstreamError
from chatproxy.upstream.governor import GovernorBusy, Priority
from chatproxy.upstream.inputs import TranscriptQuery
from chatproxy.upstream.items import Item
from chatproxy.upstream.shapes import Connection
from chatproxy.upstream.vocabulary import ScanDirection, SortOrder

logger = logging.getLogger(__name__)

BACKOFF_FIRST_S, BACKOFF_CAP_S = 0.5, 30.0
RENEW_BETWEEN = (0.80, 0.97)  # of a connection's life, so that renewals do not bunch
TOKEN_RENEWED_BEFORE_S = 3 * 3600.0
TOKEN_RENEWAL_PAUSE_S = 60.0
RENEWAL_WAIT_S = 8.0
FILL_ITEMS = 5000


class ChatOver(Exception):
    """The service refuses new connections: the chat ended while we had no socket."""


class Link:
    """Drives one session's upstream socket and feeds its stream.

    Args:
        priority: Asked before each upstream call: how urgent is this session just now?
        chance: Source of numbers in [0, 1), for jitter.
    """

    def __init__(
        self,
        stream: Stream,
        gateway: Gateway,
        recorder: Recorder,
        *,
        priority: Callable[[], Priority],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.stream = stream
        self.connected = asyncio.Event()
        self.over = asyncio.Event()
        self._gateway = gateway
        self._recorder = recorder
        self._priority = priority
        self._chance = chance
        self._held: list[tuple[str, Item]] | None = None
        self._renew_now = asyncio.Event()
        self._renewed: asyncio.Future[None] | None = None
        self._token_renewed_at = float("-inf")
        self._token_expiry: datetime | None = None
        self._gone_since: datetime | None = None

    # --- from outside -----------------------------------------------------------------------

    async def run(self) -> None:
        """Keep a socket until the chat is over; cancel it to let go earlier."""
        try:
            await self._live()
        except (ChatOver, SessionEnded, SessionNotFound):
            self.conclude()
        finally:
            self.connected.clear()
            self.over.set()
            self._settle(self._renewed)

    async def renew_token(self) -> None:
        """Get a new connection token because the old one was refused: once however many ask.

        At most once a minute; sooner, this returns at once and the refusal stands.
        """
        loop = asyncio.get_running_loop()
        if self.over.is_set():
            return
        if self._renewed is None:
            if loop.time() - self._token_renewed_at < TOKEN_RENEWAL_PAUSE_S:
                return
            self._renewed = loop.create_future()
            self._renew_now.set()
        async with asyncio.timeout(RENEWAL_WAIT_S):
            await asyncio.shield(self._renewed)

    def conclude(self) -> None:
        """The chat is known to be over although nothing was heard of its end."""
        if not self.stream.is_ended:
            now = datetime.now(UTC)
            self.stream.ended_unseen(now, self._gone_since or now)
        self.over.set()

    # --- the life of it ---------------------------------------------------------------------

    async def _live(self) -> None:
        bound_s = BACKOFF_FIRST_S
        while not self.stream.is_ended:
            try:
                socket, renew_after_s = await self._opened()
            except (UpstreamError, SocketLost, GovernorBusy, TimeoutError) as err:
                self._failed(err)
                await asyncio.sleep(self._chance() * bound_s)
                bound_s = min(BACKOFF_CAP_S, bound_s * 2)
                continue
            bound_s = BACKOFF_FIRST_S
            why = await self._stay(socket, renew_after_s)
            if not self.stream.is_ended:
                self._lost(why)
        self.over.set()

    async def _opened(self) -> tuple[UpstreamSocket, float]:
        """A subscribed socket, the gap before it filled."""
        self._held = []
        try:
            socket, renew_after_s = await self._dial()
            try:
                await self._fill()
            except BaseException:
                socket.close()
                raise
        finally:
            held, self._held = self._held, None
            for text, item in held:
                self.stream.take(text, item)
        await self._gateway.database(lifecycle.mark_connected, self.stream.session_id)
        if not self.stream.is_ended:
            self.stream.set_state(LinkState.CONNECTED)
        self._note("link_up", after=self._gone_since and self._gone_since.isoformat())
        self._gone_since = None
        self.connected.set()
        return socket, renew_after_s

    async def _stay(self, socket: UpstreamSocket, renew_after_s: float) -> str:
        """Hold sockets, renewing them, until one is lost; says why."""
        while True:
            why = await self._awake(socket, renew_after_s)
            if why or self.stream.is_ended:
                socket.close()
                return why
            try:
                fresh, renew_after_s = await self._dial()
            except (UpstreamError, SocketLost, GovernorBusy, TimeoutError) as err:
                # The old socket still lives; try again before it ends.
                self._note("renewal_failed", error=type(err).__name__)
                renew_after_s = 5.0 + 25.0 * self._chance()
                continue
            socket.close()
            socket = fresh

    async def _awake(self, socket: UpstreamSocket, renew_after_s: float) -> str:
        """Until the socket is lost (says why) or renewal is due (says nothing)."""
        awake = asyncio.create_task(socket.keep_awake())
        tasks: set[asyncio.Task[Any]] = {
            awake,
            asyncio.create_task(self._renew_now.wait()),
            asyncio.create_task(self.over.wait()),
        }
        try:
            done, _ = await asyncio.wait(
                tasks, timeout=renew_after_s, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return awake.result() if awake in done else ""

    async def _dial(self) -> tuple[UpstreamSocket, float]:
        """A new connection and its socket, subscribed; says when to renew it."""
        asked = self._renewed
        self._renew_now.clear()
        replace_token = asked is not None or self._token_is_old()
        try:
            connection = await self._connection(replace_token)
            if asked is not None:
                self._token_renewed_at = asyncio.get_running_loop().time()
                self._note("token_renewed")
        finally:
            self._settle(asked)
        if connection.websocket is None:
            raise SocketLost("the service gave no websocket")
        socket = await UpstreamSocket.dial(connection.websocket.url, self._took)
        return socket, self._renew_after_s(connection.websocket.connection_expiry)

    async def _connection(self, replace_token: bool) -> Connection:
        try:
            connection, self._token_expiry = await self._gateway.connect(
                self.stream.session_id, self._priority(), replace_token=replace_token
            )
        except AccessDeniedException as err:
            self._note("connection_denied", request_id=err.request_id)
            raise ChatOver from err
        return connection

    def _settle(self, asked: asyncio.Future[None] | None) -> None:
        """Whoever waits for a new token may go on, with it or without."""
        if asked is not None:
            self._renewed = None
            if not asked.done():
                asked.set_result(None)

    def _took(self, text: str, item: Item) -> None:
        if self._held is not None:
            self._held.append((text, item))
            return
        self.stream.take(text, item)
        if self.stream.is_ended:
            self.over.set()

    # --- the gap ----------------------------------------------------------------------------

    async def _fill(self) -> None:
        """Read the transcript back to what is known, and pass on what is not, oldest first."""
        transcript = self.stream.transcript
        missing: list[dict[str, Any]] = []
        query = TranscriptQuery(
            max_results=100,
            scan_direction=ScanDirection.BACKWARD,
            sort_order=SortOrder.DESCENDING,
        )
        is_complete, past = transcript.is_complete, list[dict[str, Any]]()
        while True:
            page = await self._gateway.transcript(self.stream.session_id, query, self._priority())
            for item in page.items:
                (past if "RelatedContactId" in item.wire else missing).append(item.wire)
            if not page.next_token or len(missing) + len(past) >= FILL_ITEMS:
                is_complete = not page.next_token
                break
            if transcript.is_complete and any(item.id in transcript for item in page.items):
                break
            query = TranscriptQuery(max_results=100, next_token=page.next_token)
        news = sum(self.stream.take_item(wire) for wire in reversed(missing))
        if past:
            transcript.set_past(reversed(past))
        transcript.is_complete = is_complete
        if news and self._gone_since is not None:
            self._note("gap_filled", items=news)

    # --- endings ----------------------------------------------------------------------------

    def _failed(self, err: BaseException) -> None:
        if self._gone_since is None:
            self._gone_since = datetime.now(UTC)
        request_id = getattr(err, "request_id", None)
        is_slow = isinstance(err, GovernorBusy) or (
            isinstance(err, ServiceException) and err.retryable
        )
        self.stream.set_state(LinkState.DEGRADED if is_slow else LinkState.RECONNECTING)
        self._note("link_failed", error=_named(err), request_id=request_id)

    def _lost(self, why: str) -> None:
        self._gone_since = datetime.now(UTC)
        self.connected.clear()
        self.stream.set_state(LinkState.RECONNECTING)
        self._note("link_lost", why=why)

    def _note(self, kind: str, **detail: Any) -> None:
        self._recorder.note(self.stream.session_id, kind, **detail)

    # --- times ------------------------------------------------------------------------------

    def _token_is_old(self) -> bool:
        if self._token_expiry is None:
            return False
        return (self._token_expiry - datetime.now(UTC)).total_seconds() < TOKEN_RENEWED_BEFORE_S

    def _renew_after_s(self, connection_expiry: datetime) -> float:
        left = (connection_expiry - datetime.now(UTC)).total_seconds()
        low, high = RENEW_BETWEEN
        return max(1.0, left * (low + (high - low) * self._chance()))


def _named(err: BaseException) -> str:
    return err.error_code if isinstance(err, ServiceException) else f"{type(err).__name__}: {err}"
