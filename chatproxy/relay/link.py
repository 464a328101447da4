"""The life of one session's upstream socket: open, fill the gap, renew, back off, end.

One task per session, which ends with the chat and with nothing else: whatever goes wrong is noted
and tried again. A *gap* is any time without a subscribed socket; after it, what was missed
(``gap.py``) is passed on as ordinary frames before the link calls itself connected. Renewal has no
gap, because the new socket is subscribed before the old one is closed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import Error as DatabaseError

from chatproxy.flag import Flag, any_set
from chatproxy.relay.gap import fill
from chatproxy.relay.gateway import Gateway
from chatproxy.relay.inlet import Inlet
from chatproxy.relay.recorder import Recorder
from chatproxy.relay.socket import HEARTBEAT_S, Dial, Socket, SocketLost, UpstreamSocket
from chatproxy.relay.stream import LinkState, Stream
from chatproxy.sessions import lifecycle
from chatproxy.sessions.errors import SessionEnded, SessionNotFound
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ChatProxyError,
    ServiceException,
    UpstreamError,
    backoff,
)
from chatproxy.upstream.governor import GovernorBusy, Priority
from chatproxy.upstream.shapes import Connection

logger = logging.getLogger(__name__)

BACKOFF_FIRST_S, BACKOFF_CAP_S = 0.5, 30.0
STEADY_AFTER_S = 30.0  # a socket that lived this long starts the back-off anew
RENEW_BETWEEN = (0.80, 0.97)  # of a connection's life, so that renewals do not bunch
RENEWAL_REFUSED_PAUSE_S = 3600.0
OVERLAP_S = 2.0  # for what is on its way on a socket that was replaced
FILL_BACKOFF_CAP_S = 8.0
DEAF_FOR = timedelta(seconds=2 * HEARTBEAT_S)  # so long a socket may be deaf before it is noticed
LAST_WORDS_S = 0.5  # frames may come out of order, also around the last one
TOKEN_RENEWAL_PAUSE_S = 15.0
RENEWAL_WAIT_S = 8.0


class ChatOver(Exception):
    """The service refuses new connections: the chat is over, or the customer has left it."""


class Link:
    """Drives one session's upstream socket and feeds its stream.

    Args:
        priority: Asked before each upstream call: how urgent is this session just now?
        chance: Source of numbers in [0, 1), for jitter.
        dial: Opens and subscribes a socket; raises SocketLost.
    """

    def __init__(
        self,
        stream: Stream,
        gateway: Gateway,
        recorder: Recorder,
        *,
        priority: Callable[[], Priority],
        chance: Callable[[], float] = random.random,
        dial: Dial = UpstreamSocket.dial,
    ) -> None:
        self.stream = stream
        self.connected = Flag()
        self.over = Flag()
        self.has_been_up = False
        self._gateway = gateway
        self._recorder = recorder
        self._priority = priority
        self._chance = chance
        self._dial_socket = dial
        self._inlet = Inlet(stream, self.over)
        self._renew_now = Flag()
        self._renewed: asyncio.Future[None] | None = None
        self._token_asked_at = float("-inf")
        self._token_refused = False
        self._is_denied = False
        self._gone_since: datetime | None = None

    # --- from outside -----------------------------------------------------------------------

    async def run(self) -> None:
        """Keep a socket until the chat is over; cancel it to let go earlier."""
        try:
            await self._live()
        except (ChatOver, SessionEnded, SessionNotFound):
            self.conclude()
        finally:
            self._inlet.shut()
            self.connected.clear()
            self.over.set()
            self._settle(self._renewed)

    async def renew_token(self) -> None:
        """Get a new connection token because the old one was refused: once however many ask.

        At most once in a quarter of a minute; sooner, this returns at once. Whether there is a
        newer one then, its caller sees; where the chat is over there will be none.

        Raises:
            TimeoutError: not renewed yet.
        """
        now = asyncio.get_running_loop().time()
        if self.over.is_set():
            return
        if self._renewed is None:
            if now - self._token_asked_at < TOKEN_RENEWAL_PAUSE_S:
                return
            self._token_asked_at, self._token_refused = now, True
            self._renewed = asyncio.get_running_loop().create_future()
            self._renew_now.set()
        async with asyncio.timeout(RENEWAL_WAIT_S):
            await asyncio.shield(self._renewed)

    @property
    def is_refused(self) -> bool:
        """Whether there will be no connection any more: the chat is over, or denied to us."""
        return self.over.is_set() or self._is_denied

    def conclude(self) -> None:
        """The chat is known to be over although nothing was heard of its end."""
        if not self.stream.is_ended:
            since, holds_the_end = self._known_until(), self._inlet.holds_the_end
            self._inlet.release()
            if holds_the_end:
                # What came before it was not read.
                self.stream.incomplete_since = since
            else:
                self.stream.ended_unseen(datetime.now(UTC), since)
        self.over.set()

    def _known_until(self) -> datetime:
        """From when on something may be missing."""
        if self.has_been_up:
            return (self._gone_since or datetime.now(UTC)) - DEAF_FOR
        # Another process may have been there before: then it is what was stored that is known. It
        # may have been deaf as well.
        return self.stream.known_until - DEAF_FOR

    # --- the life of it ---------------------------------------------------------------------

    async def _live(self) -> None:
        bound_s, now = BACKOFF_FIRST_S, asyncio.get_running_loop().time
        while not self.stream.is_ended:
            up_at = now()
            try:
                socket, renew_after_s = await self._opened()
                up_at = now()
                why = await self._stay(socket, renew_after_s)
            except (ChatOver, SessionEnded, SessionNotFound):
                raise
            except Exception as err:
                self._failed(err)
            else:
                self._lost(why)
            if now() - up_at > STEADY_AFTER_S:
                bound_s = BACKOFF_FIRST_S
            await self._pause(self._chance() * bound_s)
            bound_s = min(BACKOFF_CAP_S, bound_s * 2)

    async def _pause(self, seconds: float) -> None:
        await any_set(self.over, within_s=seconds)

    async def _opened(self) -> tuple[Socket, float]:
        """A subscribed socket, the gap before it filled."""
        self._inlet.hold()
        socket, renew_after_s = await self._dial()
        try:
            news = await self._caught_up(socket)
            since, self._gone_since = self._gone_since, None
            if not self.has_been_up:
                await self._mark_connected()
        except BaseException:
            socket.close()
            raise
        self._note("link_up", after=since and since.isoformat(), items=news if since else None)
        self.has_been_up = True
        self.connected.set()
        return socket, renew_after_s

    async def _mark_connected(self) -> None:
        """Before anybody hears that it is up: a process that dies now leaves a link to adopt."""
        try:
            await self._gateway.database(lifecycle.mark_connected, self.stream.session_id)
        except DatabaseError:
            self._recorder.mark_connected(self.stream.session_id)

    async def _caught_up(self, socket: Socket) -> int:
        """Fill the gap before ``socket``, for as long as that lives, then let frames pass.

        Returns:
            How much was news.
        """
        is_read, filling = Flag(), asyncio.create_task(self._filled())
        filling.add_done_callback(lambda _: is_read.set())
        try:
            await any_set(socket.gone, is_read)
            if not filling.done():
                raise SocketLost(socket.why_gone)
            news = filling.result()
        finally:
            filling.cancel()
            await asyncio.gather(filling, return_exceptions=True)
        self._inlet.release()
        if not self.stream.is_ended:
            self.stream.set_state(LinkState.CONNECTED)
        return news

    async def _filled(self) -> int:
        """Fill the gap, and try again while the service is only busy."""
        for delay_s in backoff(BACKOFF_FIRST_S, FILL_BACKOFF_CAP_S, chance=self._chance):
            try:
                return await fill(self.stream, self._gateway, self._priority())
            except AccessDeniedException:
                # The chat is over, which the next connection will be told, or the token is bad.
                self._token_refused = True
                if self._inlet.holds_the_end:
                    raise ChatOver from None
                raise
            except (UpstreamError, GovernorBusy) as err:
                if not _is_slow(err):
                    raise
                # A connection is dearer than a page: the socket stays.
                self.stream.set_state(LinkState.DEGRADED)
                self._note("gap_not_read_yet", error=_named(err))
            await asyncio.sleep(delay_s)
        raise AssertionError("backoff is endless")

    async def _stay(self, socket: Socket, renew_after_s: float) -> str:
        """Hold sockets, renewing them, until one is lost; says why."""
        try:
            while True:
                why = await self._awake(socket, renew_after_s)
                if self.stream.is_ended:
                    await asyncio.sleep(LAST_WORDS_S)
                if why or self.stream.is_ended:
                    return why
                try:
                    fresh, renew_after_s = await self._dial()
                except ChatOver:
                    # The customer has left, or the end is on its way: this socket will tell.
                    renew_after_s = RENEWAL_REFUSED_PAUSE_S
                except (SessionEnded, SessionNotFound):
                    raise
                except Exception as err:
                    # The old socket still lives; try again before it ends.
                    self._note("renewal_failed", error=type(err).__name__)
                    renew_after_s = 5.0 + 25.0 * self._chance()
                else:
                    old, socket = socket, fresh
                    await self._take_leave(old, fresh)
        finally:
            socket.close()

    async def _take_leave(self, old: Socket, fresh: Socket) -> None:
        """Close the socket that was replaced, once what is on its way on it has arrived.

        One that does not answer any more may have been deaf for a while: that is a gap. If it
        cannot be read now, it stays one: the fresh socket is given up for another.
        """
        asyncio.get_running_loop().call_later(OVERLAP_S, old.close)
        if await old.answers(OVERLAP_S) or self.stream.is_ended:
            return
        self._note("link_was_deaf")
        self.connected.clear()  # what is known here may lack something
        self._inlet.hold()
        await self._caught_up(fresh)
        self.connected.set()

    async def _awake(self, socket: Socket, renew_after_s: float) -> str:
        """Until the socket is lost (says why), the chat over or renewal due (says nothing)."""
        await any_set(socket.gone, self._renew_now, self.over, within_s=renew_after_s)
        return socket.why_gone

    async def _dial(self) -> tuple[Socket, float]:
        """A new connection and its socket, subscribed; says when to renew it."""
        asked, is_refused = self._renewed, self._token_refused
        self._renew_now.clear()
        try:
            connection, token_expiry = await self._connection(is_refused)
            if is_refused:
                self._token_refused = False
                self._note("token_renewed")
        finally:
            self._settle(asked)
        if connection.websocket is None:
            raise SocketLost("the service gave no websocket")
        socket = await self._dial_socket(connection.websocket.url, self._inlet.take)
        return socket, self._renew_after_s(connection.websocket.connection_expiry, token_expiry)

    async def _connection(self, replace_token: bool) -> tuple[Connection, datetime | None]:
        try:
            found = await self._gateway.connect(
                self.stream.session_id, self._priority(), replace_token=replace_token
            )
            self._is_denied = False
            return found
        except AccessDeniedException as err:
            self._is_denied = True
            self._note("connection_denied", request_id=err.request_id)
            raise ChatOver from err

    def _settle(self, asked: asyncio.Future[None] | None) -> None:
        """Whoever waits for a new token may go on, with it or without."""
        if asked is not None:
            self._renewed = None
            if not asked.done():
                asked.set_result(None)

    def _renew_after_s(self, *expiries: datetime | None) -> float:
        """Seconds until something of a connection wants renewal: its socket or its token."""
        now = datetime.now(UTC)
        left = min((expiry - now).total_seconds() for expiry in expiries if expiry is not None)
        low, high = RENEW_BETWEEN
        return max(1.0, left * (low + (high - low) * self._chance()))

    # --- endings ----------------------------------------------------------------------------

    def _failed(self, err: Exception) -> None:
        self.connected.clear()
        if self._gone_since is None:
            self._gone_since = datetime.now(UTC)
        self.stream.set_state(LinkState.DEGRADED if _is_slow(err) else LinkState.RECONNECTING)
        request_id = getattr(err, "request_id", None)
        self._note("link_failed", error=_named(err), request_id=request_id)
        if not isinstance(err, _EXPECTED):
            logger.error(
                "a link failed in a way nobody thought of",
                extra={"session": self.stream.session_id},
                exc_info=err,
            )

    def _lost(self, why: str) -> None:
        if self.stream.is_ended:
            return
        self._gone_since = datetime.now(UTC)
        self.connected.clear()
        self.stream.set_state(LinkState.RECONNECTING)
        self._note("link_lost", why=why)

    def _note(self, kind: str, **detail: Any) -> None:
        self._recorder.note(self.stream.session_id, kind, **detail)


_EXPECTED = (ChatProxyError, SocketLost, TimeoutError, DatabaseError)


def _is_slow(err: Exception) -> bool:
    is_service = isinstance(err, ServiceException) and err.retryable
    return is_service or isinstance(err, GovernorBusy)


def _named(err: Exception) -> str:
    """What went wrong, for the operator. Words of errors we did not make may hold anything."""
    if isinstance(err, ServiceException):
        return err.error_code
    is_ours = isinstance(err, ChatProxyError | SocketLost)
    return f"{type(err).__name__}: {err}" if is_ours else type(err).__name__
