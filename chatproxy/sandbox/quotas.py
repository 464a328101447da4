"""The service's rate limits, exact: one token bucket per instance and operation group.

Participant Service rates count per instance, all its chats together; the Connect service's per
account, which here is the whole sandbox. Off unless ``options.quotas`` is "exact".
"""

from dataclasses import dataclass

from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.options import Options
from chatproxy.upstream.vocabulary import (
    CONNECT_QUOTAS,
    PARTICIPANT_QUOTAS,
    SHARED_BUCKETS,
    Operation,
    Quota,
)

ACCOUNT = "account"


@dataclass
class Bucket:
    """``tokens`` as they stood at ``at``."""

    quota: Quota
    tokens: float
    at: float

    def take(self, now: float) -> bool:
        """Take one token if there is one."""
        self.tokens = min(self.quota.burst, self.tokens + (now - self.at) * self.quota.rate)
        self.at = now
        # Refills are sums of fractions: 0.1 s ten times must make a whole second's worth.
        if self.tokens < 1.0 - 1e-9:
            return False
        self.tokens -= 1.0
        return True


class Quotas:
    """All buckets, made full when first asked for."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self._buckets: dict[tuple[str, str], Bucket] = {}

    def allow(self, operation: Operation, instance_id: str) -> bool:
        """Whether the service would take this call now; counts it if so."""
        if self._options.quotas == "off":
            return True
        if operation in CONNECT_QUOTAS:
            instance_id = ACCOUNT
        key = (instance_id, _bucket_name(operation))
        now = self._clock.now()
        if key not in self._buckets:
            quota = CONNECT_QUOTAS.get(operation) or PARTICIPANT_QUOTAS[operation]
            self._buckets[key] = Bucket(quota, quota.burst, now)
        return self._buckets[key].take(now)

    def clear(self) -> None:
        """Fill every bucket again."""
        self._buckets.clear()


def _bucket_name(operation: Operation) -> str:
    shared = next((group for group in SHARED_BUCKETS if operation in group), {operation})
    return "+".join(sorted(shared))
