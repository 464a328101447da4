"""A tab that loses its network again and again, and what came of every message meanwhile.

One clock, the load generator's own, for when a message was said and when it came; the truth is
what the upstream said, never what a relay says it passed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Protocol

from picows import WSError, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

_SAID = re.compile(rb"#(\d+):(\d+)#")
_POSITION = re.compile(rb'"position": ?"([^"]*)"')
_RESET = re.compile(rb'"reset": ?true')
RESTARTING = 1012
_RETRY_BETWEEN_S = (0.2, 1.0)
_CUT_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: a reset, and nothing more is sent


class Door(Protocol):
    """Where a tab's chat can be watched."""

    async def address(self, chat: int) -> str:
        """A websocket URL to open now."""

    resumes: bool


@dataclass
class View:
    """What one tab has seen of its chat.

    Attributes:
        numbers: Of the messages, in the order they came, copies included.
        replays: Seconds from the network's return to the last message that was missed, per cut.
        resets: How often the tab was told to read everything anew.
        refused: Handshakes and requests that failed.
        outages: Seconds from each loss of the socket to the next that was subscribed.
    """

    numbers: list[int] = field(default_factory=list)
    replays: list[float] = field(default_factory=list)
    resets: int = 0
    refused: int = 0
    cuts: int = 0
    outages: list[float] = field(default_factory=list)

    def missing(self, said: int) -> int:
        return said - len(set(self.numbers))

    @property
    def twice(self) -> int:
        return len(self.numbers) - len(set(self.numbers))

    @property
    def disordered(self) -> int:
        """Messages that came after a later one."""
        most, count = 0, 0
        for number in self.numbers:
            count += number < most
            most = max(most, number)
        return count


class _Socket(WSListener):
    """One connection of a tab."""

    def __init__(self, tab: Tab) -> None:
        super().__init__()
        self._tab = tab
        self.over = asyncio.get_running_loop().create_future()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            self._tab.dismissed(frame.get_close_code(), str(frame.get_close_message() or ""))
            transport.disconnect()
        elif frame.msg_type == WSMsgType.TEXT and not self.over.done():
            self._tab.heard(frame.get_payload_as_bytes())

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.over.done():
            self.over.set_result(None)


class Tab:
    """Watches one chat through ``door``, and comes back whenever it was cut off."""

    def __init__(self, chat: int, door: Door) -> None:
        self.chat = chat
        self.view = View()
        self.is_watching = asyncio.Event()
        self._door = door
        self._position: str | None = None
        self._transport: WSTransport | None = None
        self._back_at = 0
        self._missed_until = 0.0
        self._lost_at = 0.0
        self._wait_s = 0.0

    async def live(self, offline_s: float) -> None:
        """Watch for ever; without a network for ``offline_s`` after each loss."""
        while True:
            await self._watch()
            self.is_watching.clear()
            self._lost_at = time.perf_counter()
            self._settle_replay()
            wait_s, self._wait_s = self._wait_s, 0.0
            await asyncio.sleep(offline_s + wait_s)
            self._back_at = time.perf_counter_ns()

    def cut(self) -> None:
        """End the TCP connection as a lost network does: no close frame, nothing flushed."""
        if self._transport is not None:
            self.view.cuts += 1
            transport, self._transport = self._transport, None
            raw = transport.underlying_transport.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CUT_AT_ONCE)
            transport.underlying_transport.abort()

    def dismissed(self, code: int, reason: str) -> None:
        """The server closed the socket, and may have said when to come back."""
        found = re.search(r"retryAfterMs\D*(\d+)", reason) if code == RESTARTING else None
        self._wait_s = int(found[1]) / 1000 if found else 0.0

    def heard(self, frame: bytes) -> None:
        if found := _POSITION.search(frame):
            self._position = found[1].decode()
        if b"aws/subscribe" in frame:
            self.is_watching.set()
            if self._lost_at:
                self.view.outages.append(time.perf_counter() - self._lost_at)
                self._lost_at = 0.0
        if _RESET.search(frame):
            self.view.resets += 1
        if said := _SAID.search(frame):
            self.view.numbers.append(int(said[1]))
            if self._back_at and int(said[2]) < self._back_at:
                # Said while the network was away: it is here now.
                self._missed_until = (time.perf_counter_ns() - self._back_at) / 1e9

    def _settle_replay(self) -> None:
        if self._missed_until:
            self.view.replays.append(self._missed_until)
        self._missed_until = 0.0

    def settle(self) -> View:
        """The view, once nothing more will come."""
        self._settle_replay()
        return self.view

    async def _watch(self) -> None:
        """Until the connection is over."""
        while True:
            try:
                url = await self._door.address(self.chat)
                transport, listener = await ws_connect(
                    lambda: _Socket(self), url, websocket_handshake_timeout=30
                )
                break
            except (WSError, OSError, RuntimeError):
                self.view.refused += 1
                await asyncio.sleep(random.uniform(*_RETRY_BETWEEN_S))
        self._transport = transport
        transport.send(WSMsgType.TEXT, self._subscription())
        await listener.over

    def _subscription(self) -> bytes:
        if not self._door.resumes:
            return b'{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'
        content: dict[str, object] = {"topics": ["aws/chat", "chatproxy/session"]}
        if self._position is not None:
            content["after"] = self._position
        return json.dumps({"topic": "aws/subscribe", "content": content}).encode()
