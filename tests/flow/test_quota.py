"""Many chats on one instance's quota: messages come first, and the service never has to throttle.

``LOAD_CHATS=200`` runs it as large as it is described in docs/benchmarks.md; by default it is small
enough for every run.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.flow.client import EVENT, Visitor
from tests.processes import UNLIMITED, RunningDemo

CHATS = int(os.environ.get("LOAD_CHATS", "24"))
SECONDS = 8.0
# A little less than the service's ten a second, so that any wait is typing's fault.
MESSAGES_PER_S = 6.0


def test_no_message_waits_behind_typing_and_nothing_is_throttled(demo: RunningDemo) -> None:
    demo.sandbox.change(bot=False, quotas="exact")
    demo.manage("shell", "-c", UNLIMITED)
    # Few at a time: starts wait for the quota too, and not for ever.
    with ThreadPoolExecutor(8) as pool:
        visitors = list(pool.map(lambda _: Visitor(demo.url), range(CHATS)))
        list(pool.map(lambda visitor: visitor.connect(), visitors))
    waits, others = _load(demo, visitors)

    state = demo.sandbox.state()
    print(
        f"\n{CHATS} chats: {len(waits)} messages, median {statistics.median(waits) * 1000:.0f} ms, "
        f"longest {max(waits) * 1000:.0f} ms; other routes median "
        f"{statistics.median(others) * 1000:.0f} ms, longest {max(others) * 1000:.0f} ms; "
        f"sent upstream {state['requests']}, throttled {state['throttled']}"
    )
    assert state["throttled"] in ({}, 0), state["throttled"]
    assert statistics.median(waits) < 0.5, sorted(waits)[-5:]
    # Behind typing they would wait until they are refused, after eight seconds.
    assert max(waits) < 6.0, sorted(waits)[-5:]
    assert statistics.median(others) < 0.5, sorted(others)[-5:]


def _load(demo: RunningDemo, visitors: list[Visitor]) -> tuple[list[float], list[float]]:
    """Everybody types for some seconds while messages are sent; times of sends, of other routes."""
    over = threading.Event()
    typing = {"ContentType": EVENT + "typing"}

    def type_on(share: list[Visitor]) -> None:
        while not over.is_set():
            for visitor in share:
                visitor.call("event", typing)
                over.wait(0.02)

    def look_on() -> list[float]:
        found = []
        while not over.wait(0.25):
            began = time.monotonic()
            requests.get(f"{demo.url}/readyz", timeout=10)
            found.append(time.monotonic() - began)
        return found

    with ThreadPoolExecutor(6) as pool:
        for number in range(4):
            pool.submit(type_on, visitors[number::4])
        looking = pool.submit(look_on)
        waits = [
            _timed_send(visitors[n % len(visitors)], n)
            for n in range(int(SECONDS * MESSAGES_PER_S))
        ]
        over.set()
        return waits, looking.result()


def _timed_send(visitor: Visitor, number: int) -> float:
    began = time.monotonic()
    visitor.send(f"message {number}")
    took = time.monotonic() - began
    time.sleep(max(0.0, 1 / MESSAGES_PER_S - took))
    return took
