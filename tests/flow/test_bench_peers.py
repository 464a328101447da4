"""The benchmark's peers do the job they are measured at: frames to all tabs, messages onwards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.bench import grounds, ours
from tests.bench.flows import Flow, send_messages
from tests.bench.grounds import Make, open_chats
from tests.bench.idle import Run as IdleRun
from tests.bench.plan import IdlePlan
from tests.bench.upstream import Upstream

DOES_ALL = {
    "nginx": grounds.nginx,
    "node": grounds.node,
    "aiohttp": grounds.aiohttp,
    "starlette": grounds.starlette,
    "chatproxy": ours.chatproxy,
}
RELAYS = {
    "direct": grounds.direct,
    **DOES_ALL,
    "copying": grounds.copying_relay,
    "channels": grounds.channels_relay,
    "plain": ours.plain_sends,
    "uvicorn": ours.on_uvicorn,
}
SERVERS = {"direct": grounds.direct, **DOES_ALL, "stock": grounds.stock_view}


@asynccontextmanager
async def running_upstream() -> AsyncIterator[Upstream]:
    upstream = Upstream()
    await upstream.start()
    yield upstream
    upstream.stop()


@pytest.mark.parametrize("make", RELAYS.values(), ids=RELAYS)
async def test_a_relay_brings_each_frame_to_all_tabs_of_its_chat(
    make: Make, tmp_path: Path
) -> None:
    async with running_upstream() as upstream:
        with make(upstream, tmp_path) as relay:
            upstream.to_all = not relay.is_hub
            flow = Flow(upstream, relay.cpu_s)
            chats = await open_chats(relay, upstream, flow, 2, tabs=3)
            figures = await flow.saturate(chats, 2, 0.1, 0.3)
            assert figures.done > 0
            assert (figures.lost, figures.disordered) == (0, 0)
            # A frame goes to the three tabs of its chat, and is another one's turn then.
            sent = sum(chat.sent for chat in chats)
            await flow.one_each(chats[:1])
            assert [tab.seen for tab in chats[0].tabs] == [chats[0].sent] * 3
            assert sum(chat.sent for chat in chats) == sent + 1


@pytest.mark.parametrize("make", SERVERS.values(), ids=SERVERS)
async def test_a_server_passes_messages_on(make: Make, tmp_path: Path) -> None:
    async with running_upstream() as upstream:
        with make(upstream, tmp_path) as server:
            requests = [await server.message_request() for _ in range(2)]
            before = upstream.requests
            figures = await send_messages(server.port, server.cpu_s, requests, 0.1, 0.3)
            assert figures.failed == 0
            assert 0 < figures.done <= upstream.requests - before

            upstream.answers_after_s = 0.1
            slow = await send_messages(server.port, server.cpu_s, requests, 0.2, 0.3)
            assert slow.percentile(0) >= 0.09


@pytest.mark.parametrize("make", DOES_ALL.values(), ids=DOES_ALL)
async def test_tabs_of_a_server_come_back_all_at_once(make: Make, tmp_path: Path) -> None:
    plan = IdlePlan(before=2, tabs=20, further=10, at_a_time=8, quiet_s=0.2)
    async with running_upstream() as upstream:
        with make(upstream, tmp_path) as server:
            assert server.process is not None
            idle = await IdleRun(server, server.process, upstream, plan).measured()
            assert idle.lost == 0
            assert idle.back_s > 0


async def test_a_proxy_tells_what_its_look_up_costs(tmp_path: Path) -> None:
    async with running_upstream() as upstream:
        with ours.chatproxy(upstream, tmp_path) as proxy:
            found = await proxy.lookup_us()
            assert set(found) == {"look-up", "with the token", "admitted"}
            assert all(us > 0 for us in found.values())
