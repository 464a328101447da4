"""What is remembered of recent calls: request ids and timings, for a support case or a log line.

Bounded in number and in time, and holds no request alive: an entry is found by the request object
itself, and is gone when the object is.
"""

import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from chatproxy.upstream.fields import Request

#: Told of each call that has ended: operation, seconds, and the error or None. From any thread;
#: must not raise.
Observer = Callable[[str, float, Exception | None], None]


@dataclass(frozen=True, slots=True)
class ResponseMetadata:
    """One call, answered or refused.

    Attributes:
        operation: Name as in the API reference.
        request_id: The service's own id of the call; None if the answer carried none.
        status_code: HTTP status.
        answered_at: Aware UTC time.
        duration_s: From sending to the last byte of the answer.
    """

    operation: str
    request_id: str | None
    status_code: int
    answered_at: datetime
    duration_s: float


class MetadataCache:
    """The last ``size`` calls, each for ``lifetime_s`` seconds. Thread-safe."""

    def __init__(
        self,
        *,
        size: int = 1_000,
        lifetime_s: float = 300.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._size = size
        self._lifetime_s = lifetime_s
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[int, tuple[weakref.ref[Request], float, ResponseMetadata]] = (
            OrderedDict()
        )

    def remember(self, request: Request, metadata: ResponseMetadata) -> None:
        """Keep the metadata of a call; a repeated request keeps the latest."""
        with self._lock:
            self._entries.pop(id(request), None)
            self._entries[id(request)] = (weakref.ref(request), self._clock(), metadata)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def recall(self, request: Request) -> ResponseMetadata | None:
        """The metadata of this very request object, while it is remembered."""
        with self._lock:
            reference, kept_at, metadata = self._entries.get(id(request), (None, 0.0, None))
            if reference is None or reference() is not request:
                return None
            if self._clock() - kept_at > self._lifetime_s:
                del self._entries[id(request)]
                return None
            return metadata

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
