"""A condition to wait for, alone or with others: `asyncio.Event`, as thousands of sockets need it.

An event has a queue of its own, 760 bytes of it, and waiting for the first of several takes a task
for each. Here a wait is one future, whatever it waits for. For the event loop alone; ``is_set`` may
be asked from any thread.
"""

from __future__ import annotations

import asyncio


class Flag:
    """Set or not; not at first."""

    __slots__ = ("_is_set", "_waiters")

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: list[asyncio.Future[None]] = []

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        """Whoever waits may go on."""
        self._is_set = True
        for waiter in self._waiters:
            _release(waiter)

    def clear(self) -> None:
        self._is_set = False


async def any_set(*flags: Flag, within_s: float | None = None) -> bool:
    """Wait until one of ``flags`` is set, for at most so long.

    Returns:
        Whether one was.
    """
    if any(flag._is_set for flag in flags):
        return True
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    timer = None if within_s is None else loop.call_later(within_s, _release, waiter)
    for flag in flags:
        flag._waiters.append(waiter)
    try:
        await waiter
    finally:
        for flag in flags:
            flag._waiters.remove(waiter)
        if timer is not None:
            timer.cancel()
    return any(flag._is_set for flag in flags)


def _release(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
