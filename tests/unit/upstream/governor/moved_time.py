"""A clock that tests move, and those who ask a governor for permits on it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from chatproxy.upstream.bucket import JITTER_S, RATE_SHARE
from chatproxy.upstream.governor import Governor, Group, Priority

MESSAGE_RATE, MESSAGE_BURST = 10 * RATE_SHARE, 15 - 10 * RATE_SHARE * JITTER_S


class FakeTime:
    """A clock and its timers; time passes in `advance` alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._numbers = itertools.count()

    def clock(self) -> float:
        return self.now

    def call_later(self, delay_s: float, call: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(call)
        heapq.heappush(self._timers, (self.now + delay_s, next(self._numbers), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Let time pass, calling what is due when it is due, and coroutines run in between."""
        end = self.now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.call()
            await settle()
        self.now = end

    def pending(self) -> int:
        return sum(1 for _, _, timer in self._timers if not timer.cancelled)


class FakeTimer:
    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def drain(governor: Governor, group: Group = Group.MESSAGE) -> int:
    """Take all there is, and have it answered; how many that were."""
    taken = sum(
        1
        for _ in range(100)
        if governor.try_acquire(group, Priority.MESSAGE, "a session of its own")
    )
    for _ in range(taken):
        governor.settle(group)
    return taken


def ask(
    governor: Governor,
    done: list[str],
    name: str,
    priority: Priority = Priority.MESSAGE,
    *,
    session: str = "",
    group: Group = Group.MESSAGE,
    timeout_s: float = 60.0,
) -> asyncio.Task[None]:
    """A coroutine that waits for a permit and then writes its name down."""

    async def wait() -> None:
        await governor.acquire(group, priority, session or name, timeout_s)
        governor.settle(group)
        done.append(name)

    return asyncio.create_task(wait())
