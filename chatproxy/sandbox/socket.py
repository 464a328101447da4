"""The websocket door: one ``Socket`` per connection, and a ``Switchboard`` that carries frames to them.

Clients subscribe, beat and ping; nothing else ever comes up. Frames go to every subscribed socket of
everybody in the chat, the speaker's own included.
"""

import asyncio
import json
import logging
from urllib.parse import parse_qs
from uuid import uuid4

from chatproxy.sandbox.center import Center, Observer
from chatproxy.sandbox.contacts import Contact, Wire
from chatproxy.sandbox.tokens import SocketGrant
from chatproxy.sandbox.web import Receive, Scope, Send
from chatproxy.upstream.vocabulary import ParticipantRole, Topic

logger = logging.getLogger(__name__)

_HEARTBEAT = json.dumps({"topic": Topic.HEARTBEAT})
_PING = json.dumps({"topic": Topic.PING, "statusCode": 200, "statusContent": "OK"})
_CLOSE = None  # in a socket's outbox: close, with the code set


class Socket:
    """One open connection. ``send`` queues; a writer task carries the queue to the wire in order."""

    def __init__(self, grant: SocketGrant, send: Send) -> None:
        self.grant = grant
        self.is_subscribed = False
        self.close_code = 1000
        self._send = send
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()

    def send(self, text: str) -> None:
        self._outbox.put_nowait(text)

    def close(self, code: int) -> None:
        self.close_code = code
        self._outbox.put_nowait(_CLOSE)

    async def write(self) -> None:
        """Carry the outbox out until told to close."""
        while (text := await self._outbox.get()) is not _CLOSE:
            await self._send({"type": "websocket.send", "text": text})
        await self._send({"type": "websocket.close", "code": self.close_code})


class Switchboard(Observer):
    """All open sockets, by contact."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self._sockets: dict[Contact, list[Socket]] = {}

    def sockets(self, contact: Contact) -> list[Socket]:
        return list(self._sockets.get(contact, ()))

    def all_sockets(self) -> list[Socket]:
        return [each for group in self._sockets.values() for each in group]

    # Observer

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        sockets = [each for each in self._sockets.get(contact, ()) if each.is_subscribed]
        if not sockets:
            return
        text = envelope(frame)
        for socket in sockets:
            socket.send(text)

    def on_contact_ended(self, contact: Contact) -> None:
        def close_rest() -> None:
            for socket in self.sockets(contact):
                socket.close(1000)

        self.center.clock.call_later(self.center.options.close_after_end_s, close_rest)

    # One connection

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The whole life of a websocket, as an ASGI application."""
        await receive()  # websocket.connect
        grant = self._admitted(scope)
        if grant is None:
            await send({"type": "websocket.close"})  # before accept: HTTP 403
            return
        await send({"type": "websocket.accept"})
        socket = Socket(grant, send)
        self._sockets.setdefault(grant.contact, []).append(socket)
        expiry = self.center.clock.call_later(
            grant.connection_expires_at - self.center.clock.now(), lambda: socket.close(1001)
        )
        writer = asyncio.ensure_future(socket.write())
        try:
            await self._read(socket, receive)
        finally:
            expiry.cancel()
            writer.cancel()
            self._forget(socket)

    def _admitted(self, scope: Scope) -> SocketGrant | None:
        query = parse_qs(scope["query_string"].decode("latin-1"))
        grant = self.center.tokens.spend_socket(query.get("X-Amz-Signature", [""])[0])
        if grant is None:
            return None
        mine = [
            each
            for each in self._sockets.get(grant.contact, ())
            if each.grant.participant is grant.participant
        ]
        return grant if len(mine) < self.center.options.sockets_per_participant else None

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
        if topic == Topic.HEARTBEAT:
            socket.send(_HEARTBEAT)
        elif topic == Topic.PING:
            socket.send(_PING)
        elif topic == Topic.SUBSCRIBE:
            self._subscribe(socket, content)
        elif topic == "aws/unsubscribe":
            socket.is_subscribed = False
        else:
            socket.send(gateway_error("Forbidden"))

    def _subscribe(self, socket: Socket, content: Wire) -> None:
        wanted = content.get("topics")
        topics = [each for each in wanted if each == Topic.CHAT] if isinstance(wanted, list) else []
        status = "success" if topics else "failure"
        socket.send(
            json.dumps(
                {
                    "topic": Topic.SUBSCRIBE,
                    "content": {"status": status, "topics": topics or wanted},
                }
            )
        )
        if not topics:
            return
        socket.is_subscribed = True
        if socket.grant.participant.role == ParticipantRole.CUSTOMER:
            self.center.customer_connected(socket.grant.contact)


def envelope(frame: Wire) -> str:
    """A data frame: the item is JSON inside a JSON string."""
    inner = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    return json.dumps(
        {"content": inner, "contentType": "application/json", "topic": Topic.CHAT},
        ensure_ascii=False,
        separators=(",", ":"),
    )


def gateway_error(message: str) -> str:
    return json.dumps(
        {"message": message, "connectionId": uuid4().hex[:15] + "=", "requestId": str(uuid4())}
    )


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
