"""Two processes, one Connect instance: together they stay within its quotas, Redis or not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.cluster import RunningCluster, started_cluster
from tests.flow.client import EVENT, Visitor, eventually
from tests.metrics import metric

CHATS, SECONDS, MESSAGES_PER_S = 12, 3.0, 6.0
TYPING = {"ContentType": EVENT + "typing"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    with started_cluster(processes=2) as running:
        running.sandbox.change(bot=False, quotas="exact")
        yield running


def metrics(cluster: RunningCluster, name: str) -> list[float]:
    """Its value in each process, summed over labels."""
    return [metric(proxy.url, name) for proxy in cluster.proxies]


def test_processes_spend_one_quota_with_redis_and_without(cluster: RunningCluster) -> None:
    with ThreadPoolExecutor(CHATS) as pool:
        visitors = list(pool.map(lambda _: Visitor(cluster.url), range(CHATS)))
        list(pool.map(lambda visitor: visitor.connect(), visitors))
    assert cluster.sandbox.state()["throttled"] == {}
    eventually(lambda: metrics(cluster, "chatproxy_governor_shared") == [1, 1])
    before = metrics(cluster, "chatproxy_governor_falls_back_total")

    _talk(visitors)
    assert cluster.sandbox.state()["throttled"] == {}
    assert all(count > 0 for count in metrics(cluster, "chatproxy_governor_granted_total"))

    cluster.cluster.redis.kill()
    _talk(visitors)
    assert cluster.sandbox.state()["throttled"] == {}
    assert metrics(cluster, "chatproxy_governor_shared") == [0, 0]
    after = metrics(cluster, "chatproxy_governor_falls_back_total")
    assert all(more > less for more, less in zip(after, before, strict=True))

    cluster.cluster.redis.start()
    eventually(lambda: metrics(cluster, "chatproxy_governor_shared") == [1, 1])
    _talk(visitors)
    assert cluster.sandbox.state()["throttled"] == {}


def _talk(visitors: list[Visitor]) -> None:
    """Everybody types for some seconds, and messages are sent; each is taken."""
    end = time.monotonic() + SECONDS

    def type_on(visitor: Visitor) -> None:
        while time.monotonic() < end:
            assert visitor.call("event", TYPING).status_code == 200
            time.sleep(0.2)

    with ThreadPoolExecutor(len(visitors)) as pool:
        typing = [pool.submit(type_on, visitor) for visitor in visitors]
        number = 0
        while time.monotonic() < end:
            visitors[number % len(visitors)].send(f"message {number}")
            number += 1
            time.sleep(1 / MESSAGES_PER_S)
        for one in typing:
            one.result()
