"""The websocket door: a ``Socket`` per connection, a ``Switchboard`` that carries frames to them.

Clients subscribe, beat and ping; nothing else ever comes up. Frames go to every subscribed
socket of everybody in the chat, the speaker's own included.
"""

import asyncio
import json
from urllib.parse import parse_qs
from uuid import uuid4

from chatproxy.sandbox.center import Center, Observer
from chatproxy.sandbox.contacts import Contact, Wire
from chatproxy.sandbox.faults import Faults, Kind
from chatproxy.sandbox.mishaps import Mishaps
from chatproxy.sandbox.tokens import SocketGrant
from chatproxy.sandbox.web import (
    Receive,
    Scope,
    Send,
    abort,
    close_socket,
    go_deaf,
    refuse_handshake,
)
from chatproxy.upstream.vocabulary import ParticipantRole, Topic

GOING_AWAY = 1001
_REASONS = {GOING_AWAY: "Going away"}

_HEARTBEAT = json.dumps({"topic": Topic.HEARTBEAT})
_PING = json.dumps({"topic": Topic.PING, "statusCode": 200, "statusContent": "OK"})
_UNHEALTHY_PING = json.dumps(
    {"topic": Topic.PING, "statusCode": 500, "statusContent": "Internal Server Error"}
)


class Socket:
    """One open connection. ``send`` queues; a writer task carries the queue out in order."""

    def __init__(self, grant: SocketGrant, send: Send) -> None:
        self.grant = grant
        self.is_subscribed = False
        self.is_deaf = False
        self._send = send
        self._outbox: asyncio.Queue[str | int] = asyncio.Queue()

    def send(self, text: str) -> None:
        if not self.is_deaf:
            self._outbox.put_nowait(text)

    def close(self, code: int) -> None:
        """Close after what is queued. A deaf socket would not hear the answer, so it is reset."""
        if self.is_deaf:
            self.abort()
        else:
            self._outbox.put_nowait(code)

    def abort(self) -> None:
        """Reset the TCP connection."""
        self.is_deaf = True
        abort(self._send)

    def go_deaf(self) -> None:
        """Half-open: the connection stays, nothing is read and nothing sent any more."""
        self.is_deaf = True
        go_deaf(self._send)

    async def write(self) -> None:
        """Carry the outbox out until told to close."""
        while isinstance(queued := await self._outbox.get(), str):
            if not self.is_deaf:
                await self._send({"type": "websocket.send", "text": queued})
        close_socket(self._send, queued, _REASONS.get(queued, ""))


