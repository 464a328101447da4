"""The sockets of a process, counted while they come and go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from chatproxy.relay.crowd import Crowd
from tests.unit.relay.fakes import FakeTab


def test_it_is_counted_on_any_thread_while_it_changes() -> None:
    crowd, tab = Crowd(), FakeTab()
    for number in range(2_000):
        crowd.enter(f"stays {number}", tab)
    with ThreadPoolExecutor(1) as metrics:
        counting = metrics.submit(lambda: [len(crowd) for _ in range(1_000)])
        while not counting.done():
            for number in range(100):
                crowd.enter(f"comes {number}", tab)
            for number in range(100):
                crowd.leave(f"comes {number}", tab)
    assert 2_000 <= min(counting.result()) <= max(counting.result()) <= 2_100
    assert len(crowd) == 2_000
