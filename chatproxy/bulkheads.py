"""Bounded thread pools, one per kind of work, so that a hung upstream call cannot hold up the rest.

A ship's bulkheads: when one compartment floods, the others stay dry. Each pool has so many threads
and a queue of so many places; what does not fit is refused at once, and what finds no thread in
time is refused then. Which request goes to which pool is decided here from method and path;
`onehop.py` runs it there.

Two kinds of request wait instead of being refused, thousands of them: CreateParticipantConnection
and the preflights before it. ChatJS takes three quick refusals of the first, or one failure of the
second, for the end of the session. A request that waits holds no thread, only its memory.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class BulkheadFull(Exception):
    """All threads of a pool are busy and its queue is full, or the wait in it was too long."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no room in the {name} pool")
        self.name = name


@dataclass(frozen=True)
class Size:
    """How much one pool takes on: calls that run, calls that wait for a thread, paused requests.

    A call waits ``wait_s`` seconds at most for its thread. A body has ``body_bytes`` at most; a
    message of 16,384 characters may be 197 kB of JSON escapes, and uploads do not come this way.
    """

    threads: int
    queue: int
    paused: int = 500
    wait_s: float = 3.0
    body_bytes: int = 262_144


#: 142 threads in all, started as they are needed. With a service that answers in 200 ms, 96 carry
#: 480 messages a second, forty-eight times what it grants an instance by default. Where thousands
#: wait, twice as many may as one process has tabs; their bodies are short; and a balancer, which
#: gives up after a minute, hears from us before.
DEFAULT_SIZES: Mapping[str, Size] = {
    "message": Size(threads=96, queue=64),
    "event": Size(threads=6, queue=64),
    "transcript": Size(threads=8, queue=64),
    "connection": Size(threads=6, queue=10_000, paused=10_000, wait_s=45.0, body_bytes=4096),
    "preflight": Size(threads=2, queue=10_000, wait_s=45.0, body_bytes=4096),
    "attachment": Size(threads=4, queue=32),
    "other": Size(threads=4, queue=32),
    "start": Size(threads=4, queue=32),
    "local": Size(threads=6, queue=128),
    "admin": Size(threads=2, queue=16, body_bytes=2_621_440),
    "site": Size(threads=4, queue=128),
}

_PARTICIPANT_POOLS = {
    "message": "message",
    "event": "event",
    "transcript": "transcript",
    "connection": "connection",
    "attachment": "attachment",
    "start-attachment-upload": "attachment",
    "complete-attachment-upload": "attachment",
}


def pool_for(method: str, path: str) -> str:
    """Name of the pool that serves ``method`` on ``path`` (the path without query, unquoted).

    A preflight costs nothing upstream, so it never waits behind the operation it asks about.
    """
    if method == "OPTIONS":
        return "preflight"
    head, _, rest = path.lstrip("/").partition("/")
    rest = rest.rstrip("/")
    if head == "participant":
        return _PARTICIPANT_POOLS.get(rest, "other")
    if head == "api":
        return _api_pool(method, rest)
    return "admin" if head == "admin" else "site"


def _api_pool(method: str, rest: str) -> str:
    """Our own REST is local work, but for the three routes that may call the service."""
    if rest == "v1/sessions" and method == "POST":
        return "start"
    if rest == "v1/session" and method == "DELETE":
        return "other"
    return "transcript" if rest == "v1/session/transcript" else "local"


class Bulkhead:
    """One pool: runs calls on its own threads, and refuses those beyond its bounds.

    Safe to use from any thread. ``paused`` and ``refused`` are counted by the event loop alone.
    """

    def __init__(self, name: str, size: Size) -> None:
        self.name = name
        self.size = size
        self.paused = 0
        self.refused = 0
        self._executor = ThreadPoolExecutor(size.threads, thread_name_prefix=f"chat-{name}")
        self._lock = threading.Lock()
        self._taken = 0

    @property
    def taken(self) -> int:
        """Calls running or queued at this moment."""
        return self._taken

    @property
    def crowded(self) -> bool:
        """True when the call submitted last may have to wait for a thread."""
        return self._taken > self.size.threads

    def submit(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run ``call`` on a thread of this pool.

        Raises:
            BulkheadFull: every thread is busy and every place in the queue is taken.
        """
        with self._lock:
            if self._taken >= self.size.threads + self.size.queue:
                raise BulkheadFull(self.name)
            self._taken += 1
        return self._start(call, *args, **kwargs)

    def submit_admitted(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the next hop of a request let in before: it queues, but is not refused any more."""
        with self._lock:
            self._taken += 1
        return self._start(call, *args, **kwargs)

    def pause(self) -> None:
        """Count one more request that gave its thread back and waits on the loop.

        Raises:
            BulkheadFull: too many wait already.
        """
        if self.paused >= self.size.paused:
            raise BulkheadFull(self.name)
        self.paused += 1

    def unpause(self) -> None:
        self.paused -= 1

    def shutdown(self) -> None:
        """Drop what is queued; calls that run are left to end by their own time limits."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    def _start(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        # A cancelled call stays in the executor's queue until a thread comes by: its request, the
        # body above all, must not stay with it.
        held = [partial(call, *args, **kwargs)]

        def release(_future: Future[T] | None) -> None:
            held.clear()
            with self._lock:
                self._taken -= 1

        try:
            future = self._executor.submit(lambda: held.pop()())
        except BaseException:
            release(None)
            raise
        future.add_done_callback(release)
        return future


class Bulkheads:
    """All pools of a process, by name."""

    def __init__(self, sizes: Mapping[str, Size] = DEFAULT_SIZES) -> None:
        self.by_name = {name: Bulkhead(name, size) for name, size in sizes.items()}

    def for_request(self, method: str, path: str) -> Bulkhead:
        """The pool that serves this request; see `pool_for`."""
        return self.by_name[pool_for(method, path)]

    def shutdown(self) -> None:
        for bulkhead in self.by_name.values():
            bulkhead.shutdown()
