"""The jitter test: does a tab whose network blinks see every message, once, in order?

As AnyCable describes theirs for Socket.IO and others: one clock for both ends, the same offline
time for everybody, listeners in place before the first fault, and in the denominator every client,
also one that never came back. Beside the proxy, in the same run, a plain Channels relay: a harness
that finds nothing wrong with that one can't see loss.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import grounds, ours
from tests.bench.upstream import Upstream
from tests.load.doors import PlainDoor, ProxyDoor
from tests.load.tabs import Door, Tab, View

QUIET_S = 15.0


@dataclass(frozen=True)
class Plan:
    """So many chats of one tab each; times in seconds."""

    tabs: int = 1000
    messages: int = 120
    every_s: float = 2.0
    cut_every_s: float = 15.0
    offline_s: float = 2.0
    seed: int = 1


@dataclass(frozen=True)
class Outcome:
    """What the tabs of one relay saw."""

    relay: str
    said: int
    views: list[View]

    @property
    def lost(self) -> int:
        return sum(view.missing(self.said) for view in self.views)

    @property
    def is_whole(self) -> bool:
        return not self.lost and not any(view.twice or view.disordered for view in self.views)

    def row(self) -> str:
        expected = self.said * len(self.views)
        replays = sorted(one for view in self.views for one in view.replays)
        return (
            f"| {self.relay} | {expected:,} | {100 * (1 - self.lost / expected):.3f} % "
            f"| {self.lost:,} | {sum(view.twice for view in self.views):,} "
            f"| {sum(view.disordered for view in self.views):,} "
            f"| {sum(view.cuts for view in self.views):,} "
            f"| {_percentile(replays, 0.5)} | {_percentile(replays, 0.99)} "
            f"| {sum(view.resets for view in self.views)} "
            f"| {sum(view.refused for view in self.views)} |"
        )


HEAD = (
    "| relay | to deliver | delivered | lost | twice | out of order | cuts "
    "| replay p50 | p99 | told to read anew | handshakes refused |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


async def through_channels(upstream: Upstream, folder: Path, plan: Plan) -> Outcome:
    with grounds.channels_relay(upstream, folder) as relay:
        door = PlainDoor(relay.process.port)
        return await _shaken(relay.name, upstream, door, list(range(plan.tabs)), plan)


async def through_chatproxy(upstream: Upstream, folder: Path, plan: Plan) -> Outcome:
    with ours.chatproxy(upstream, folder) as relay:
        door = ProxyDoor(relay.process.port)
        places = asyncio.Semaphore(8)

        async def start() -> int:
            async with places:
                started = await door.start()
            chat = int(started.contact_id.rpartition("-")[2])
            door.keys[chat] = started.key
            return chat

        chats = list(await asyncio.gather(*(start() for _ in range(plan.tabs))))
        return await _shaken(relay.name, upstream, door, chats, plan)


async def _shaken(
    name: str, upstream: Upstream, door: Door, chats: list[int], plan: Plan
) -> Outcome:
    tabs = [Tab(chat, door) for chat in chats]
    lives = [asyncio.create_task(tab.live(plan.offline_s)) for tab in tabs]
    await _until(lambda: all(tab.is_watching.is_set() for tab in tabs), 120)
    await _until(lambda: len(upstream.sockets) == len(chats), 60)
    # Whoever has heard nothing yet has no place to go on from, and would read the transcript.
    for chat in chats:
        upstream.push(chat, 1)
    await _until(lambda: all(tab.view.numbers for tab in tabs), 60)
    chance = random.Random(plan.seed)
    storms = [asyncio.create_task(_cut_off(tab, chance.random(), plan)) for tab in tabs]
    await asyncio.gather(*(_talk(upstream, tab.chat, chance.random(), plan) for tab in tabs))
    for storm in storms:
        storm.cancel()
    await _until_quiet(tabs, plan.messages)
    for life in lives:
        life.cancel()
    return Outcome(name, plan.messages, [tab.settle() for tab in tabs])


async def _cut_off(tab: Tab, phase: float, plan: Plan) -> None:
    """Every so often, each tab at a time of its own."""
    await asyncio.sleep(phase * plan.cut_every_s)
    while True:
        tab.cut()
        await asyncio.sleep(plan.cut_every_s)


async def _talk(upstream: Upstream, chat: int, phase: float, plan: Plan) -> None:
    begun = time.perf_counter() + phase * plan.every_s
    for number in range(2, plan.messages + 1):
        await asyncio.sleep(max(0.0, begun + number * plan.every_s - time.perf_counter()))
        # A chat whose link is down goes on at the service all the same.
        if chat in upstream.sockets:
            upstream.push(chat, number)


async def _until(condition: Callable[[], bool], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.05)


async def _until_quiet(tabs: list[Tab], said: int) -> None:
    """Until everybody has everything, or nothing has come for a while."""

    def seen() -> int:
        return sum(len(tab.view.numbers) for tab in tabs)

    before, since = seen(), time.monotonic()
    while time.monotonic() - since < QUIET_S and any(tab.view.missing(said) for tab in tabs):
        await asyncio.sleep(0.2)
        if (now := seen()) != before:
            before, since = now, time.monotonic()


def _percentile(values: list[float], share: float) -> str:
    if not values:
        return "none"
    return f"{values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]:.2f} s"


Ground = Callable[[Upstream, Path, Plan], Any]
GROUNDS: list[Ground] = [through_channels, through_chatproxy]


async def run(plan: Plan, folder: Path, grounds_: list[Ground] | None = None) -> list[Outcome]:
    """Each relay in turn, through the same storm."""
    found = []
    for ground in grounds_ or GROUNDS:
        upstream = Upstream()
        await upstream.start()
        found.append(await ground(upstream, folder, plan))
        upstream.stop()
        print(found[-1].row(), flush=True)
    return found


def describe(plan: Plan) -> str:
    return (
        f"{plan.tabs:,} chats of one tab, {plan.messages} messages each, one every "
        f"{plan.every_s:g} s; every TCP connection reset each {plan.cut_every_s:g} s, "
        f"{plan.offline_s:g} s offline; seed {plan.seed}."
    )
