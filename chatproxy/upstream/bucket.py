"""A token bucket that stays inside the service's own, and shrinks for a while when told to.

Pure arithmetic: the time is an argument. Whose turn it is decides `governor.py`.
"""

from __future__ import annotations

from collections import deque

#: Requests do not arrive as evenly as they were sent: TLS set-up, a busy thread, the network. What
#: may bunch up within this time is kept back from the burst.
JITTER_S = 0.25

#: Share of the service's rate that is used. The rest is for clocks that differ, and for agents,
#: whose own panels spend the same quota.
RATE_SHARE = 0.95

#: A request unanswered for so long has arrived, or never will: connecting is given up before.
ARRIVED_AFTER_S = 3.5

#: Tokens are sums of many small floats; this much less than one still counts as one.
_EPSILON = 1e-9


class Bucket:
    """Permits for one group of operations: at most ``burst`` at once, ``rate`` a second after.

    Args:
        rate: Requests a second the service allows.
        burst: Requests at once the service allows.
        now: Present time in seconds, as in all methods; must not run backwards.

    Sending by this bucket's permits never exceeds ``burst + rate * t`` arrivals in any ``t``
    seconds, however late requests arrive. While one is under way, nobody knows whether the service
    has counted it; the service's bucket may be full and lose what comes in, so ours fills no
    further than its burst less what is under way. `settle` says that one has been answered.
    """

    def __init__(self, rate: float, burst: float, now: float) -> None:
        if rate <= 0 or burst < 1:
            raise ValueError(
                f"A quota needs a rate above 0 and a burst of 1 or more: {rate=} {burst=}"
            )
        self.rate = rate * RATE_SHARE
        self.burst = max(1.0, burst - self.rate * JITTER_S)
        self._tokens = self.burst
        self._updated = now
        self._halved_until = now
        self._service_burst = burst
        self._under_way: deque[float] = deque()

    def take(self, now: float, reserve: float = 0.0) -> bool:
        """Take one permit, if there is one besides the ``reserve`` (share of the burst, 0 to 1)."""
        self._refill(now)
        if self._tokens + _EPSILON < self._needed(now, reserve):
            return False
        self._tokens -= 1.0
        self._under_way.append(now)
        return True

    def settle(self, now: float) -> None:
        """One request that was permitted has been answered, or will never be."""
        self._refill(now)
        if self._under_way:
            self._under_way.popleft()

    def give_back(self, now: float) -> None:
        """Return a permit that was not used."""
        self._refill(now)
        if self._under_way:
            self._under_way.pop()
        self._tokens = min(self._tokens + 1.0, self._capacity(now))

    def halve(self, now: float, duration_s: float) -> None:
        """Empty the bucket, and give half the rate and half the burst for ``duration_s``."""
        self._refill(now)
        self._tokens = min(self._tokens, 0.0)
        self._halved_until = max(self._halved_until, now + duration_s)

    def empty(self) -> None:
        """Start from nothing."""
        self._tokens = 0.0

    def delay(self, now: float, reserve: float = 0.0) -> float:
        """Seconds until `take` would succeed, if nobody else takes; 0 when it would at once."""
        self._refill(now)
        missing = self._needed(now, reserve) - self._tokens
        if missing <= _EPSILON:
            return 0.0
        halved_s = max(0.0, self._halved_until - now)
        if missing <= halved_s * self.rate / 2:
            return missing / (self.rate / 2)
        return halved_s + (missing - halved_s * self.rate / 2) / self.rate

    def level(self, now: float) -> float:
        """Permits at hand; below zero never."""
        self._refill(now)
        return self._tokens

    def is_halved(self, now: float) -> bool:
        return now < self._halved_until

    def _capacity(self, now: float) -> float:
        capacity = max(1.0, self.burst / 2) if self.is_halved(now) else self.burst
        return min(capacity, max(0.0, self._service_burst - len(self._under_way)))

    def _needed(self, now: float, reserve: float) -> float:
        full = max(1.0, self.burst / 2) if self.is_halved(now) else self.burst
        return 1.0 + reserve * (full - 1.0)

    def _refill(self, now: float) -> None:
        while self._under_way and self._under_way[0] <= now - ARRIVED_AFTER_S:
            self._under_way.popleft()
        passed = max(0.0, now - self._updated)
        halved = min(passed, max(0.0, self._halved_until - self._updated))
        self._tokens += (passed - halved / 2) * self.rate
        self._tokens = min(self._tokens, self._capacity(now))
        self._updated = max(self._updated, now)
