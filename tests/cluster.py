"""A whole site as ``make cluster`` runs it, for tests: processes that can be killed one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from chatproxy.child import Child
from chatproxy.cluster.nginx import Routing
from chatproxy.cluster.running import Cluster, Ports
from chatproxy.cluster.servers import ProgramMissing
from tests.processes import (
    METRICS_TOKEN,
    READY_WITHIN_S,
    RunningSandbox,
    children_shown,
    clean_environment,
    free_port,
)


class RunningCluster:
    """A started cluster, and its sandbox as tests know it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.sandbox = RunningSandbox(cluster.sandbox)

    @property
    def url(self) -> str:
        return self.cluster.url

    @property
    def proxies(self) -> list[Child]:
        return self.cluster.proxies

    def restart(self, proxy: Child) -> None:
        """Start a process that was killed, or stop and start it."""
        proxy.stop()
        proxy.start()
        proxy.wait_ready(READY_WITHIN_S)


def free_ports(processes: int) -> Ports:
    """For a cluster of so many processes."""
    site, sandbox, redis, postgres, *proxies = (free_port() for _ in range(4 + processes))
    return Ports(site, sandbox, redis, postgres, proxies)


@contextmanager
def started_cluster(
    *,
    processes: int = 2,
    routing: Routing = "hash",
    ports: Ports | None = None,
    **environ: str,
) -> Iterator[RunningCluster]:
    """A cluster on free ports; ``environ`` adds settings. Skips where a program is missing."""
    given = {
        "CHAT_STARTS_PER_ADDRESS": "100000/minute",
        "CHAT_REQUESTS_PER_KEY": "10000/second",
        "CHAT_METRICS_TOKEN": METRICS_TOKEN,
        "CHAT_OPENED_CACHE_SECONDS": "2",
        **environ,
    }
    try:
        cluster = Cluster(
            ports or free_ports(processes),
            environ={**clean_environment(), **given},
            routing=routing,
            settle_s=READY_WITHIN_S,
        )
    except ProgramMissing as err:
        pytest.skip(str(err))
    with children_shown(cluster.sandbox, *cluster.proxies), cluster:
        yield RunningCluster(cluster)


@pytest.fixture
def start_cluster() -> Iterator[Callable[..., RunningCluster]]:
    """``start_cluster(processes=…, routing=…, **environ)``: one for this test alone."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(started_cluster(**options))
