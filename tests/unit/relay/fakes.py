"""A chat without a network: an upstream to steer by hand, tabs that write down what they get."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from chatproxy.flag import Flag
from chatproxy.relay.fastpath import unpacked
from chatproxy.relay.stream import Stream
from chatproxy.sessions import lifecycle
from chatproxy.sessions.counts import Tally
from chatproxy.sessions.transcript import as_entry
from chatproxy.upstream.chatframes import ChatFrame
from chatproxy.upstream.errors import AccessDeniedException
from chatproxy.upstream.inputs import TranscriptQuery
from chatproxy.upstream.items import Item
from chatproxy.upstream.shapes import (
    Connection,
    ConnectionCredentials,
    ConnectionToken,
    TranscriptPage,
    Websocket,
    WebsocketUrl,
    wire_time,
)
from chatproxy.upstream.topics import TopicsProtocol
from chatproxy.upstream.vocabulary import Operation

Wire = dict[str, Any]
START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
_numbers = itertools.count()
CONTACT = "c-1"


def message(text: str, *, second: int | None = None, **more: Any) -> Wire:
    number = next(_numbers)
    at = START + timedelta(seconds=number if second is None else second)
    return {
        "Id": f"m-{number}",
        "AbsoluteTime": wire_time(at),
        "Type": "MESSAGE",
        "ContentType": "text/plain",
        "Content": text,
        "ParticipantRole": "AGENT",
        "ParticipantId": "p-2",
        "ContactId": CONTACT,
        **more,
    }


def event(suffix: str, *, second: int | None = None, **more: Any) -> Wire:
    kind = f"application/vnd.amazonaws.connect.event.{suffix}"
    return {**message("", second=second, Type="EVENT", ContentType=kind), **more}


def receipt(of: Wire, *, read: str = "2026-11-22T12:00:00.000Z", who: str = "p-1") -> Wire:
    return {
        "Id": of["Id"],
        "AbsoluteTime": read,
        "Type": "MESSAGEMETADATA",
        "ContentType": "application/vnd.amazonaws.connect.event.message.metadata",
        "MessageMetadata": {
            "MessageId": of["Id"],
            "Receipts": [{"ReadTimestamp": read, "RecipientParticipantId": who}],
        },
    }


def payload_of(wire: Wire) -> bytes:
    """A frame as the service spells it: compact, the members of the item in its order."""
    order = ("AbsoluteTime", "Content", "ContentType", "Id", "Type")
    first = {name: wire[name] for name in order if name in wire}
    outer = {
        "content": json.dumps(first | wire, separators=(",", ":")),
        "contentType": "application/json",
        "topic": "aws/chat",
    }
    return json.dumps(outer, separators=(",", ":")).encode()


def read_frame(wire: Wire, *, as_plain: bool = True) -> ChatFrame:
    """The frame as a socket reads it, which has seen one like it before unless told otherwise."""
    topics = TopicsProtocol()
    frames = [topics.receive(payload_of(wire)) for _ in range(2)]
    frame = frames[as_plain]
    assert isinstance(frame, ChatFrame)
    return frame


async def until(holds: Callable[[], object], *, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not holds():  # noqa: ASYNC110 - anything may make it so
            await asyncio.sleep(0.001)


class FakeTab:
    def __init__(self, key_id: int = 1, *, wants_session: bool = False) -> None:
        self.key_id = key_id
        self.wants_session = wants_session
        self.frames: list[Wire] = []
        self.closed: tuple[int, str] | None = None

    def deliver(self, text: str) -> None:
        self.frames.append(json.loads(text))

    def deliver_packed(self, frame: bytes) -> None:
        self.deliver(unpacked(frame))

    def close(self, code: int, reason: str = "") -> None:
        self.closed = self.closed or (code, reason)

    @property
    def chat(self) -> list[Wire]:
        return [json.loads(f["content"]) for f in self.frames if f["topic"] == "aws/chat"]

    @property
    def texts(self) -> list[str]:
        return [item["Content"] for item in self.chat if item["Type"] == "MESSAGE"]

    @property
    def ends(self) -> int:
        return sum(item["ContentType"].endswith("chat.ended") for item in self.chat)

    @property
    def session(self) -> list[Wire]:
        return [f["content"] for f in self.frames if f["topic"] == "chatproxy/session"]

    @property
    def position(self) -> str:
        """Of the last frame that had one."""
        return str(next((f["position"] for f in reversed(self.frames) if "position" in f), ""))


class Kept:
    """A recorder that remembers what it was told."""

    def __init__(self) -> None:
        self.items: list[Wire] = []
        self.notes: list[tuple[str, Wire]] = []
        self.connected = 0

    def keep(self, tally: Tally, said: Wire | ChatFrame) -> None:
        self.items.append(as_entry(said.item.wire) if isinstance(said, ChatFrame) else said)

    def mark_connected(self, session_id: str) -> None:
        self.connected += 1

    def note(self, session_id: str, kind: str, **detail: Any) -> None:
        self.notes.append((kind, detail))

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.notes]


class FakeSocket:
    """One upstream socket; ``say`` delivers a frame on it, ``lose`` ends it; it may be deaf."""

    def __init__(self, took: Callable[[ChatFrame], object]) -> None:
        self._took = took
        self._topics = TopicsProtocol()
        self.is_open = True
        self.is_deaf = False
        self.gone = Flag()
        self.why_gone = ""

    def say(self, wire: Wire) -> None:
        if self.is_open and not self.is_deaf:
            frame = self._topics.receive(payload_of(wire))
            assert isinstance(frame, ChatFrame)
            self._took(frame)

    def lose(self, why: str = "closed with 1006") -> None:
        self.is_open = False
        self.why_gone = why
        self.gone.set()

    async def answers(self, within_s: float) -> bool:
        return self.is_open and not self.is_deaf

    def close(self) -> None:
        self.is_open = False


class FakeUpstream:
    """Gateway and dialler in one: a chat's transcript, its sockets, and what is to go wrong."""

    def __init__(self) -> None:
        self.past_items: list[Wire] = []
        self.transcript_items: list[Wire] = []
        self.between_pages: Callable[[], object] = lambda: None
        self.sockets: list[FakeSocket] = []
        self.connects: list[bool] = []
        self.pages = 0
        self.connect_errors: list[BaseException] = []
        self.transcript_errors: list[BaseException] = []
        self.database_errors: list[BaseException] = []
        self.is_over = False
        self.marked = 0
        self.life_s = 3600.0
        self.hold_transcript: asyncio.Event | None = None
        #: Told of each new socket. What it puts off with `call_soon` comes before any waiting ends.
        self.dialled: Callable[[], object] = lambda: None

    def say(self, wire: Wire) -> Wire:
        """Said in the chat: kept, and delivered on every open socket."""
        self.transcript_items.append(wire)
        for socket in list(self.sockets):
            socket.say(wire)
        return wire

    @property
    def open_sockets(self) -> list[FakeSocket]:
        return [socket for socket in self.sockets if socket.is_open]

    async def dial(self, url: WebsocketUrl, took: Callable[[ChatFrame], object]) -> FakeSocket:
        socket = FakeSocket(took)
        self.sockets.append(socket)
        self.dialled()
        return socket

    async def connect(
        self, session_id: str, priority: object, *, replace_token: bool
    ) -> tuple[Connection, datetime]:
        await asyncio.sleep(0)
        self.connects.append(replace_token)
        if self.connect_errors:
            raise self.connect_errors.pop(0)
        if self.is_over:
            raise AccessDeniedException(Operation.CREATE_PARTICIPANT_CONNECTION, status_code=403)
        expiry = datetime.now(UTC) + timedelta(seconds=self.life_s)
        token_expiry = datetime.now(UTC) + timedelta(days=1)
        socket = Websocket(WebsocketUrl("wss://upstream.example/x"), expiry)
        return (
            Connection(socket, ConnectionCredentials(ConnectionToken("t"), token_expiry)),
            token_expiry,
        )

    async def transcript(
        self, session_id: str, query: TranscriptQuery, priority: object
    ) -> TranscriptPage:
        self.pages += 1
        if self.hold_transcript is not None:
            await self.hold_transcript.wait()
        if self.transcript_errors:
            raise self.transcript_errors.pop(0)
        items, limit = self.past_items + self.transcript_items, query.max_results or 10
        end, floor = (
            (int(query.next_token), 0)
            if query.next_token
            else (len(items), len(self.past_items))  # the past begins on a page of its own
        )
        begin = max(floor, end - limit)
        page = items[begin:end][::-1]
        more = str(begin) if begin > 0 else None
        self.between_pages()
        return TranscriptPage("c-1", tuple(Item(wire) for wire in page), more)

    async def database(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self.database_errors:
            raise self.database_errors.pop(0)
        if call is lifecycle.mark_connected:
            self.marked += 1
            return None
        return call(*args, **kwargs)


def make_stream(kept: Kept | None = None, **more: Any) -> Stream:
    kept = kept or Kept()
    return Stream("s-1", CONTACT, keeper=kept, ended=more.pop("ended", lambda: None), **more)
