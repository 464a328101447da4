"""What a browser, a page or a network that is dead can cost, and no more (docs/reliability.md)."""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from chatproxy.bulkheads import DEFAULT_SIZES
from tests.faults.wire import Wire
from tests.flow.client import Visitor, eventually
from tests.flow.sleeper import Sleeper, said_until_closed
from tests.processes import RunningDemo, RunningSandbox, free_port, started_demo
from tests.rawsocket import upgrade

KEPT_FOR_A_SLOW_READER = 1024 * 1024
#: What the kernel takes of a connection that nobody reads, at both ends, and what is said
#: in one turn of the loop, after which the bound is looked at.
IN_THE_KERNEL = 1024 * 1024
#: More than there are threads and places for messages.
CROWD = 200


@pytest.fixture(scope="module")
def between(
    running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[RunningDemo, Wire]]:
    """A proxy whose tabs are all of this module, and a wire that browsers may come by."""
    front = free_port()
    folder = tmp_path_factory.mktemp("bounds")
    # A quota that lets more through than there are threads.
    given = {"CONNECT_QUOTAS": '{"message": [1000, 1000]}'}
    given["CHAT_PUBLIC_URL"] = f"http://127.0.0.1:{front}"
    with started_demo(folder, running_sandbox, **given) as demo, Wire(front, demo.port) as wire:
        yield demo, wire


@pytest.fixture
def demo(between: tuple[RunningDemo, Wire]) -> RunningDemo:
    """With no tab yet."""
    demo, wire = between
    wire.clear()
    demo.sandbox.reset()
    demo.sandbox.change(bot=False, quotas="off")
    eventually(lambda: tabs(demo) == 0)
    return demo


def tabs(demo: RunningDemo) -> int:
    return int(requests.get(f"{demo.url}/readyz", timeout=10).json()["tabs"])


@pytest.mark.parametrize("fast_path", ["true", "false"])
def test_a_tab_that_does_not_read_is_closed_and_comes_back_to_everything(
    running_sandbox: RunningSandbox, tmp_path: Path, fast_path: str
) -> None:
    running_sandbox.reset()
    running_sandbox.change(bot=False, quotas="off")
    with started_demo(tmp_path, running_sandbox, CHAT_FAST_PATH=fast_path) as demo:
        visitor, neighbour = Visitor(demo.url), Visitor(demo.url)
        reader, other = visitor.open_tab(), neighbour.open_tab()
        sleeper = Sleeper(visitor.connect())
        with sleeper.socket:
            said = said_until_closed(demo, visitor, at_most=2000)
            read = sleeper.read_all()  # it wakes up before the connection is cut
        assert read.endswith(b"\x11\x30reads too slowly")
        assert len(read) < IN_THE_KERNEL + KEPT_FOR_A_SLOW_READER
        demo.sandbox.say(neighbour.contact_id, "as if nothing were")
        other.wait_text("as if nothing were", 5)
        reader.wait(lambda frame: f'"Content":"{said} x' in str(frame.get("content")))
        assert len(reader.texts()) == said
        again = visitor.open_tab(after="0")  # so much is not replayed, but read
        again.wait(lambda frame: bool((frame.get("content") or {}).get("reset")))
        messages = [item["Content"] for item in visitor.transcript() if item["Type"] == "MESSAGE"]
        assert messages == reader.texts()
        for tab in (reader, other, again):
            tab.close()


def test_the_ninth_tab_closes_the_first(demo: RunningDemo) -> None:
    visitor = Visitor(demo.url)
    opened = [visitor.open_tab() for _ in range(9)]
    assert opened[0].wait_closed() == 4500
    demo.sandbox.say(visitor.contact_id, "to eight")
    for tab in opened[1:]:
        tab.wait_text("to eight")
        tab.close()


def test_a_socket_that_says_nothing_is_one_of_the_eight(demo: RunningDemo) -> None:
    visitor = Visitor(demo.url)
    url = visitor.connect()
    at = urlsplit(url)
    with socket.create_connection((at.hostname or "", at.port or 0), timeout=20) as silent:
        silent.sendall(upgrade(url))
        head = silent.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 "), head
        opened = [visitor.open_tab() for _ in range(8)]
        assert (4500).to_bytes(2) in silent.recv(4096)
    for tab in opened:
        tab.close()


def test_dead_networks_are_noticed_on_both_sides(
    demo: RunningDemo, between: tuple[RunningDemo, Wire]
) -> None:
    _, wire = between
    visitor = Visitor(f"http://127.0.0.1:{wire.port}")
    tab = visitor.open_tab()
    assert tabs(demo) == 1
    contact, begun = f"contacts/{visitor.contact_id}", time.monotonic()
    demo.sandbox.control("POST", f"{contact}/half-open", {})
    wire.change(is_silent=True)

    def links() -> int:
        told = demo.sandbox.control("GET", contact)
        return int(told["sockets"]) - int(told["deaf"])

    assert links() == 0
    eventually(lambda: links() == 1, 17.0, "the service's silence is not noticed")
    left_s = 25.0 - (time.monotonic() - begun)
    eventually(lambda: tabs(demo) == 0, left_s, "the browser's silence is not noticed")
    wire.clear()
    tab.close()


def test_a_service_that_hangs_leaves_the_rest_quick_and_the_threads_bounded(
    demo: RunningDemo,
) -> None:
    visitor = Visitor(demo.url)
    visitor.connect()
    threads_before = threads(demo)
    demo.sandbox.add_fault(operation="SendMessage", kind="hang")
    message = {"ContentType": "text/plain", "Content": "hello"}
    with ThreadPoolExecutor(CROWD) as crowd:
        calls = [crowd.submit(visitor.call, "message", message) for _ in range(CROWD)]
        hung = DEFAULT_SIZES["message"].threads
        eventually(lambda: demo.sandbox.state()["requests"].get("SendMessage", 0) == hung)
        for _ in range(5):
            begun = time.monotonic()
            assert visitor.get("session").status_code == 200
            assert visitor.call("transcript", {}).status_code == 200
            visitor.connect()
            assert time.monotonic() - begun < 2.0
        assert threads(demo) <= threads_before + sum(
            size.threads for size in DEFAULT_SIZES.values()
        )
        demo.sandbox.clear_faults()
        answers = Counter(call.result().status_code for call in calls)
    # Who found no room was told to try again.
    assert answers.keys() <= {200, 429, 500}, answers


def threads(demo: RunningDemo) -> int:
    return len(os.listdir(f"/proc/{demo.child.pid}/task"))
