"""What is measured, each behind one interface: start it, open a chat's tab, send a message.

The proxy itself is in `ours.py`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from picows import WSListener, WSMsgType, ws_connect

from tests.bench.flows import Chat, CpuClock, Flow, Tab
from tests.bench.http import request
from tests.bench.process import ROOT, Process, free_port, program, python, running
from tests.bench.upstream import Upstream

SUBSCRIBE = b'{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'
BODY = {"ContentType": "text/plain", "Content": "Where is my refund? It has been two weeks now."}

#: Chats a peer knows the keys of; as many as there are ever connections.
KEYS = 128

#: Node compiles what runs often; before that, the same program takes three times as long.
NODE_WARM_S = 5.0


class Ground(Protocol):
    """A server under measurement, or nothing in between, behind the doors a browser uses.

    ``is_hub``: one upstream socket serves all tabs of a chat. ``warm_s``: seconds of load it needs
    before it runs as it will run. ``process``: None when nothing is in between.
    """

    name: str
    is_hub: bool
    warm_s: float

    @property
    def process(self) -> Process | None: ...

    @property
    def port(self) -> int:
        """Where messages are sent to."""

    @property
    def cpu_s(self) -> CpuClock:
        """CPU time it has used; for nothing in between, the load generator's."""

    async def start_chat(self) -> int:
        """Begin one more chat, without tabs; its number upstream."""

    async def join(self, chat: int, tab: WSListener) -> None:
        """Open one more tab of a chat, and subscribe it."""

    async def message_request(self) -> bytes:
        """A request that sends a message in a chat of its own."""


#: Starts a ground in front of an upstream; it runs while the block does. The folder is for its
#: database and log.
Make = Callable[[Upstream, Path], AbstractContextManager[Ground]]


class Peer:
    """A server of `peers/`, at which a chat is named by its number in the path."""

    def __init__(self, name: str, process: Process, *, is_hub: bool, warm_s: float = 0.0) -> None:
        self.name = name
        self.process = process
        self.port = process.port
        self.cpu_s = process.cpu_s
        self.is_hub = is_hub
        self.warm_s = warm_s
        self._chats = self._keys = 0

    async def start_chat(self) -> int:
        self._chats += 1
        return self._chats - 1

    async def join(self, chat: int, tab: WSListener) -> None:
        await connected(f"ws://127.0.0.1:{self.port}/ws/{chat}", tab)

    async def message_request(self) -> bytes:
        self._keys += 1
        return request("POST", "/participant/message", BODY, f"key-{(self._keys - 1) % KEYS}")


class Direct:
    """The upstream itself: what the machine and the load generator can do."""

    name = "direct"
    process = None
    is_hub = False
    warm_s = 0.0

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._chats = 0
        self.port = upstream.port

    @property
    def cpu_s(self) -> CpuClock:
        return _own_cpu_s

    async def start_chat(self) -> int:
        self._chats += 1
        return self._chats - 1

    async def join(self, chat: int, tab: WSListener) -> None:
        await connected(f"{self._upstream.socket_url}{chat}", tab)

    async def message_request(self) -> bytes:
        return request("POST", "/participant/message", BODY, "token")


def _own_cpu_s() -> float:
    times = os.times()
    return times.user + times.system


async def connected(url: str, tab: WSListener) -> None:
    """Open ``tab`` and subscribe it."""
    transport, _ = await ws_connect(lambda: tab, url, websocket_handshake_timeout=30)
    transport.send(WSMsgType.TEXT, SUBSCRIBE)


@contextmanager
def direct(upstream: Upstream, _folder: Path) -> Iterator[Direct]:
    """Nothing in between."""
    yield Direct(upstream)


@contextmanager
def relay(
    upstream: Upstream, folder: Path, *, name: str, module: str, is_hub: bool
) -> Iterator[Peer]:
    """A peer in Python that relays frames and does nothing else."""
    port = free_port()
    command = python("-m", f"tests.bench.peers.{module}", str(port), upstream.socket_url)
    with running(command, port, os.environ, folder / f"{module}.log") as process:
        yield Peer(name, process, is_hub=is_hub)


