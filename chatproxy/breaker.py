"""A circuit breaker: what is away costs one caller its patience now and then, not every caller."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic


class Breaker:
    """Whether something that failed is worth another try. From any thread.

    Args:
        retry_s: Seconds after a failure in which nobody tries; then one caller does.
        changed: Told ``True`` when it is back and ``False`` when it is gone, once each.
    """

    def __init__(
        self,
        retry_s: float,
        changed: Callable[[bool], None],
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._retry_s = retry_s
        self._changed = changed
        self._clock = clock
        self._lock = threading.Lock()
        self._next_try = 0.0
        self.is_closed = True

    def may_try(self) -> bool:
        """Whether to ask; whoever is told so says afterwards what came of it."""
        if self.is_closed:
            return True
        with self._lock:
            now = self._clock()
            if now < self._next_try:
                return False
            self._next_try = now + self._retry_s
            return True

    def worked(self) -> None:
        if not self.is_closed:
            with self._lock:
                was_closed, self.is_closed = self.is_closed, True
            if not was_closed:
                self._changed(True)

    def failed(self) -> None:
        with self._lock:
            was_closed, self.is_closed = self.is_closed, False
            self._next_try = self._clock() + self._retry_s
        if was_closed:
            self._changed(False)
