"""The browser's socket: opened by a ticket, subscribed as at Amazon, fed by the session's stream.

Speaks the service's topics and, for those who ask, one more of our own (docs/socket.md). Frames of
the chat never pass through here: the stream hands them straight to the tab. Only what a browser
sends does: a subscribe and its heartbeats.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from json import JSONDecoder
from typing import Any
from urllib.parse import parse_qs

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import Error as DatabaseError

from chatproxy.closing import Close
from chatproxy.relay import runtime
from chatproxy.relay.frames import SESSION_TOPIC
from chatproxy.relay.hub import BACK_LATER_MS, Hub, Place, send_away
from chatproxy.relay.tab import BrowserTab, Send
from chatproxy.sessions import keys, lifecycle, opened
from chatproxy.sessions.errors import SessionKeyInvalid
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.errors import ChatProxyError
from chatproxy.upstream.vocabulary import Topic

logger = logging.getLogger(__name__)

MAX_TEXT = 32_768
# A browser says something every five seconds; far more than that is no browser.
FRAMES_PER_10_S = 60

HEARTBEAT = '{"topic":"aws/heartbeat"}'
PING = '{"topic":"aws/ping","statusCode":200,"statusContent":"OK"}'
SUBSCRIBED = '{"topic":"aws/subscribe","content":{"status":"success","topics":%s}}'
REFUSED = '{"topic":"aws/subscribe","content":{"status":"failure","topics":[]}}'

Receive = Callable[[], Awaitable[dict[str, Any]]]

_first_value = JSONDecoder().raw_decode


class ChatConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]
    """One browser socket of one session."""

    hub: Hub
    chat: OpenedSession
    place: Place
    tab: BrowserTab | None = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        # Channels has a task for what the browser sends and one for a channel of the socket's own.
        # Nothing that is relayed passes through a channel, so there is one thing to wait for.
        self.scope, self.base_send = scope, send
        with suppress(StopConsumer):
            while True:
                await self.dispatch(await receive())

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels checks database connections before each message, in a thread hop. Nothing here
        # touches the database but ``connect``, which brings its own.
        kind = message["type"]
        if kind == "websocket.receive":
            await self.receive(message.get("text"), message.get("bytes"))
        elif kind == "websocket.connect":
            await self.connect()
        elif kind == "websocket.disconnect":
            self._left()
            raise StopConsumer

    async def connect(self) -> None:
        self.hub = hub = runtime.hub()
        try:
            self.chat, key_id = await hub.gateway.database(_admitted, self.scope)
        except ChatProxyError as err:
            # As upstream: a late, used or foreign ticket is refused in the handshake.
            logger.info("socket refused", extra={"cause": type(err).__name__})
            await self.close()
            return
        except DatabaseError as err:
            logger.warning("socket refused", extra={"cause": type(err).__name__})
            await self.close()
            return
        if hub.is_draining:
            await self.accept()
            send_away(BrowserTab(self.base_send, key_id), BACK_LATER_MS)
            return
        await self.accept()
        self.tab = BrowserTab(self.base_send, key_id)
        self.place = hub.enter(self.tab, self.chat.id, self.chat.contact_id)
        self._frames, self._window = 0, asyncio.get_running_loop().time()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.tab is None or self.tab.is_closed:
            return
        if text_data is None or len(text_data) > MAX_TEXT:
            self.tab.close(Close.BAD_FRAME, "text frames up to 32768 characters only")
            return
        if self._is_flooding():
            self.tab.close(Close.FLOODING, "too many frames")
            return
        frame = _parsed(text_data)
        match frame.get("topic"):
            case Topic.HEARTBEAT:
                self.tab.deliver(HEARTBEAT)
            case Topic.PING:
                self.tab.deliver(PING)
            case Topic.SUBSCRIBE:
                await self._subscribe(self.tab, frame.get("content"))
            # Anything else is not for us; upstream ignores it too.

    async def _subscribe(self, tab: BrowserTab, content: object) -> None:
        wanted = content.get("topics") if isinstance(content, dict) else None
        offered = wanted if isinstance(wanted, list) else []
        topics = [topic for topic in offered if topic in (Topic.CHAT, SESSION_TOPIC)]
        if not topics or not isinstance(content, dict):
            tab.deliver(REFUSED)
            return
        subscribed = SUBSCRIBED % _json_list(topics)
        tab.wants_session = tab.wants_session or SESSION_TOPIC in topics
        after = content.get("after") if SESSION_TOPIC in topics else None
        if Topic.CHAT in topics and tab not in self.place.stream.tabs:
            place = await self.hub.attach(
                tab, self.chat.id, self.chat.contact_id, str(after) if after else None, subscribed
            )
            if place is None:
                return
            self.place = place
        else:
            tab.deliver(subscribed)
        if SESSION_TOPIC in topics:
            self.place.stream.tell_where_we_are(tab)

    def _is_flooding(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._window > 10:
            self._frames, self._window = 0, now
        self._frames += 1
        return self._frames > FRAMES_PER_10_S

    def _left(self) -> None:
        if self.tab is not None:
            self.tab.forget()
            self.hub.leave(self.tab, self.place)


def _admitted(scope: dict[str, Any]) -> tuple[OpenedSession, int]:
    """The session and key behind a handshake; its ticket is used up. Runs on a database thread.

    Raises:
        ChatProxyError: no, and why.
    """
    session_id = str(scope["url_route"]["kwargs"]["session_id"])
    query = parse_qs(scope.get("query_string", b"").decode("ascii", "replace"))
    chat = opened.open_session(session_id)
    origin = _origin(scope)
    if origin and origin not in chat.origins:
        raise SessionKeyInvalid("The page's origin is not on the widget's list.")
    # Origins stop browsers, and browsers always send one: a page needs a ticket made for that
    # page or by a server; a socket that names no page may use any.
    made_for = (origin, "") if origin else ("", *chat.origins)
    ticket = keys.read_ticket(query.get("ticket", [""])[0], session_id, made_for)
    if ticket.key_id not in chat.keys:
        chat = opened.reopen(session_id)
    if ticket.key_id not in chat.keys:
        raise SessionKeyInvalid("The key was revoked.")
    chat.must_be_live()
    lifecycle.spend(ticket)
    return chat, ticket.key_id


def _origin(scope: dict[str, Any]) -> str:
    found = [value for name, value in scope.get("headers", []) if name == b"origin"]
    return found[0].decode("latin-1") if found else ""


def _parsed(text: str) -> dict[str, Any]:
    """The first JSON value of a frame; Amazon's iOS client leaves a stray character behind it."""
    try:
        frame, _ = _first_value(text.lstrip())
    except (ValueError, RecursionError):
        return {}
    return frame if isinstance(frame, dict) else {}


def _json_list(topics: list[str]) -> str:
    return "[" + ",".join(f'"{topic}"' for topic in topics) + "]"
