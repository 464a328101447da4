"""POST /participant/message through each server, and what finding its session costs us."""

from __future__ import annotations

from pathlib import Path

from tests.bench import grounds, ours
from tests.bench.figures import Found
from tests.bench.flows import send_messages
from tests.bench.grounds import Ground, Make
from tests.bench.ours import Chatproxy
from tests.bench.plan import Plan
from tests.bench.upstream import Upstream

SERVERS: list[Make] = [
    grounds.direct,
    grounds.nginx,
    grounds.node,
    grounds.aiohttp,
    grounds.starlette,
    grounds.stock_view,
    ours.chatproxy,
]


async def measure(plan: Plan, folder: Path, found: Found) -> None:
    """Add the messages' figures to ``found``, and the look-up's."""
    for number in range(1, plan.repeat + 1):
        for make in SERVERS:
            upstream = Upstream()
            await upstream.start()
            try:
                with make(upstream, folder) as server:
                    await _through(server, upstream, plan, found, f"round {number}")
            finally:
                upstream.stop()


async def _through(
    server: Ground, upstream: Upstream, plan: Plan, found: Found, title: str
) -> None:
    most = max(asking.connections for asking in plan.askings)
    requests = [await server.message_request() for _ in range(most)]
    if server.warm_s:
        warm = requests[: plan.busy.connections]
        await send_messages(server.port, server.cpu_s, warm, server.warm_s, 0.1)
    for asking in plan.askings:
        upstream.answers_after_s = asking.upstream_s
        figures = await send_messages(
            server.port,
            server.cpu_s,
            requests[: asking.connections],
            plan.warm_s + asking.upstream_s,
            plan.run_s,
        )
        found.messages.setdefault((server.name, asking), []).append(figures)
        print(
            f"{title}: {server.name}, {asking.connections} at {1e3 * asking.upstream_s:.0f} ms: "
            f"{figures.per_second:.0f}/s {figures.cpu_us:.0f} us, failed {figures.failed}",
            flush=True,
        )
    if isinstance(server, Chatproxy):
        for what, us in (await server.lookup_us()).items():
            found.lookup_us.setdefault(what, []).append(us)
