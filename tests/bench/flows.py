"""Load: frames from the upstream to tabs, messages from browsers to the upstream; and timing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from tests.bench.figures import Figures
from tests.bench.http import Connection
from tests.bench.upstream import Upstream

CpuClock = Callable[[], float]


class Chat:
    """One chat: what was sent in it, and who watches."""

    __slots__ = ("due", "number", "sent", "tabs")

    def __init__(self, number: int) -> None:
        self.number = number
        self.sent = 0
        #: Deliveries until another frame may set out.
        self.due = 0
        self.tabs: list[Tab] = []


class Tab(WSListener):
    """A browser's socket that tells its flow what it was sent, and when that was."""

    def __init__(self, chat: Chat, flow: Flow) -> None:
        super().__init__()
        self.chat = chat
        self.seen = chat.sent
        self.is_subscribed = False
        self.transport: WSTransport | None = None
        self._flow = flow

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        start = payload.find(b"#")
        if start >= 0:
            number, _, rest = payload[start + 1 :].partition(b":")
            self._flow.arrived(self, int(number), int(rest[: rest.index(b"#")]))
        elif b"aws/subscribe" in payload:
            self.is_subscribed = True

    def cut(self) -> None:
        """End the connection without a word."""
        if self.transport is not None:
            self.transport.disconnect(graceful=False)


class Flow:
    """Frames from the upstream to all tabs of its chats, all in one process and on one clock.

    Args:
        cpu_s: CPU time (seconds) of what is measured, so far.
    """

    def __init__(self, upstream: Upstream, cpu_s: CpuClock) -> None:
        self._upstream = upstream
        self._cpu_s = cpu_s
        self._chats: list[Chat] = []
        self._refilling = False
        self._timing = False
        self._figures = Figures()

    def chat(self, number: int) -> Chat:
        """A chat of this flow; ``tab`` adds who watches it."""
        chat = Chat(number)
        self._chats.append(chat)
        return chat

    def tab(self, chat: Chat) -> Tab:
        """One more tab of ``chat``, to be connected."""
        tab = Tab(chat, self)
        chat.tabs.append(tab)
        return tab

    def arrived(self, tab: Tab, number: int, sent_ns: int) -> None:
        """A tab was sent frame ``number`` of its chat, which set out at ``sent_ns``."""
        self._figures.disordered += number != tab.seen + 1
        tab.seen = number
        if self._timing:
            self._figures.done += 1
            self._figures.latencies.append((time.perf_counter_ns() - sent_ns) / 1e9)
        if self._refilling:
            chat = tab.chat
            chat.due -= 1
            if chat.due <= 0:
                chat.due = len(chat.tabs)
                self._push(chat)

    async def saturate(
        self, chats: list[Chat], window: int, warm_s: float, run_s: float
    ) -> Figures:
        """As many frames as go through, ``window`` of each chat on their way at any time."""
        self._figures = Figures()
        self._refilling = True
        for chat in chats:
            chat.due = len(chat.tabs)
            for _ in range(window):
                self._push(chat)
        await asyncio.sleep(warm_s)
        figures = await self._measure(asyncio.sleep(run_s))
        self._refilling = False
        await self._settle()
        return figures

    async def pace(self, chats: list[Chat], per_second: float, run_s: float) -> Figures:
        """So many frames a second, spread evenly over time and chats."""
        self._figures = Figures()
        figures = await self._measure(self._paced(chats, per_second, run_s))
        await self._settle()
        return figures

    async def one_each(self, chats: list[Chat]) -> int:
        """One frame in each chat; how many tabs did not get it."""
        self._figures = Figures()
        for chat in chats:
            self._push(chat)
        await self._settle()
        return self._figures.lost

    async def _paced(self, chats: list[Chat], per_second: float, run_s: float) -> None:
        begun, count = time.perf_counter(), int(per_second * run_s)
        for n in range(count):
            await asyncio.sleep(max(0.0, begun + n / per_second - time.perf_counter()))
            self._push(chats[n * 7919 % len(chats)])

    async def _measure(self, load: Awaitable[None]) -> Figures:
        figures, cpu_s, begun = self._figures, self._cpu_s(), time.perf_counter()
        self._timing = True
        await load
        self._timing = False
        figures.seconds, figures.cpu_s = time.perf_counter() - begun, self._cpu_s() - cpu_s
        return figures

    async def _settle(self) -> None:
        """Until everything sent has arrived, or nothing has for ten seconds; count the lost."""
        quiet_since, before = time.monotonic(), self._missing()
        while before and time.monotonic() - quiet_since < 10:
            await asyncio.sleep(0.05)
            if (now := self._missing()) != before:
                quiet_since, before = time.monotonic(), now
        self._figures.lost = before
        for chat in self._chats:
            for tab in chat.tabs:
                tab.seen = chat.sent

    def _missing(self) -> int:
        return sum(chat.sent - tab.seen for chat in self._chats for tab in chat.tabs)

    def _push(self, chat: Chat) -> None:
        chat.sent += 1
        self._upstream.push(chat.number, chat.sent)


async def send_messages(
    port: int, cpu_s: CpuClock, requests: list[bytes], warm_s: float, run_s: float
) -> Figures:
    """Each request over and over on a connection of its own; an answer but 200 counts as failed.

    Raises:
        ConnectionError: the server cut a connection.
        RuntimeError: no answer was 200; says what the last one was.
    """
    figures, state, refusal = Figures(), {"phase": "warm"}, b""

    async def browser(request: bytes) -> None:
        nonlocal refusal
        connection = await Connection.open(port)
        while state["phase"] != "over":
            begun = time.perf_counter()
            status, body = await connection.ask(request)
            took, is_timed = time.perf_counter() - begun, state["phase"] == "timed"
            if status == 200 and is_timed:
                figures.done += 1
                figures.latencies.append(took)
            elif status != 200:
                refusal, figures.failed = body, figures.failed + is_timed
                await asyncio.sleep(0.05)  # as a client would, at the least
        connection.close()

    browsers = asyncio.gather(*(browser(request) for request in requests))
    await _unless_failed(browsers, warm_s)
    used_s, begun, state["phase"] = cpu_s(), time.perf_counter(), "timed"
    await _unless_failed(browsers, run_s)
    figures.cpu_s, figures.seconds = cpu_s() - used_s, time.perf_counter() - begun
    state["phase"] = "over"
    await browsers
    if not figures.done:
        raise RuntimeError(f"every message failed: {refusal[:500]!r}")
    return figures


async def _unless_failed(work: asyncio.Future[Any], seconds: float) -> None:
    await asyncio.wait({work}, timeout=seconds)
    if work.done():
        await work
