"""Connections that are kept open between calls: the one used last is used next.

Shared by all threads. One for each thread would cool down: of many threads each has its turn
seldom, and would find a connection that the other end has closed, or is about to.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from requests.adapters import BaseAdapter

# Load balancers close connections that idle for a minute or so; we close ours well before, so that
# a request does not run into the closing.
IDLE_LIMIT_S: Final = 20.0


class WarmAdapters:
    """As many adapters as calls were under way at one time, each with a connection of its own.

    Args:
        make: Makes one more.
        clock: Monotonic seconds.
    """

    def __init__(
        self, make: Callable[[], BaseAdapter], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._clock = clock
        self._idle: deque[tuple[float, BaseAdapter]] = deque()
        self._lock = threading.Lock()
        self._is_closed = False

    def take(self) -> BaseAdapter:
        """One for a single call, to be given back after it."""
        old: list[BaseAdapter] = []
        with self._lock:
            since = self._clock() - IDLE_LIMIT_S
            while self._idle and self._idle[0][0] < since:
                old.append(self._idle.popleft()[1])
            found = self._idle.pop()[1] if self._idle else None
        for adapter in old:
            adapter.close()
        return found or self._make()

    def give_back(self, adapter: BaseAdapter) -> None:
        """Its call is over, however that went."""
        with self._lock:
            if not self._is_closed:
                self._idle.append((self._clock(), adapter))
                return
        adapter.close()

    def close(self) -> None:
        """Close those that are idle now, and each of the others when it is given back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, deque()
        for _, adapter in idle:
            adapter.close()