class Switchboard(Observer):
    """All open sockets, by contact."""

    def __init__(self, center: Center, faults: Faults) -> None:
        self.center = center
        self.faults = faults
        self.mishaps = Mishaps(faults, self._deliver)
        self._sockets: dict[Contact, list[Socket]] = {}
        self.opened = 0
        self.refused = 0

    def sockets(self, contact: Contact) -> list[Socket]:
        return list(self._sockets.get(contact, ()))

    def all_sockets(self) -> list[Socket]:
        return [each for group in self._sockets.values() for each in group]

    def clear(self) -> None:
        """Reset every connection and forget what faults hold."""
        for socket in self.all_sockets():
            socket.abort()
        self.mishaps.clear()
        self.opened = self.refused = 0

    # Observer

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        self.mishaps.carry(contact, frame)

    def on_contact_ended(self, contact: Contact) -> None:
        def close_rest() -> None:
            for socket in self.sockets(contact):
                socket.close(1000)

        self.center.clock.call_later(self.center.options.close_after_end_s, close_rest)

    def _deliver(self, contact: Contact, frame: Wire) -> None:
        sockets = [each for each in self._sockets.get(contact, ()) if each.is_subscribed]
        if sockets:
            text = envelope(frame)
            for socket in sockets:
                socket.send(text)

    # One connection

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The whole life of a websocket, as an ASGI application."""
        await receive()  # websocket.connect
        grant = await self._admitted(scope, receive, send)
        if grant is None:
            return
        await send({"type": "websocket.accept"})
        socket = Socket(grant, send)
        self._sockets.setdefault(grant.contact, []).append(socket)
        self.opened += 1
        remaining_s = grant.connection_expires_at - self.center.clock.now()
        expiry = self.center.clock.call_later(remaining_s, lambda: socket.close(GOING_AWAY))
        writer = asyncio.ensure_future(socket.write())
        try:
            await self._read(socket, receive)
        finally:
            expiry.cancel()
            writer.cancel()
            self._forget(socket)

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> SocketGrant | None:
        """The grant behind the URL, or None when the handshake was refused."""
        query = parse_qs(scope["query_string"].decode("latin-1"))
        secret = query.get("X-Amz-Signature", [""])[0]
        known = self.center.tokens.peek_socket(secret)
        contact = known.contact if known else None
        if self.faults.hits(Kind.HANG_HANDSHAKE, contact):
            await receive()  # until the client gives up
            return None
        if fault := self.faults.hits(Kind.REFUSE_HANDSHAKE, contact):
            self.refused += 1
            refuse_handshake(send, fault.status)
            return None
        grant = self.center.tokens.spend_socket(secret)
        if grant is None or not self._has_room(grant):
            self.refused += 1
            await send({"type": "websocket.close"})  # before accept: HTTP 403
            return None
        return grant

    def _has_room(self, grant: SocketGrant) -> bool:
        sockets = self._sockets.get(grant.contact, ())
        mine = sum(each.grant.participant is grant.participant for each in sockets)
        return mine < self.center.options.sockets_per_participant

    def _forget(self, socket: Socket) -> None:
        contact = socket.grant.contact
        self._sockets[contact].remove(socket)
        if not self._sockets[contact]:
            del self._sockets[contact]

    async def _read(self, socket: Socket, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            text = message.get("text") or ""
            if text.strip():
                self._heard(socket, text)

    def _heard(self, socket: Socket, text: str) -> None:
        topic, content = _parsed(text)
        contact = socket.grant.contact
        if topic == Topic.HEARTBEAT:
            if not self.faults.hits(Kind.IGNORE_HEARTBEAT, contact):
                socket.send(_HEARTBEAT)
        elif topic == Topic.PING:
            if not self.faults.hits(Kind.IGNORE_PING, contact):
                is_ill = self.faults.hits(Kind.UNHEALTHY_PING, contact)
                socket.send(_UNHEALTHY_PING if is_ill else _PING)
        elif topic == Topic.SUBSCRIBE:
            self._subscribe(socket, content)
        elif topic == "aws/unsubscribe":
            socket.is_subscribed = False
        else:
            socket.send(gateway_error("Forbidden"))

    def _subscribe(self, socket: Socket, content: Wire) -> None:
        contact = socket.grant.contact
        if self.faults.hits(Kind.IGNORE_SUBSCRIBE, contact):
            return
        wanted = content.get("topics")
        asks_chat = isinstance(wanted, list) and Topic.CHAT in wanted
        if not asks_chat or self.faults.hits(Kind.REFUSE_SUBSCRIBE, contact):
            socket.send(_subscribed("failure", wanted))
            return
        socket.send(_subscribed("success", [Topic.CHAT]))
        socket.is_subscribed = True
        if socket.grant.participant.role == ParticipantRole.CUSTOMER:
            self.center.customer_connected(contact)
        if self.faults.hits(Kind.HALF_OPEN, contact):
            # What is queued already still goes out, so that the client believes in the socket.
            asyncio.get_running_loop().call_later(0.05, socket.go_deaf)


def envelope(frame: Wire) -> str:
    """A data frame: the item is JSON inside a JSON string."""
    inner = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    outer = {"content": inner, "contentType": "application/json", "topic": Topic.CHAT}
    return json.dumps(outer, ensure_ascii=False, separators=(",", ":"))


def gateway_error(message: str) -> str:
    """What the gateway says by itself: no topic."""
    return json.dumps(
        {"message": message, "connectionId": uuid4().hex[:15] + "=", "requestId": str(uuid4())}
    )


def _subscribed(status: str, topics: object) -> str:
    return json.dumps({"topic": Topic.SUBSCRIBE, "content": {"status": status, "topics": topics}})


def _parsed(text: str) -> tuple[str, Wire]:
    """Topic and content; forgiving about what follows the JSON (the iOS SDK adds a parenthesis)."""
    try:
        value, _ = json.JSONDecoder().raw_decode(text.strip())
    except (ValueError, RecursionError):
        return "", {}
    if not isinstance(value, dict):
        return "", {}
    content = value.get("content")
    return str(value.get("topic", "")), content if isinstance(content, dict) else {}