@contextmanager
def bff(
    upstream: Upstream, folder: Path, *, name: str, command: list[str], warm_s: float = 0.0
) -> Iterator[Peer]:
    """A peer that does the whole job: hubs, and messages."""
    port = free_port()
    places = [str(port), upstream.url, upstream.socket_url, str(KEYS)]
    environ = {**os.environ, "NODE_ENV": "production"}
    with running([*command, *places], port, environ, folder / f"{name}.log") as process:
        yield Peer(name, process, is_hub=True, warm_s=warm_s)


@contextmanager
def node(upstream: Upstream, folder: Path) -> Iterator[Peer]:
    """`peers/node_bff.js`."""
    command = [program("node"), str(ROOT / "tests/bench/peers/node_bff.js")]
    with bff(upstream, folder, name="Node", command=command, warm_s=NODE_WARM_S) as peer:
        yield peer


@contextmanager
def nginx(upstream: Upstream, folder: Path) -> Iterator[Peer]:
    """`peers/nginx.conf`."""
    port = free_port()
    settings = folder / f"nginx-{port}.conf"
    text = (ROOT / "tests/bench/peers/nginx.conf").read_text()
    for word, value in {
        "@FOLDER@": str(folder),
        "@PORT@": str(port),
        "@REST@": upstream.url.partition("//")[2],
        "@SOCKETS@": upstream.socket_url.partition("//")[2].rstrip("/"),
    }.items():
        text = text.replace(word, value)
    settings.write_text(text)
    command = [program("nginx"), "-p", str(folder), "-c", str(settings)]
    with running(command, port, os.environ, folder / "nginx.log") as process:
        yield Peer("nginx", process, is_hub=False)


@contextmanager
def stock_view(upstream: Upstream, folder: Path) -> Iterator[Peer]:
    """`peers/stock_view.py`: messages only."""
    port = free_port()
    places = [str(port), upstream.url, str(folder / f"stock-{port}.sqlite3"), str(KEYS)]
    command = python("-m", "tests.bench.peers.stock_view", *places)
    with running(command, port, os.environ, folder / "stock.log") as process:
        yield Peer("stock Django view", process, is_hub=False)


# Channels opens an upstream socket for each tab, but what comes through any goes to all tabs.
channels_relay = partial(relay, name="Channels group_send", module="channels_relay", is_hub=True)
copying_relay = partial(relay, name="bytes copied", module="copying_relay", is_hub=False)
aiohttp = partial(bff, name="aiohttp", command=python("-m", "tests.bench.peers.aiohttp_bff"))
starlette = partial(bff, name="Starlette", command=python("-m", "tests.bench.peers.starlette_bff"))


async def open_chats(
    ground: Ground, upstream: Upstream, flow: Flow, count: int, *, tabs: int = 1, places: int = 8
) -> list[Chat]:
    """Open ``count`` chats of ``tabs`` tabs each, ``places`` at a time, ready to be sent frames.

    Raises:
        TimeoutError: some of them were not subscribed, here and upstream, within a minute.
    """
    room = asyncio.Semaphore(places)

    async def one() -> Chat:
        async with room:
            chat = flow.chat(await ground.start_chat())
            await ground.join(chat.number, flow.tab(chat))
        return chat

    chats = list(await asyncio.gather(*(one() for _ in range(count))))
    for _ in range(1, tabs):
        await join_all(ground, [flow.tab(chat) for chat in chats], places=places)
    await until(lambda: all(tab.is_subscribed for chat in chats for tab in chat.tabs))
    await until(lambda: all(chat.number in upstream.sockets for chat in chats))
    return chats


async def join_all(ground: Ground, tabs: list[Tab], *, places: int = 8) -> None:
    """Connect tabs that were made by their flow, ``places`` at a time."""
    room = asyncio.Semaphore(places)

    async def one(tab: Tab) -> None:
        async with room:
            await ground.join(tab.chat.number, tab)

    await asyncio.gather(*(one(tab) for tab in tabs))


async def until(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    """Wait for what other processes do.

    Raises:
        TimeoutError: it did not come true.
    """
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - they tell nobody
            await asyncio.sleep(0.02)
