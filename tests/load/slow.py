"""Fifty tabs that never read among five hundred that do: do these notice?

Each sleeper watches a chat that somebody else reads too. Long lines are said in those chats, first
without the sleepers, then with them until the proxy has closed them all. How long a line takes to
the tabs of the other chats is measured in both parts of the same run. Every second sleeper wakes
when as much waits for it as may, the others when it is too late; what they are closed with is told.
In the end all come back to where they were, and must know every line.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import ours
from tests.bench.upstream import Upstream
from tests.load.doors import ProxyDoor
from tests.load.sleeper import Sleeper, queued_in_kernel
from tests.load.tabs import Tab

LONG = " x" * 8_000
LONG_EVERY_S = 0.25
QUIET_S = 20.0
ALL_CLOSED_WITHIN_S = 180.0
KEPT_AT_MOST = 1024 * 1024
_SAID = re.compile(rb"#(\d+):(\d+)#")


@dataclass(frozen=True)
class Plan:
    chats: int = 500
    sleepers: int = 50
    every_s: float = 2.0


class Timed(Tab):
    """A tab that knows how long each line took, in seconds."""

    def __init__(self, chat: int, door: ProxyDoor, after: str | None) -> None:
        super().__init__(chat, door)
        self.took: list[float] = []
        self.bytes = 0
        self._position = after

    def heard(self, frame: bytes) -> None:
        super().heard(frame)
        self.bytes += len(frame)
        if said := _SAID.search(frame):
            self.took.append((time.perf_counter_ns() - int(said[2])) / 1e9)


class Show:
    """One run on a started proxy."""

    def __init__(self, upstream: Upstream, relay: ours.Chatproxy, plan: Plan) -> None:
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

        sleepers = {chat: Sleeper() for chat in asleep}
        await asyncio.gather(*(self._falls_asleep(*one) for one in sleepers.items()))
        _drained(neighbours)
        begun = time.perf_counter()
        closed_after = await self._until_closed(sleepers, dict(zip(chats, tabs, strict=True)))
        closed_s = time.perf_counter() - begun
        busy = _drained(neighbours)

        again = {chat: self._watched(chat, one.position) for chat, one in sleepers.items()}
        await self._until(lambda: all(tab.is_watching.is_set() for tab in again.values()), 60)
        talk.cancel()
        for chat in chats:
            self._say(chat)
        last = {chat: self._said[chat] for chat in chats}
        everybody = [*tabs, *again.values()]
        await self._until(lambda: all(last[t.chat] in t.view.numbers[-3:] for t in everybody), 30)
        missed = sum(tab.view.missing(last[tab.chat]) for tab in tabs)
        unknown = 0
        for chat, tab in again.items():
            known = sleepers[chat].numbers | set(tab.view.numbers)
            if tab.view.resets:
                known |= await self._transcript(chat)
            unknown += len(set(range(min(known), last[chat] + 1)) - known)
        codes = Counter(one.close_code for one in sleepers.values())
        print(f"{HEAD}\n| none | {_told(quiet)} |\n| {len(asleep)} | {_told(busy)} |")
        print(
            f"\nsleepers closed: {len(closed_after)} of {len(asleep)}, the last after "
            f"{closed_s:.0f} s, at most {max(closed_after, default=0):.1f} s after 1 MiB waited; "
            f"closed with, 0 for a reset: {dict(codes)}; missed by others: {missed}, "
            f"after coming back: {unknown}; told to read the transcript: "
            f"{sum(bool(tab.view.resets) for tab in again.values())}; memory "
            f"{first / 1e6:.0f} MB at first, {without / 1e6:.0f} after {QUIET_S:.0f} s of long "
            f"lines, {self._most / 1e6:.0f} at most with sleepers, {self._rss() / 1e6:.0f} after",
            flush=True,
        )
        left = len(asleep) - len(closed_after)
        for life in self._lives:
            life.cancel()
        return not (left or missed or unknown)

    async def _start(self) -> int:
        started = await self._door.start()
        chat = int(started.contact_id.rpartition("-")[2])
        self._door.keys[chat], self._said[chat] = started.key, 0
        return chat

    def _watched(self, chat: int, after: str | None = None) -> Timed:
        tab = Timed(chat, self._door, after)
        self._lives.append(asyncio.create_task(tab.live(0.0)))
        return tab

    async def _falls_asleep(self, chat: int, sleeper: Sleeper) -> None:
        await sleeper.fall_asleep(await self._door.address(chat))

    async def _until_closed(
        self, sleepers: dict[int, Sleeper], readers: dict[int, Timed]
    ) -> list[float]:
        """Say long lines until nobody is left; seconds from the bound to the end of each."""
        before = {chat: readers[chat].bytes for chat in sleepers}
        ports = {chat: one.port for chat, one in sleepers.items()}
        full_at, closed_after = dict[int, float](), list[float]()
        wakers = {*list(sleepers)[1::2]}
        waking = list[asyncio.Task[None]]()
        end = time.perf_counter() + ALL_CLOSED_WITHIN_S
        while ports and time.perf_counter() < end:
            await self._say_long(list(sleepers))
            queued, served = queued_in_kernel()
            now = time.perf_counter()
            for chat, port in list(ports.items()):
                if port not in served:
                    closed_after.append(now - full_at.get(chat, now))
                    del ports[chat]
                elif readers[chat].bytes - before[chat] - queued[port] > KEPT_AT_MOST:
                    if chat not in full_at and chat in wakers:
                        waking.append(asyncio.create_task(sleepers[chat].wake()))
                    full_at.setdefault(chat, now)
        asleep = [
            one for chat, one in sleepers.items() if chat not in wakers or chat not in full_at
        ]
        await asyncio.gather(*waking, *(one.wake() for one in asleep))
        return closed_after

    async def _transcript(self, chat: int) -> set[int]:
        """The numbers of all lines that GetTranscript has."""
        numbers, body = set[int](), {"MaxResults": 100, "SortOrder": "DESCENDING"}
        while True:
            key = self._door.connection_keys[chat]
            status, text = await self._door.ask("POST", "/participant/transcript", body, key)
            assert status == 200, text[:300]
            page = json.loads(text)
            for item in page["Transcript"]:
                if said := _SAID.search(item["Content"].encode()):
                    numbers.add(int(said[1]))
            if "NextToken" not in page:
                return numbers
            body["NextToken"] = page["NextToken"]

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
    with ours.chatproxy(upstream, folder) as relay:
        is_well = await Show(upstream, relay, plan).run()
    upstream.stop()
    return is_well
