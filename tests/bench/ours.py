"""The proxy under measurement, through its own doors: quotas and limits out of the way."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal

from picows import WSListener

from chatproxy.cluster.running import Cluster, Ports
from tests.bench.grounds import BODY, connected
from tests.bench.http import Connection, request
from tests.bench.process import (
    ROOT,
    SERVER_CORE,
    Process,
    cpu_s,
    free_port,
    pin_load,
    python,
    running,
)
from tests.bench.upstream import Upstream
from tests.processes import UNLIMITED

CONNECT = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}

Server = Literal["daphne", "uvicorn"]


class Chatproxy:
    """A running proxy. ``environ`` is what it was started with."""

    is_hub = True
    warm_s = 0.0

    def __init__(self, process: Process, name: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.process = process
        self.port = process.port
        self.cpu_s = process.cpu_s
        self.environ = environ
        self._free: list[Connection] = []
        self._keys: dict[int, str] = {}

    async def start_chat(self) -> int:
        started = await self._ask("/api/v1/sessions", {"widget": "demo"})
        chat = int(started["startChatResult"]["ContactId"].rpartition("-")[2])
        self._keys[chat] = str(started["key"])
        return chat

    async def join(self, chat: int, tab: WSListener) -> None:
        answer = await self._ask("/participant/connection", CONNECT, self._keys[chat])
        await connected(answer["Websocket"]["Url"], tab)

    async def message_request(self) -> bytes:
        return request("POST", "/participant/message", BODY, await self.connection_key())

    async def connection_key(self) -> str:
        """The connection key of a new chat."""
        chat = await self.start_chat()
        answer = await self._ask("/participant/connection", CONNECT, self._keys[chat])
        return str(answer["ConnectionCredentials"]["ConnectionToken"])

    async def lookup_us(self) -> dict[str, float]:
        """CPU (microseconds) of finding a key's session, measured by `lookup.py`."""
        command = python("-m", "tests.bench.lookup", await self.connection_key())
        done = subprocess.run(  # noqa: ASYNC221 - nothing else is to happen meanwhile
            command,
            cwd=ROOT,
            env=dict(self.environ),
            check=True,
            stdout=subprocess.PIPE,
            preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CORE),
        )
        found: dict[str, float] = json.loads(done.stdout)
        return found

    async def _ask(self, path: str, body: object, key: str = "") -> Any:
        while self._free and not self._free[-1].is_open:
            self._free.pop()
        connection = self._free.pop() if self._free else await Connection.open(self.port)
        try:
            answer = await connection.ask_json("POST", path, body, key)
        except BaseException:
            connection.close()
            raise
        self._free.append(connection)
        return answer


@contextmanager
def chatproxy(
    upstream: Upstream,
    folder: Path,
    *,
    name: str = "chatproxy",
    server: Server = "daphne",
    **settings: str,
) -> Iterator[Chatproxy]:
    """The proxy with quotas and limits out of the way; all else as shipped, or as ``settings``."""
    port = free_port()
    environ = _environ(upstream, port, folder, settings)
    for arguments in (["demo", "--prepare", "--port", str(port)], ["shell", "-c", UNLIMITED]):
        subprocess.run(
            python("manage.py", *arguments), cwd=ROOT, env=environ, check=True, capture_output=True
        )
    with running(_COMMANDS[server](port), port, environ, folder / "chatproxy.log") as process:
        yield Chatproxy(process, name, environ)


class Site(Chatproxy):
    """A whole site: nginx, processes, PostgreSQL and Redis; its CPU is that of the processes."""

    def __init__(self, cluster: Cluster) -> None:
        self.name = "chatproxy, a cluster"
        self.process = None
        self.port = cluster.nginx.port
        self.environ = cluster.environ
        self.cpu_s = lambda: sum(cpu_s(proxy.pid) for proxy in cluster.proxies)
        self._free = []
        self._keys = {}


@contextmanager
def site(upstream: Upstream, folder: Path) -> Iterator[Site]:
    """Two processes behind nginx, as `make cluster` starts them, all on the server's core."""
    ports = Ports(free_port(), free_port(), free_port(), free_port(), [free_port(), free_port()])
    environ = _environ(upstream, ports.site, folder, {})
    del environ["DATABASE_URL"], environ["CHAT_PUBLIC_URL"]
    cluster = Cluster(ports, environ=environ)
    os.sched_setaffinity(0, SERVER_CORE)  # what is started now stays there
    try:
        with cluster:
            shell = python("manage.py", "shell", "-c", UNLIMITED)
            subprocess.run(shell, cwd=ROOT, env=cluster.environ, check=True, capture_output=True)
            pin_load()
            yield Site(cluster)
    finally:
        pin_load()


relay_only = partial(chatproxy, name="chatproxy, nothing stored", CHAT_RETENTION_DAYS="0")
plain_sends = partial(
    chatproxy,
    name="chatproxy, nothing stored, plain sends",
    CHAT_RETENTION_DAYS="0",
    CHAT_FAST_PATH="0",
)
on_uvicorn = partial(
    chatproxy,
    name="chatproxy on uvicorn, nothing stored",
    server="uvicorn",
    CHAT_RETENTION_DAYS="0",
)


def _environ(
    upstream: Upstream, port: int, folder: Path, settings: Mapping[str, str]
) -> dict[str, str]:
    from chatproxy.demo import environment

    ours = ("CHAT_", "CONNECT_", "DJANGO_SETTINGS_MODULE")
    clean = {n: v for n, v in os.environ.items() if not n.startswith(ours)}
    mine = {
        "DATABASE_URL": f"sqlite:///{folder / f'proxy-{port}.sqlite3'}",
        "CONNECT_ENDPOINT_URL": upstream.url,
        "CONNECT_PARTICIPANT_ENDPOINT_URL": upstream.url,
        "CONNECT_WEBSOCKET_HOSTS": f"127.0.0.1:{upstream.socket_port}",
        "CHAT_STARTS_PER_ADDRESS": "1000000/minute",
        "CHAT_REQUESTS_PER_KEY": "1000000/minute",
        "CHAT_TABS_PER_SESSION": "200",
        "CONNECT_QUOTAS": _quotas(),
        "CHAT_LOG_LEVEL": "WARNING",
        **settings,
    }
    return environment(port, upstream.port, {**clean, **mine}, var=folder)


def _daphne(port: int) -> list[str]:
    return python("manage.py", "serve", "--port", str(port), "--drain-seconds", "1")


def _uvicorn(port: int) -> list[str]:
    options = {
        "port": str(port),
        "loop": "uvloop",
        "http": "httptools",
        "ws": "websockets-sansio",
        "ws-per-message-deflate": "false",
        "backlog": "1024",
        "log-level": "warning",
        "timeout-graceful-shutdown": "1",
    }
    given = [part for name, value in options.items() for part in (f"--{name}", value)]
    return python("-m", "uvicorn", "chatproxy.asgi:application", "--no-access-log", *given)


_COMMANDS = {"daphne": _daphne, "uvicorn": _uvicorn}


def _quotas() -> str:
    """The governor stays on; its quota is what never runs out."""
    from chatproxy.upstream.governor import Group

    return json.dumps({group.value: [1e5, 1e5] for group in Group})
