"""What the sandbox has been asked and what it answered: counts, and the last calls one by one.

Tests read it over the control API: how often an operation was called, whether a retry repeated its
ClientToken on the same connection token, whether anything was ever throttled.
"""

import hashlib
from collections import Counter, deque
from dataclasses import asdict, dataclass
from typing import Any

CALLS_KEPT = 5000


@dataclass
class SeenCall:
    """One call. ``connection`` is a fingerprint of the bearer token, not the token."""

    at: float
    operation: str
    contact_id: str | None
    status: int | None
    error: str | None
    client_token: str | None
    connection: str | None
    content_type: str | None


class Ledger:
    """Counts since the last reset."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.answers: dict[str, Counter[str]] = {}
        self.throttled: Counter[str] = Counter()
        self.calls: deque[SeenCall] = deque(maxlen=CALLS_KEPT)

    def note(self, call: SeenCall) -> None:
        """Count a call that was answered, or that never will be (``status`` None)."""
        self.requests[call.operation] += 1
        outcome = "none" if call.status is None else str(call.status)
        self.answers.setdefault(call.operation, Counter())[outcome] += 1
        if call.status == 429:
            self.throttled[call.operation] += 1
        self.calls.append(call)

    def as_dict(self) -> dict[str, Any]:
        return {
            "requests": dict(self.requests),
            "answers": {name: dict(counts) for name, counts in self.answers.items()},
            "throttled": dict(self.throttled),
        }

    def calls_as_dicts(self) -> list[dict[str, Any]]:
        return [asdict(each) for each in self.calls]

    def clear(self) -> None:
        self.requests.clear()
        self.answers.clear()
        self.throttled.clear()
        self.calls.clear()


def fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:12]
