"""A new version is deployed: one process after the other is told to stop, and no chat notices."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import requests

from chatproxy.child import Child
from chatproxy.upstream.vocabulary import MessageType
from tests.cluster import RunningCluster, started_cluster
from tests.flow.client import Tab, Visitor, eventually

WATCHED, UNWATCHED = 8, 4
DRAINED_WITHIN_S = 20.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[RunningCluster]:
    with started_cluster(processes=3) as running:
        yield running


class Watcher:
    """A tab that comes back when it is sent away, as the widget does."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.tabs: list[Tab] = []
        self.waits_ms: list[int] = []
        self._over = threading.Event()

    def watch(self) -> None:
        """Until `stop`. Run it on a thread."""
        while not self._over.is_set():
            tab = self.visitor.open_tab(after=self.tabs[-1].position if self.tabs else None)
            self.tabs.append(tab)
            while tab.close_code is None and not self._over.is_set():
                tab.read_for(0.1)
            if tab.close_code is not None:
                assert tab.close_code == 1012, tab.close_code
                self.waits_ms.append(json.loads(tab.close_reason)["retryAfterMs"])
                time.sleep(self.waits_ms[-1] / 1000)

    def stop(self) -> None:
        self._over.set()

    @property
    def texts(self) -> list[str]:
        """What was said, in the order it came; another process repeats the last two minutes."""
        items = {item["Id"]: item for tab in self.tabs for item in tab.items()}
        return [item["Content"] for item in items.values() if item["Type"] == "MESSAGE"]


@contextmanager
def talking(cluster: RunningCluster, visitors: list[Visitor]) -> Iterator[None]:
    """Agents who write on and on, in every chat."""
    over = threading.Event()

    def talk() -> None:
        number = 0
        while not over.is_set():
            for visitor in visitors:
                cluster.sandbox.say(visitor.contact_id, f"line {number}")
            number += 1
            over.wait(0.1)

    with ThreadPoolExecutor(1) as pool:
        talks = pool.submit(talk)
        try:
            yield
        finally:
            over.set()
        talks.result()


def said_upstream(cluster: RunningCluster, visitor: Visitor) -> list[str]:
    items = cluster.sandbox.control("GET", f"contacts/{visitor.contact_id}")["transcript"]
    return [item["Content"] for item in items if item.get("ContentType") == MessageType.PLAIN]


def test_chats_move_to_the_next_process_without_a_gap(cluster: RunningCluster) -> None:
    cluster.sandbox.change(bot=False, quotas="off")
    watchers = [Watcher(Visitor(cluster.url)) for _ in range(WATCHED)]
    unwatched = [Visitor(cluster.url) for _ in range(UNWATCHED)]
    for visitor in unwatched:
        visitor.open_tab().close()
    visitors = [watcher.visitor for watcher in watchers] + unwatched
    moved = 0
    with ThreadPoolExecutor(WATCHED) as pool:
        watching = [pool.submit(watcher.watch) for watcher in watchers]
        try:
            eventually(lambda: all(watcher.tabs for watcher in watchers))
            cluster.sandbox.change(quotas="exact")
            with talking(cluster, visitors):
                for proxy in cluster.proxies:
                    moved += links_of(proxy)
                    _deployed(cluster, proxy, visitors)
            for visitor in visitors:
                cluster.sandbox.say(visitor.contact_id, "the last line")
            eventually(
                lambda: (
                    all("the last line" in watcher.texts for watcher in watchers)
                    or any(watch.done() for watch in watching)
                )
            )
        finally:
            for watcher in watchers:
                watcher.stop()
        for watch in watching:
            watch.result()

    for watcher in watchers:
        assert watcher.texts == said_upstream(cluster, watcher.visitor)
        assert watcher.waits_ms, "no process let go of it"
    for visitor in unwatched:
        found = [item["Content"] for item in visitor.transcript() if item["Type"] == "MESSAGE"]
        assert found == said_upstream(cluster, visitor)
    assert cluster.sandbox.state()["throttled"] == {}
    connections = sum(
        len(cluster.sandbox.calls("CreateParticipantConnection", visitor.contact_id))
        for visitor in visitors
    )
    assert connections == len(visitors) + moved


def links_of(proxy: Child) -> int:
    return int(requests.get(f"{proxy.url}/readyz", timeout=10).json()["links"])


def _deployed(cluster: RunningCluster, proxy: Child, visitors: list[Visitor]) -> None:
    """Tell a process to stop, see that it ends by itself, and start its successor."""
    begun, most = time.monotonic(), 0
    proxy.ask_to_end()
    while proxy.exit_code is None:
        assert time.monotonic() - begun < DRAINED_WITHIN_S, "it does not end"
        chats = cluster.sandbox.state()["contacts"]
        most = max(most, *(chat["sockets"] for chat in chats))
        time.sleep(0.1)
    assert proxy.exit_code == 0
    assert most <= 2
    cluster.restart(proxy)
