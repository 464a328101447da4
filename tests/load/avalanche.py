"""The avalanche: a process with a thousand tabs is told to stop, another is killed. Who comes back?

Two processes behind nginx, on PostgreSQL and Redis, against the service's exact quotas; agents go
on writing in every chat. Every tab counts, also one that never comes back.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chatproxy.child import Child
from tests.bench.http import Connection
from tests.cluster import RunningCluster, started_cluster
from tests.load.doors import ProxyDoor
from tests.load.tabs import Tab

CONTROL = "/control/"
BACK_WITHIN_S = 180.0


@dataclass(frozen=True)
class Plan:
    """So many chats, each with so many tabs; a line in each chat every so many seconds."""

    chats: int = 250
    tabs: int = 8
    every_s: float = 5.0


class Avalanche:
    """One run on a started cluster."""

    def __init__(self, cluster: RunningCluster, plan: Plan) -> None:
        self._cluster = cluster
        self._plan = plan
        self._door = ProxyDoor(cluster.cluster.nginx.port)
        self._contacts: list[str] = []
        self._tabs: list[Tab] = []
        self._said = 0
        self._control: Connection

    async def run(self) -> bool:
        """Whether everybody came back and saw everything."""
        self._asking = asyncio.Lock()
        self._control = await Connection.open(self._cluster.sandbox.port)
        await self._ask("PUT", "settings", {"bot": False, "quotas": "exact"})
        print(f"starting {self._plan.chats} chats at the quota's pace …", flush=True)
        await self._start()
        talk = asyncio.create_task(self._talk())
        print(HEAD, flush=True)
        first, second = self._cluster.proxies
        is_whole = await self._fell("SIGTERM", first, _told_to_stop)
        is_whole &= await self._fell("kill -9", second, _killed)
        talk.cancel()
        return is_whole

    async def _start(self) -> None:
        places = asyncio.Semaphore(16)

        async def one() -> None:
            async with places:
                started = await self._door.start()
                chat = len(self._contacts)
                self._contacts.append(started.contact_id)
                self._door.keys[chat] = started.key
                tabs = [Tab(chat, self._door) for _ in range(self._plan.tabs)]
                self._tabs += tabs
                for tab in tabs:
                    self._lives.append(asyncio.create_task(tab.live(0.0)))
                for tab in tabs:
                    await tab.is_watching.wait()

        self._lives: list[asyncio.Task[None]] = []
        await asyncio.gather(*(one() for _ in range(self._plan.chats)))
        await self._say()
        await self._until(self._all_know)

    async def _talk(self) -> None:
        while True:
            begun = time.perf_counter()
            await self._say()
            await asyncio.sleep(max(0.0, self._plan.every_s - (time.perf_counter() - begun)))

    async def _say(self) -> None:
        number = self._said + 1
        for contact in self._contacts:
            text = f"#{number}:{time.perf_counter_ns()}# Your parcel is on its way."
            await self._ask("POST", f"contacts/{contact}/say", {"content": text})
        self._said = number

    async def _fell(
        self, how: str, proxy: Child, fall: Callable[[RunningCluster, Child], Awaitable[None]]
    ) -> bool:
        """Let it fall, and start its successor; then everybody must be back and know everything."""
        before, state = len(self._outages()), await self._state()
        begun = time.perf_counter()
        await fall(self._cluster, proxy)
        await self._until(lambda: all(tab.is_watching.is_set() for tab in self._tabs))
        back_s = time.perf_counter() - begun
        is_whole = await self._until(self._all_know)
        known_s = time.perf_counter() - begun
        outages = sorted(self._outages()[before:])
        after = await self._state()
        calls = "CreateParticipantConnection"
        made = after["requests"].get(calls, 0) - state["requests"].get(calls, 0)
        never = sum(not tab.is_watching.is_set() for tab in self._tabs)
        print(
            f"| {how} | {len(self._tabs):,} | {len(outages):,} | {never} "
            f"| {_percentile(outages, 0.5)} | {_percentile(outages, 0.95)} | {back_s:.0f} s "
            f"| {known_s:.0f} s | {made} | {sum(after['throttled'].values())} |",
            flush=True,
        )
        return is_whole and not never and not after["throttled"]

    def _outages(self) -> list[float]:
        return [outage for tab in self._tabs for outage in tab.view.outages]

    def _all_know(self) -> bool:
        return not any(tab.view.missing(self._said) > 0 for tab in self._tabs)

    async def _state(self) -> Any:
        return await self._ask("GET", "state", {})

    async def _ask(self, method: str, path: str, body: Any) -> Any:
        async with self._asking:
            return await self._control.ask_json(method, CONTROL + path, body)

    async def _until(self, condition: Callable[[], bool]) -> bool:
        end = time.monotonic() + BACK_WITHIN_S
        while not condition() and time.monotonic() < end:  # noqa: ASYNC110 - many tabs
            await asyncio.sleep(0.1)
        return condition()


HEAD = (
    "| what happened | tabs | lost their socket | never back | away p50 | p95 | all back after "
    "| all know everything after | CreateParticipantConnection | throttled |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


async def _told_to_stop(cluster: RunningCluster, proxy: Child) -> None:
    proxy.ask_to_end()
    while proxy.exit_code is None:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.1)
    await asyncio.to_thread(cluster.restart, proxy)


async def _killed(cluster: RunningCluster, proxy: Child) -> None:
    proxy.kill()
    await asyncio.sleep(2)
    await asyncio.to_thread(cluster.restart, proxy)


def _percentile(values: list[float], share: float) -> str:
    if not values:
        return "none"
    return f"{values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]:.1f} s"


def run(plan: Plan) -> bool:
    """Print what came of it; whether nothing was lost."""
    with started_cluster(processes=2, CHAT_TABS_PER_SESSION=str(plan.tabs)) as cluster:
        return asyncio.run(Avalanche(cluster, plan).run())
