"""Tabs that do nothing: what each holds in memory, and how fast all of them come back."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.bench import grounds, ours
from tests.bench.figures import Found, Idle
from tests.bench.flows import Chat, Flow, Tab
from tests.bench.grounds import Ground, Make, join_all, open_chats, until
from tests.bench.plan import IdlePlan
from tests.bench.process import Process
from tests.bench.upstream import Upstream

SERVERS: list[Make] = [
    grounds.nginx,
    grounds.node,
    grounds.aiohttp,
    grounds.starlette,
    ours.chatproxy,
]

PATIENCE_S = 120.0
TRIES = 3


async def measure(plan: IdlePlan, folder: Path, found: Found) -> None:
    """Add each server's figures to ``found``: one round, for memory hardly differs."""
    for make in SERVERS:
        upstream = Upstream()
        await upstream.start()
        try:
            with make(upstream, folder) as server:
                assert server.process is not None
                idle = await Run(server, server.process, upstream, plan).measured()
        finally:
            upstream.stop()
        found.idle.setdefault(server.name, []).append(idle)
        print(
            f"{server.name}: {idle.pair_kb:.1f} kB a tab with its own link, {idle.tab_kb:.1f} kB "
            f"one more; {idle.tabs} back in {idle.back_s:.1f} s, lost {idle.lost}",
            flush=True,
        )


class Run:
    """One server and its tabs."""

    def __init__(
        self, server: Ground, process: Process, upstream: Upstream, plan: IdlePlan
    ) -> None:
        self.server = server
        self.process = process
        self.upstream = upstream
        self.plan = plan
        self.flow = Flow(upstream, server.cpu_s)

    async def measured(self) -> Idle:
        """Open, look, open more, look, cut all, let all come back.

        Raises:
            TimeoutError: they could not be opened, or were not back within two minutes.
        """
        plan = self.plan
        await self._open(plan.before)
        empty_kb = await self._resident_kb()
        chats = await self._open(plan.tabs)
        paired_kb = await self._resident_kb()
        further = await self._further(chats)
        full_kb = await self._resident_kb()
        await self._drop(further)
        back_s, back_cpu_s, missing = await self._come_back(chats)
        return Idle(
            tabs=plan.tabs,
            pair_kb=(paired_kb - empty_kb) / plan.tabs,
            tab_kb=(full_kb - paired_kb) / plan.further,
            back_s=back_s,
            back_cpu_s=back_cpu_s,
            lost=missing + await self.flow.one_each(chats),
        )

    async def _open(self, count: int) -> list[Chat]:
        return await open_chats(self.server, self.upstream, self.flow, count, places=32)

    async def _resident_kb(self) -> int:
        await asyncio.sleep(self.plan.quiet_s)
        return self.process.resident_kb()

    async def _further(self, chats: list[Chat]) -> list[Tab]:
        """More tabs, five in a chat: fewer than a chat may have."""
        some = chats[: -(-self.plan.further // 5)]
        tabs = [self.flow.tab(chat) for _ in range(5) for chat in some][: self.plan.further]
        await join_all(self.server, tabs, places=32)
        await until(lambda: all(tab.is_subscribed for tab in tabs))
        return tabs

    async def _drop(self, tabs: list[Tab]) -> None:
        for tab in tabs:
            tab.cut()
            tab.chat.tabs.remove(tab)
        await asyncio.sleep(self.plan.quiet_s)

    async def _come_back(self, chats: list[Chat]) -> tuple[float, float, int]:
        """Seconds until all are back, CPU seconds it took, and how many are not.

        Back is who is subscribed, in a chat that has its upstream socket.
        """
        used_s, begun = self.process.cpu_s(), time.perf_counter()
        for chat in chats:
            chat.tabs.pop().cut()
        tabs = [self.flow.tab(chat) for chat in chats]
        room = asyncio.Semaphore(self.plan.at_a_time)

        async def come_back(tab: Tab) -> bool:
            async with room:
                for _ in range(TRIES):
                    try:
                        await self.server.join(tab.chat.number, tab)
                        return True
                    except (OSError, RuntimeError, TimeoutError):
                        await asyncio.sleep(0.5)
            tab.chat.tabs.remove(tab)
            return False

        are_back = await asyncio.gather(*(come_back(tab) for tab in tabs))
        joined = [tab for tab, is_back in zip(tabs, are_back, strict=True) if is_back]
        await until(
            lambda: all(tab.is_subscribed and self._is_linked(tab) for tab in joined), PATIENCE_S
        )
        took_s, used_s = time.perf_counter() - begun, self.process.cpu_s() - used_s
        await asyncio.sleep(self.plan.quiet_s)  # the ends of the cut ones have come through, too
        return took_s, used_s, len(tabs) - len(joined)

    def _is_linked(self, tab: Tab) -> bool:
        return tab.chat.number in self.upstream.sockets
