"""What is measured, each behind one interface: start it, open a chat's tab, send a message."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from picows import WSListener, WSMsgType, ws_connect

from tests.bench.http import Connection, request
from tests.bench.process import ROOT, Process, free_port, running
from tests.bench.upstream import Upstream

SUBSCRIBE = b'{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'
BODY = {"ContentType": "text/plain", "Content": "Where is my refund? It has been two weeks now."}


class Relay(Protocol):
    """Something a tab can watch a chat through. ``process`` is None when nothing is in between."""

    name: str
    process: Process | None

    async def open_tab(self, make: Callable[[int], WSListener]) -> int:
        """Open one more chat with one tab, ``make(chat)``; its number upstream."""


class Direct:
    """The upstream itself: what the machine and the load generator can do."""

    name = "direct"
    process = None

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._chats = 0

    async def open_tab(self, make: Callable[[int], WSListener]) -> int:
        chat, self._chats = self._chats, self._chats + 1
        await _connect(f"{self._upstream.socket_url}{chat}", make(chat))
        return chat


class PeerRelay:
    """A relay of `peers/`, at which a chat is opened by its number in the path."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.process = process
        self._chats = 0

    async def open_tab(self, make: Callable[[int], WSListener]) -> int:
        chat, self._chats = self._chats, self._chats + 1
        await _connect(f"ws://127.0.0.1:{self.process.port}/ws/{chat}", make(chat))
        return chat


class Chatproxy:
    """The proxy as it is shipped, through its own doors."""

    def __init__(self, process: Process, name: str) -> None:
        self.name = name
        self.process = process
        self._free: list[Connection] = []

    async def open_tab(self, make: Callable[[int], WSListener]) -> int:
        connection = await self._connection()
        chat, key = await self._start(connection)
        answer = await self._connect(connection, key)
        self._free.append(connection)
        await _connect(answer["Websocket"]["Url"], make(chat))
        return chat

    async def message_request(self) -> bytes:
        """A request that sends a message in a chat of its own."""
        connection = await self._connection()
        _, key = await self._start(connection)
        answer = await self._connect(connection, key)
        self._free.append(connection)
        token = answer["ConnectionCredentials"]["ConnectionToken"]
        return request("POST", "/participant/message", BODY, token)

    async def _start(self, connection: Connection) -> tuple[int, str]:
        started = await connection.ask_json("POST", "/api/v1/sessions", {"widget": "demo"})
        contact = str(started["startChatResult"]["ContactId"])
        return int(contact.rpartition("-")[2]), str(started["key"])

    async def _connect(self, connection: Connection, key: str) -> dict[str, dict[str, str]]:
        body = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}
        answer: dict[str, dict[str, str]] = await connection.ask_json(
            "POST", "/participant/connection", body, key
        )
        return answer

    async def _connection(self) -> Connection:
        return self._free.pop() if self._free else await Connection.open(self.process.port)


class StockView:
    """`peers/stock_view.py`."""

    name = "stock Django view"

    def __init__(self, process: Process) -> None:
        self.process = process
        self._keys = 0

    async def message_request(self) -> bytes:
        self._keys += 1
        return request("POST", "/participant/message", BODY, f"key-{self._keys - 1}")


async def _connect(url: str, tab: WSListener) -> None:
    """Open ``tab`` and subscribe it."""
    transport, _ = await ws_connect(lambda: tab, url, websocket_handshake_timeout=30)
    transport.send(WSMsgType.TEXT, SUBSCRIBE)


@contextmanager
def direct(upstream: Upstream, _folder: Path) -> Iterator[Relay]:
    yield Direct(upstream)


@contextmanager
def peer_relay(name: str, module: str, upstream: Upstream, folder: Path) -> Iterator[Relay]:
    port = free_port()
    arguments = ["-m", f"tests.bench.peers.{module}", str(port), upstream.socket_url]
    with running(arguments, port, os.environ, folder / f"{module}.log") as process:
        yield PeerRelay(name, process)


channels_relay = partial(peer_relay, "Channels group_send", "channels_relay")
copying_relay = partial(peer_relay, "bytes copied", "copying_relay")


@contextmanager
def stock_view(upstream: Upstream, folder: Path) -> Iterator[StockView]:
    port = free_port()
    database = folder / f"stock-{port}.sqlite3"
    arguments = ["-m", "tests.bench.peers.stock_view", str(port), upstream.url, str(database), "64"]
    with running(arguments, port, os.environ, folder / "stock.log") as process:
        yield StockView(process)


@contextmanager
def chatproxy(upstream: Upstream, folder: Path, **settings: str) -> Iterator[Chatproxy]:
    """The proxy with quotas and limits out of the way; all else as shipped, or as ``settings``."""
    from chatproxy.demo import environment

    port = free_port()
    clean = {n: v for n, v in os.environ.items() if not n.startswith(("CHAT_", "CONNECT_"))}
    mine = {
        "DATABASE_URL": f"sqlite:///{folder / f'proxy-{port}.sqlite3'}",
        "CONNECT_ENDPOINT_URL": upstream.url,
        "CONNECT_PARTICIPANT_ENDPOINT_URL": upstream.url,
        "CONNECT_WEBSOCKET_HOSTS": f"127.0.0.1:{upstream.socket_port}",
        "CHAT_STARTS_PER_ADDRESS": "1000000/minute",
        "CHAT_REQUESTS_PER_KEY": "1000000/minute",
        "CONNECT_QUOTAS": _quotas(),
        "CHAT_LOG_LEVEL": "WARNING",
        **settings,
    }
    environ = environment(port, upstream.port, {**clean, **mine}, var=folder)
    for arguments in (["demo", "--prepare", "--port", str(port)], ["shell", "-c", _UNLIMIT]):
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=environ,
            check=True,
            capture_output=True,
        )
    command = ["manage.py", "serve", "--port", str(port), "--drain-seconds", "1"]
    with running(command, port, environ, folder / "chatproxy.log") as process:
        name = "chatproxy" if not settings else f"chatproxy, {_told(settings)}"
        yield Chatproxy(process, name)


_UNLIMIT = """
from chatproxy.widgets.models import Widget
Widget.objects.update(starts_per_day=10**6, live_chats=10**6, accepts_no_origin=True)
"""


def _quotas() -> str:
    """The governor stays on; its quota is what never runs out."""
    import json

    from chatproxy.upstream.governor import Group

    return json.dumps({group.value: [1e5, 1e5] for group in Group})


def _told(settings: dict[str, str]) -> str:
    return "nothing stored" if settings.get("CHAT_RETENTION_DAYS") == "0" else str(settings)


async def open_tabs(relay: Relay, make: Callable[[int], WSListener], count: int) -> list[int]:
    """Open ``count`` chats, a few at a time; their numbers."""
    places = asyncio.Semaphore(8)

    async def one() -> int:
        async with places:
            return await relay.open_tab(make)

    return list(await asyncio.gather(*(one() for _ in range(count))))
