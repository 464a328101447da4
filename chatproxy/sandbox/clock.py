"""The sandbox's time: the wall clock plus an offset, with timers that follow it.

Lifetimes of a day are part of the protocol, and no test wants to wait for one: ``advance``
moves the offset and runs, in order, whatever fell due in between. Everything in the sandbox
that asks for the time or for a timer asks here.
"""

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime


class Timer:
    """A call that has been asked for; ``cancel`` it when it is no longer wanted."""

    __slots__ = ("callback", "when")

    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when = when
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Clock:
    """Seconds since the epoch, UTC. Timers fire by themselves only under a running event loop."""

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._offset_s = 0.0
        self._stopped_at: float | None = None
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, Timer]] = []
        self._wake_up: asyncio.TimerHandle | None = None

    def now(self) -> float:
        wall = self._wall() if self._stopped_at is None else self._stopped_at
        return wall + self._offset_s

    def stop(self) -> None:
        """Let time stand still; only ``advance`` moves it."""
        if self._stopped_at is None:
            self._stopped_at = self._wall()
        self._arm()

    def go_on(self) -> None:
        """Let time pass again, from where it stands."""
        if self._stopped_at is not None:
            self._offset_s += self._stopped_at - self._wall()
            self._stopped_at = None
        self._arm()

    def call_later(self, delay_s: float, callback: Callable[[], object]) -> Timer:
        """Run ``callback`` once, ``delay_s`` seconds of sandbox time from now."""
        timer = Timer(self.now() + delay_s, callback)
        heapq.heappush(self._waiting, (timer.when, next(self._order), timer))
        if self._wake_up is None or self._waiting[0][2] is timer:
            self._arm()
        return timer

    def advance(self, seconds: float) -> None:
        """Move time forward and run what fell due, each timer at its own moment."""
        target = self.now() + seconds
        while self._waiting and self._waiting[0][0] <= target:
            self._offset_s += max(0.0, self._waiting[0][0] - self.now())
            self._run_first()
        self._offset_s += max(0.0, target - self.now())
        self._arm()

    def clear(self) -> None:
        """Forget every timer, and be the wall clock again."""
        self._waiting.clear()
        self._offset_s = 0.0
        self._stopped_at = None
        self._arm()

    def _run_first(self) -> None:
        _, _, timer = heapq.heappop(self._waiting)
        if timer.callback is not None:
            timer.callback()

    def _run_due(self) -> None:
        self._wake_up = None
        while self._waiting and self._waiting[0][0] <= self.now():
            self._run_first()
        self._arm()

    def _arm(self) -> None:
        if self._wake_up is not None:
            self._wake_up.cancel()
            self._wake_up = None
        if not self._waiting or self._stopped_at is not None:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # plain synchronous use: the owner moves the clock by hand
        # A floor keeps a timer that fires a rounding error too early from spinning the loop.
        delay_s = max(0.001, self._waiting[0][0] - self.now())
        self._wake_up = loop.call_later(min(delay_s, 3600.0), self._run_due)


def as_instant(seconds: float) -> str:
    """``yyyy-MM-ddTHH:mm:ss.SSSZ``, the service's only time format."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
