"""Relays under load: as many frames as go through, and 200 a second; rounds in turn."""

from __future__ import annotations

from pathlib import Path

from tests.bench import grounds, ours
from tests.bench.figures import Figures, Found, Load
from tests.bench.flows import Chat, Flow
from tests.bench.grounds import Ground, Make, open_chats
from tests.bench.plan import Plan
from tests.bench.upstream import Upstream

RELAYS: list[Make] = [
    grounds.direct,
    grounds.nginx,
    grounds.copying_relay,
    grounds.node,
    grounds.aiohttp,
    grounds.starlette,
    grounds.channels_relay,
    ours.relay_only,
    ours.chatproxy,
    ours.plain_sends,
    ours.on_uvicorn,
]

#: Many programs, which one core cannot keep busy one by one: for a frame's way alone.
PACED_ONLY: list[Make] = [ours.site]

#: With many chats the layer takes seconds for one frame of each: measure it longer.
CHANNELS_LONGER = 3


async def measure(plan: Plan, folder: Path, found: Found) -> None:
    """Add the relays' figures to ``found``."""
    for number in range(1, plan.repeat + 1):
        for make in (*RELAYS, *PACED_ONLY):
            upstream = Upstream()
            await upstream.start()
            try:
                with make(upstream, folder) as relay:
                    run = Run(relay, upstream, plan, found, f"round {number}")
                    await (run.paced() if make in PACED_ONLY else run.through_all_loads())
            finally:
                upstream.stop()


class Run:
    """One relay in one round: it starts cold, and goes through all loads."""

    def __init__(
        self, relay: Ground, upstream: Upstream, plan: Plan, found: Found, title: str
    ) -> None:
        self.relay = relay
        self.upstream = upstream
        self.plan = plan
        self.found = found
        self.title = title
        self.flow = Flow(upstream, relay.cpu_s)
        self._singles: list[Chat] = []
        upstream.to_all = not relay.is_hub

    async def paced(self) -> None:
        """Add what a frame's way takes while there is little to do."""
        plan = self.plan
        chats = await self._open(plan.few)
        if self.relay.warm_s:
            await self.flow.saturate(chats, plan.few.window, self.relay.warm_s, 0.1)
        await self._paced(chats, plan.few)

    async def through_all_loads(self) -> None:
        """Add this round's figures to those found."""
        plan = self.plan
        # Before the rest: what a saturated relay has yet to store would be in a paced frame's way.
        await self.paced()
        for load in plan.loads:
            self._keep(load, await self._saturated(await self._open(load), load))

    async def _open(self, load: Load) -> list[Chat]:
        """Chats with one tab are used again; one with many is opened for its load."""
        if load.tabs > 1:
            return await open_chats(
                self.relay, self.upstream, self.flow, load.chats, tabs=load.tabs
            )
        more = max(0, load.chats - len(self._singles))
        self._singles += await open_chats(self.relay, self.upstream, self.flow, more)
        return self._singles[: load.chats]

    async def _paced(self, chats: list[Chat], load: Load) -> None:
        plan = self.plan
        await self.flow.pace(chats, plan.pace, plan.warm_s)
        slow = await self.flow.pace(chats, plan.pace, plan.paced_s)
        self.found.paced.setdefault((self.relay.name, load), []).append(slow)
        p50, p99 = (1e3 * slow.percentile(share) for share in (0.5, 0.99))
        print(
            f"{self.title}: {self.relay.name}, {plan.pace:.0f}/s: p50 {p50:.2f}, p99 {p99:.2f} ms",
            flush=True,
        )

    async def _saturated(self, chats: list[Chat], load: Load) -> Figures:
        is_slow = self.relay.name == "Channels group_send" and load.chats >= 1000
        longer = CHANNELS_LONGER if is_slow else 1
        return await self.flow.saturate(
            chats, load.window, longer * self.plan.warm_s, longer * self.plan.run_s
        )

    def _keep(self, load: Load, full: Figures) -> None:
        self.found.saturated.setdefault((self.relay.name, load), []).append(full)
        print(
            f"{self.title}: {self.relay.name}, {load.chats} x {load.window} x {load.tabs}: "
            f"{full.per_second:.0f}/s {full.cpu_us:.1f} us, lost {full.lost}",
            flush=True,
        )
