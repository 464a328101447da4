"""``make bench``: the proxy and its peers, in one run. See README.md beside this file.

python -m tests.bench [--quick] [--repeat N] [--only relay|rest] [--write FILE]
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import tempfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from tests.bench import grounds, report
from tests.bench.flows import Figures, Flow, Load, send_messages
from tests.bench.process import pin_load
from tests.bench.upstream import Upstream

Results = dict[tuple[str, int], list[Figures]]
LoadResults = dict[tuple[str, Load], list[Figures]]


@dataclass(frozen=True)
class Plan:
    """How much to measure; times in seconds."""

    repeat: int
    loads: tuple[Load, ...]
    warm_s: float
    run_s: float
    paced_s: float
    connections: int
    pace: float = 200.0


#: Few chats need more frames on their way to keep a relay busy; with many, one each is the hard
#: case, where nothing can be batched.
LOADS = (Load(1, 64), Load(100, 4), Load(1000, 1), Load(1000, 4))

FULL = Plan(repeat=3, loads=LOADS, warm_s=1.5, run_s=3, paced_s=3, connections=32)
QUICK = Plan(repeat=1, loads=LOADS[:2], warm_s=0.5, run_s=1, paced_s=1, connections=8)

#: With many chats the slowest relay takes seconds for one frame of each: measure longer.
LONGER = {1000: 3}

RELAYS: list[Callable[[Upstream, Path], AbstractContextManager[Any]]] = [
    grounds.direct,
    grounds.copying_relay,
    grounds.channels_relay,
    functools.partial(grounds.chatproxy, CHAT_RETENTION_DAYS="0"),
    grounds.chatproxy,
]
VIEWS: list[Callable[[Upstream, Path], AbstractContextManager[Any]]] = [
    grounds.stock_view,
    grounds.chatproxy,
]


async def measure_relays(plan: Plan, folder: Path) -> tuple[LoadResults, Results]:
    """Saturated figures by (relay, load), and paced ones by (relay, number of chats)."""
    saturated, paced = defaultdict(list), defaultdict(list)
    for round_number in range(1, plan.repeat + 1):
        for make in RELAYS:
            upstream = Upstream()
            await upstream.start()
            with make(upstream, folder) as relay:
                flow, chats = Flow(upstream, relay.process), list[int]()
                for load in plan.loads:
                    more = load.chats - len(chats)
                    chats += await grounds.open_tabs(relay, flow.tab, more)
                    await _until(lambda: len(upstream.sockets) >= load.chats)  # noqa: B023
                    longer = LONGER.get(load.chats, 1)
                    full = await flow.saturate(
                        chats, load.window, longer * plan.warm_s, longer * plan.run_s
                    )
                    saturated[relay.name, load].append(full)
                    _say(
                        f"round {round_number}: {relay.name}, {load.chats} x {load.window}: "
                        f"{full.per_second:.0f}/s {full.cpu_us:.0f} us, lost {full.lost}"
                    )
                    if more:  # the pace is the same however many frames there were at a time
                        slow = await flow.pace(chats, plan.pace, plan.paced_s)
                        paced[relay.name, load.chats].append(slow)
                        _say(f"    at {plan.pace:.0f}/s: p50 {1e3 * slow.percentile(0.5):.2f} ms")
            upstream.stop()
    return saturated, paced


async def measure_views(plan: Plan, folder: Path) -> Results:
    """Figures of POST /participant/message by (server, connections)."""
    results = defaultdict(list)
    for round_number in range(1, plan.repeat + 1):
        for make in VIEWS:
            upstream = Upstream()
            await upstream.start()
            with make(upstream, folder) as view:
                for connections in (1, plan.connections):
                    requests = [await view.message_request() for _ in range(connections)]
                    found = await send_messages(view.process, requests, 2 * plan.warm_s, plan.run_s)
                    results[view.name, connections].append(found)
                    _say(
                        f"round {round_number}: {view.name}, {connections}: "
                        f"{found.per_second:.0f}/s {found.cpu_us:.0f} us"
                    )
            upstream.stop()
    return results


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - the other end's sockets
            await asyncio.sleep(0.05)


def _say(line: str) -> None:
    print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="seconds, not minutes; to see it work")
    parser.add_argument("--repeat", type=int, help="rounds; medians are over these")
    parser.add_argument("--only", choices=["relay", "rest"])
    parser.add_argument("--write", type=Path, help="write the tables to this file too")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    if options.repeat:
        plan = Plan(**{**vars(plan), "repeat": options.repeat})
    pin_load()
    tables = list[str]()
    with tempfile.TemporaryDirectory(prefix="chatproxy-bench-") as folder:
        if options.only != "rest":
            tables += report.relays(*uvloop.run(measure_relays(plan, Path(folder))))
        if options.only != "relay":
            tables += report.views(uvloop.run(measure_views(plan, Path(folder))))
    text = "\n\n".join([report.machine(), *tables]) + "\n"
    print("\n" + text)
    if options.write:
        report.write(options.write, text)


if __name__ == "__main__":
    main()
