"""An event loop whose clock stands still while there is work, and jumps when all are waiting."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class VirtualLoop(asyncio.SelectorEventLoop):
    """For code that waits for nothing but time: an hour passes at once, in the order of timers."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Jumping(self))

    def time(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        self._now += seconds


class _Jumping(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """Where a loop would sleep until its next timer, time passes instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if timeout is None:
            raise RuntimeError("everybody waits, and no timer is set")
        if not ready and timeout > 0:
            # A little more: a timer is due when its time is over.
            self._loop.jump(timeout + 1e-6)
        return ready
