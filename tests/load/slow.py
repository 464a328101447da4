"""Fifty tabs that never read among five hundred that do: do these notice?

Each sleeper watches a chat that somebody else reads too. Long lines are said in those chats, first
without the sleepers, then with them until the proxy has closed them all. How long a line takes to
the tabs of the other chats is measured in both parts of the same run.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import grounds
from tests.bench.upstream import Upstream
from tests.load.doors import ProxyDoor
from tests.load.tabs import Tab

LONG = " x" * 8_000
LONG_EVERY_S = 0.25
QUIET_S = 20.0
ALL_CLOSED_WITHIN_S = 180.0
_SAID = re.compile(rb"#(\d+):(\d+)#")


@dataclass(frozen=True)
class Plan:
    chats: int = 500
    sleepers: int = 50
    every_s: float = 2.0


class Timed(Tab):
    """A tab that knows how long each line took, in seconds."""

    def __init__(self, chat: int, door: ProxyDoor) -> None:
        super().__init__(chat, door)
        self.took: list[float] = []

    def heard(self, frame: bytes) -> None:
        super().heard(frame)
        if said := _SAID.search(frame):
            self.took.append((time.perf_counter_ns() - int(said[2])) / 1e9)


class Show:
    """One run on a started proxy."""

    def __init__(self, upstream: Upstream, relay: grounds.Chatproxy, plan: Plan) -> None:
        self._upstream, self._relay, self._plan = upstream, relay, plan
        self._door = ProxyDoor(relay.process.port)
        self._said: dict[int, int] = {}
        self._most = 0
        self._lives: list[asyncio.Task[None]] = []

    async def run(self) -> bool:
        """Whether all sleepers were closed, and nobody else missed anything."""
        chats = [await self._start() for _ in range(self._plan.chats)]
        tabs = [self._watched(chat) for chat in chats]
        await self._until(lambda: all(tab.is_watching.is_set() for tab in tabs), 120)
        await self._until(lambda: len(self._upstream.sockets) == len(chats), 60)
        asleep, neighbours = chats[: self._plan.sleepers], tabs[self._plan.sleepers :]
        talk = asyncio.create_task(self._talk(chats))
        first, end = self._rss(), time.perf_counter() + QUIET_S
        while time.perf_counter() < end:
            await self._say_long(asleep)
        quiet, without = _drained(neighbours), self._rss()

        sockets = [await self._asleep(chat) for chat in asleep]
        begun = time.perf_counter()
        while self._open_tabs() > len(tabs) and time.perf_counter() - begun < ALL_CLOSED_WITHIN_S:
            await self._say_long(asleep)
        closed_s = time.perf_counter() - begun
        left = self._open_tabs() - len(tabs)
        busy = _drained(neighbours)
        for one in sockets:
            one.close()

        again = [self._watched(chat) for chat in asleep]
        await self._until(lambda: all(tab.is_watching.is_set() for tab in again), 60)
        talk.cancel()
        for chat in chats:
            self._say(chat)
        last = {chat: self._said[chat] for chat in chats}
        everybody = [*tabs, *again]
        await self._until(lambda: all(last[t.chat] in t.view.numbers[-3:] for t in everybody), 30)
        missed = sum(tab.view.missing(last[tab.chat]) for tab in tabs)
        missed += sum(last[tab.chat] not in tab.view.numbers for tab in again)
        print(f"{HEAD}\n| none | {_told(quiet)} |\n| {len(asleep)} | {_told(busy)} |")
        print(
            f"\nsleepers closed: {len(asleep) - left} of {len(asleep)}, the last after "
            f"{closed_s:.0f} s; missed by others or after coming back: {missed}; memory "
            f"{first / 1e6:.0f} MB at first, {without / 1e6:.0f} after {QUIET_S:.0f} s of long "
            f"lines, {self._most / 1e6:.0f} at most with sleepers, {self._rss() / 1e6:.0f} after",
            flush=True,
        )
        for life in self._lives:
            life.cancel()
        return not (left or missed)

    async def _start(self) -> int:
        started = await self._door.start()
        chat = int(started.contact_id.rpartition("-")[2])
        self._door.keys[chat], self._said[chat] = started.key, 0
        return chat

    def _watched(self, chat: int) -> Timed:
        tab = Timed(chat, self._door)
        self._lives.append(asyncio.create_task(tab.live(0.0)))
        return tab

    async def _asleep(self, chat: int) -> socket.socket:
        """A browser that subscribes, and reads nothing from then on."""
        at = urlsplit(await self._door.address(chat))
        loop, raw = asyncio.get_running_loop(), socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, (at.hostname, at.port))
        await loop.sock_sendall(
            raw,
            f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n".encode(),
        )
        seen = b""
        while b"\r\n\r\n" not in seen:
            seen += await loop.sock_recv(raw, 4096)
        subscribe = b'{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'
        await loop.sock_sendall(raw, bytes([0x81, 0x80 | len(subscribe), 0, 0, 0, 0]) + subscribe)
        while b"success" not in seen:
            seen += await loop.sock_recv(raw, 4096)
        return raw

    def _say(self, chat: int, more: str = "") -> None:
        if chat in self._upstream.sockets:
            self._said[chat] += 1
            self._upstream.push(chat, self._said[chat], more)

    async def _say_long(self, chats: list[int]) -> None:
        for chat in chats:
            self._say(chat, LONG)
        self._most = max(self._most, self._rss())
        await asyncio.sleep(LONG_EVERY_S)

    async def _talk(self, chats: list[int]) -> None:
        """A short line in every chat every so often, spread over that time."""
        while True:
            begun = time.perf_counter()
            for number, chat in enumerate(chats):
                self._say(chat)
                due = begun + self._plan.every_s * number / len(chats)
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

    def _rss(self) -> int:
        return 1000 * self._relay.process.resident_kb()

    def _open_tabs(self) -> int:
        url = f"http://127.0.0.1:{self._relay.process.port}/readyz"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(json.load(answer)["tabs"])

    async def _until(self, condition: Callable[[], bool], within_s: float) -> None:
        end = time.monotonic() + within_s
        while not condition() and time.monotonic() < end:  # noqa: ASYNC110 - many tabs
            await asyncio.sleep(0.05)


HEAD = "| sleepers | lines to the others | p50 | p99 | longest |\n| --- | --- | --- | --- | --- |"


def _drained(tabs: list[Timed]) -> list[float]:
    took = sorted(one for tab in tabs for one in tab.took)
    for tab in tabs:
        tab.took.clear()
    return took


def _told(took: list[float]) -> str:
    def at(share: float) -> str:
        return f"{1000 * took[min(len(took) - 1, math.ceil(share * len(took)) - 1)]:.1f} ms"

    return f"{len(took):,} | {at(0.5)} | {at(0.99)} | {at(1.0)}" if took else "0 | | |"


async def run(plan: Plan, folder: Path) -> bool:
    """Print what came of it; whether all is as it should be."""
    upstream = Upstream()
    await upstream.start()
    with grounds.chatproxy(upstream, folder) as relay:
        is_well = await Show(upstream, relay, plan).run()
    upstream.stop()
    return is_well
