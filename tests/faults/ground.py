"""What schedules are played on: the servers, and the wires between them that can fail.

``one`` is a single process on SQLite, as `make run` starts it. ``hash`` and ``random`` are a whole
site: nginx, two processes, PostgreSQL and Redis; with ``random`` every request and every page may
come to either process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from chatproxy.child import Child, ChildFailed, Program
from chatproxy.upstream.governor import Group
from tests.cluster import free_ports, started_cluster
from tests.faults.wire import Wire
from tests.postgres import wait_for_postgres
from tests.processes import (
    READY_WITHIN_S,
    UNLIMITED,
    RunningSandbox,
    free_port,
    manage,
    started_demo,
    started_sandbox,
)

Site = Literal["one", "hash", "random"]
PROCESSES = 2

SETTINGS = {
    "CONNECT_CONNECT_TIMEOUT_S": "2",
    "CONNECT_READ_TIMEOUT_S": "3",
    # The governor stays on; its quota is what never runs out.
    "CONNECT_QUOTAS": json.dumps({group.value: [1e5, 1e5] for group in Group}),
}


@dataclass
class Ground:
    """The servers and the wires between them.

    Attributes:
        processes: Of the proxy.
        wires: By side: ``browser``, ``upstream``; of a whole site also ``database``, ``redis``.
        servers: Of a whole site, ``postgres`` and ``redis``.
        most_links: A session may have, once all is quiet.
    """

    sandbox: RunningSandbox
    processes: Sequence[Child]
    wires: Mapping[str, Wire]
    servers: Mapping[str, Program] = field(default_factory=dict)
    most_links: int = 1

    @property
    def url(self) -> str:
        """The site, as browsers reach it."""
        return f"http://127.0.0.1:{self.wires['browser'].port}"

    def heal(self) -> None:
        """Fair weather, no faults, everything up."""
        for wire in self.wires.values():
            wire.clear()
        self.sandbox.clear_faults()
        for server in self.servers.values():
            if server.exit_code is not None:
                server.start()
        if self.servers:
            wait_for_postgres(self.servers["postgres"])
            self.servers["redis"].wait_ready()
        for child in self.processes:
            child.resume()
            if child.exit_code is not None:
                child.start()
        for child in self.processes:
            try:
                child.wait_ready(READY_WITHIN_S)
            except ChildFailed:  # it began when there was no database
                child.start()
                child.wait_ready(READY_WITHIN_S)


@contextmanager
def started_ground(folder: Path, site: Site = "one", **environ: str) -> Iterator[Ground]:
    """One of the three, started; ``environ`` adds settings of the proxy."""
    started = _one(folder, environ) if site == "one" else _whole(site, environ)
    with started as ground:
        # A long run starts more chats than a widget may in a day.
        manage(ground.processes[0].environ, "shell", "-c", UNLIMITED)
        yield ground


@contextmanager
def _one(folder: Path, environ: Mapping[str, str]) -> Iterator[Ground]:
    with ExitStack() as stack:
        sandbox = stack.enter_context(started_sandbox(folder / "sandbox"))
        upstream = stack.enter_context(Wire(free_port(), sandbox.port))
        front = free_port()
        settings = {**SETTINGS, **_addresses(front, upstream.port), **environ}
        proxy = stack.enter_context(started_demo(folder / "proxy", sandbox, **settings))
        browser = stack.enter_context(Wire(front, proxy.port))
        yield Ground(sandbox, [proxy.child], {"browser": browser, "upstream": upstream})


@contextmanager
def _whole(site: Literal["hash", "random"], environ: Mapping[str, str]) -> Iterator[Ground]:
    ports = free_ports(PROCESSES)
    targets = {
        "browser": ports.site,
        "upstream": ports.sandbox,
        "database": ports.postgres,
        "redis": ports.redis,
    }
    with ExitStack() as stack:
        wires = {
            side: stack.enter_context(Wire(free_port(), port)) for side, port in targets.items()
        }
        settings = {
            **SETTINGS,
            **_addresses(wires["browser"].port, wires["upstream"].port),
            "DATABASE_URL": f"postgres://chat@127.0.0.1:{wires['database'].port}/chat",
            "REDIS_URL": f"redis://127.0.0.1:{wires['redis'].port}/0",
            **environ,
        }
        running = stack.enter_context(started_cluster(routing=site, ports=ports, **settings))
        servers = {"postgres": running.cluster.postgres, "redis": running.cluster.redis}
        # A page that another process took in while its own was away stays there.
        yield Ground(running.sandbox, running.proxies, wires, servers, most_links=PROCESSES)


def _addresses(front: int, upstream: int) -> dict[str, str]:
    at_upstream = f"http://127.0.0.1:{upstream}"
    return {
        "CHAT_PUBLIC_URL": f"http://127.0.0.1:{front}",
        "CONNECT_ENDPOINT_URL": at_upstream,
        "CONNECT_PARTICIPANT_ENDPOINT_URL": at_upstream,
        "CONNECT_WEBSOCKET_HOSTS": f"127.0.0.1:{upstream}",
    }
