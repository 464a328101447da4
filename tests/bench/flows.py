"""Load: frames from the upstream to tabs, messages from browsers to the upstream; and timing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from picows import WSFrame, WSListener, WSMsgType, WSTransport

from tests.bench.http import Connection
from tests.bench.process import Process
from tests.bench.upstream import Upstream


@dataclass
class Figures:
    """One measurement. Times in seconds; latencies unsorted, one per frame or request."""

    done: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    lost: int = 0
    disordered: int = 0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return self.done / self.seconds

    @property
    def cpu_us(self) -> float:
        """CPU of the server per frame or request, in microseconds."""
        return 1e6 * self.cpu_s / self.done if self.done else float("nan")

    def percentile(self, share: float) -> float:
        found = sorted(self.latencies)
        return found[min(len(found) - 1, int(share * len(found)))] if found else float("nan")


class Load(NamedTuple):
    """So many chats, with so many frames of each on their way at a time."""

    chats: int
    window: int


class Tab(WSListener):
    """A browser's socket that tells whom it belongs to what it was sent, and when that was."""

    def __init__(self, chat: int, flow: Flow) -> None:
        super().__init__()
        self.chat = chat
        self._flow = flow

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
            return
        payload = frame.get_payload_as_bytes()
        start = payload.find(b"#")
        if start >= 0:
            number, _, rest = payload[start + 1 :].partition(b":")
            self._flow.arrived(self.chat, int(number), int(rest[: rest.index(b"#")]))


class Flow:
    """Frames from the upstream to one tab per chat, all in one process and on one clock."""

    def __init__(self, upstream: Upstream, process: Process | None) -> None:
        self._upstream = upstream
        self._process = process
        self._sent: dict[int, int] = {}
        self._seen: dict[int, int] = {}
        self._refilling = False
        self._timing = False
        self._figures = Figures()

    def tab(self, chat: int) -> Tab:
        self._sent[chat] = self._seen[chat] = 0
        return Tab(chat, self)

    def arrived(self, chat: int, number: int, sent_ns: int) -> None:
        self._figures.disordered += number != self._seen[chat] + 1
        self._seen[chat] = number
        if self._timing:
            self._figures.done += 1
            self._figures.latencies.append((time.perf_counter_ns() - sent_ns) / 1e9)
        if self._refilling:
            self._push(chat)

    async def saturate(self, chats: list[int], window: int, warm_s: float, run_s: float) -> Figures:
        """As many frames as go through, ``window`` of each chat on their way at any time."""
        self._figures = Figures()
        self._refilling = True
        for chat in chats:
            for _ in range(window):
                self._push(chat)
        await asyncio.sleep(warm_s)
        figures = await self._measure(asyncio.sleep(run_s))
        self._refilling = False
        await self._settle()
        return figures

    async def pace(self, chats: list[int], per_second: float, run_s: float) -> Figures:
        """So many frames a second, spread evenly over time and chats."""
        self._figures = Figures()
        figures = await self._measure(self._paced(chats, per_second, run_s))
        await self._settle()
        return figures

    async def _paced(self, chats: list[int], per_second: float, run_s: float) -> None:
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
        self._seen = dict(self._sent)

    def _missing(self) -> int:
        return sum(self._sent.values()) - sum(self._seen.values())

    def _push(self, chat: int) -> None:
        self._sent[chat] += 1
        self._upstream.push(chat, self._sent[chat])

    def _cpu_s(self) -> float:
        return self._process.cpu_s() if self._process else time.process_time()


async def send_messages(
    process: Process, requests: list[bytes], warm_s: float, run_s: float
) -> Figures:
    """Each request over and over on a connection of its own; every answer must be 200."""
    figures, state = Figures(), {"phase": "warm"}

    async def browser(request: bytes) -> None:
        connection = await Connection.open(process.port)
        while state["phase"] != "over":
            begun = time.perf_counter()
            status, body = await connection.ask(request)
            if status != 200:
                raise RuntimeError(f"{status} {body[:500]!r}")
            if state["phase"] == "timed":
                figures.done += 1
                figures.latencies.append(time.perf_counter() - begun)
        connection.close()

    browsers = asyncio.gather(*(browser(request) for request in requests))
    await _unless_failed(browsers, warm_s)
    cpu_s, begun, state["phase"] = process.cpu_s(), time.perf_counter(), "timed"
    await _unless_failed(browsers, run_s)
    figures.cpu_s, figures.seconds = process.cpu_s() - cpu_s, time.perf_counter() - begun
    state["phase"] = "over"
    await browsers
    return figures


async def _unless_failed(work: asyncio.Future[Any], seconds: float) -> None:
    await asyncio.wait({work}, timeout=seconds)
    if work.done():
        await work
