"""Who sends a byte now and then holds a connection of nginx, and nothing of ours."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator

import pytest

from tests.cluster import RunningCluster, started_cluster
from tests.flow.client import Visitor

SENDERS = 150
CLOSED_WITHIN_S = 25.0
HEAD = b"POST /participant/message HTTP/1.1\r\nHost: 127.0.0.1\r\n"


@pytest.fixture
def cluster() -> Iterator[RunningCluster]:
    with started_cluster(processes=1) as running:
        running.sandbox.change(bot=False, quotas="off")
        yield running


def test_slow_senders_reach_no_process(cluster: RunningCluster) -> None:
    (process,) = cluster.proxies
    visitor = Visitor(cluster.url)
    tab = visitor.open_tab()
    before = len(os.listdir(f"/proc/{process.pid}/fd"))
    at = ("127.0.0.1", cluster.cluster.nginx.port)
    slow_heads = [socket.create_connection(at) for _ in range(SENDERS)]
    slow_bodies = [socket.create_connection(at) for _ in range(SENDERS)]
    for one in slow_heads:
        one.sendall(HEAD)
    for one in slow_bodies:
        one.sendall(HEAD + b"Content-Length: 1000\r\n\r\n")
    open_heads, end = list(slow_heads), time.monotonic() + CLOSED_WITHIN_S
    number = 0
    while open_heads:
        assert time.monotonic() < end, f"{len(open_heads)} are still open"
        for one in open_heads:
            _trickle(one, b"X-%d: y\r\n" % number)
        for one in slow_bodies:
            _trickle(one, b"x")
        number += 1
        begun = time.monotonic()
        visitor.send(f"line {number}")
        tab.wait_text(f"line {number}", 2.0)
        assert time.monotonic() - begun < 2.0
        assert len(os.listdir(f"/proc/{process.pid}/fd")) < before + 30
        closed = set(select.select(open_heads, [], [], 1.0)[0])
        open_heads = [one for one in open_heads if one not in closed]
    for one in (*slow_heads, *slow_bodies):
        one.close()
    tab.close()


def _trickle(sender: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # closed just now
        sender.sendall(data)
