"""Spends one Connect instance's quota: by priority, fairly between sessions, never beyond it.

The service counts requests per instance, all chats together, and answers 429 beyond its rates. Here
every upstream call first gets a permit of its group. `Governor.try_acquire` takes one in passing,
from any thread; `Governor.acquire` waits for one on the event loop. Lower priorities leave part of
the burst untouched, so that a message never finds the bucket emptied by typing; who waits is served
before who comes later. What may be shed is not queued: its caller tries once and drops it.

Token arithmetic is in `bucket.py`, the order of those who wait in `fairqueue.py`. Where several
processes spend one quota, the buckets are in Redis (`sharedbucket.py`), and who waits, waits here.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Final, Protocol

from chatproxy.upstream.bucket import Bucket
from chatproxy.upstream.errors import ChatProxyError
from chatproxy.upstream.fairqueue import FairQueue
from chatproxy.upstream.vocabulary import CONNECT_QUOTAS, PARTICIPANT_QUOTAS, Operation


class Group(StrEnum):
    """Operations that share one of the service's buckets."""

    CONNECTION = "connection"
    MESSAGE = "message"  # SendMessage and SendEvent
    TRANSCRIPT = "transcript"
    ATTACHMENT_GET = "attachment_get"
    DISCONNECT = "disconnect"
    UPLOAD_START = "upload_start"
    UPLOAD_COMPLETE = "upload_complete"
    OTHER = "other"
    START_CHAT = "start_chat"
    STOP_CONTACT = "stop_contact"


class Priority(IntEnum):
    """Who comes first within a group. Names for different groups may stand for the same rank."""

    NORMAL = 0
    NEW_CHAT = 0
    MESSAGE = 0
    READER = 0  # a person waits for this transcript
    TAB_CONNECTION = 1
    GAP = 1  # a link fills its gap for tabs that are open
    BACKGROUND = 2
    RECEIPT = 3
    TYPING = 4


#: Operation whose published quota a group has.
_QUOTA_OF: Final = {
    Group.CONNECTION: Operation.CREATE_PARTICIPANT_CONNECTION,
    Group.MESSAGE: Operation.SEND_MESSAGE,
    Group.TRANSCRIPT: Operation.GET_TRANSCRIPT,
    Group.ATTACHMENT_GET: Operation.GET_ATTACHMENT,
    Group.DISCONNECT: Operation.DISCONNECT_PARTICIPANT,
    Group.UPLOAD_START: Operation.START_ATTACHMENT_UPLOAD,
    Group.UPLOAD_COMPLETE: Operation.COMPLETE_ATTACHMENT_UPLOAD,
    Group.OTHER: Operation.DESCRIBE_VIEW,
    Group.START_CHAT: Operation.START_CHAT_CONTACT,
    Group.STOP_CONTACT: Operation.STOP_CONTACT,
}

#: Share of the burst each priority leaves for those above it. In the long run nobody gets less for
#: it, only later: what can wait or be shed leaves nearly all of the burst to a rush of messages.
RESERVES: Final = (0.0, 0.25, 0.5, 0.8, 0.9)

#: Longest time the bucket stays halved after a 429; the actual one is random, so that processes
#: that were throttled together do not come back together.
PENALTY_S: Final = 30.0

#: One session may have this many requests waiting in a group: a flood is refused, not queued.
MAX_WAITING_PER_SESSION: Final = 16
MAX_WAITING: Final = 20_000

_RETRY_AFTER_CAP_S: Final = 60.0


class GovernorBusy(ChatProxyError):
    """No permit within the time given; ``retry_after_s`` is when there may be one."""

    def __init__(self, group: Group, retry_after_s: float) -> None:
        super().__init__(f"The quota for {group} is used up.")
        self.group = group
        self.retry_after_s = retry_after_s


class Timer(Protocol):
    def cancel(self) -> object: ...


CallLater = Callable[[float, Callable[[], object]], Timer]


@dataclass(frozen=True, slots=True)
class GroupStats:
    """One group at this moment. ``waiting`` is by priority; the rest are totals since the start."""

    tokens: float
    rate: float
    burst: float
    halved: bool
    waiting: tuple[int, ...]
    granted: int
    refused: int
    penalties: int
    waited_s: float


class Spent(Protocol):
    """A bucket, as `bucket.Bucket` describes it."""

    rate: float
    burst: float

    def take(self, now: float, reserve: float = 0.0) -> bool: ...
    def settle(self, now: float) -> None: ...
    def give_back(self, now: float) -> None: ...
    def halve(self, now: float, duration_s: float) -> None: ...
    def delay(self, now: float, reserve: float = 0.0) -> float: ...
    def level(self, now: float) -> float: ...
    def is_halved(self, now: float) -> bool: ...


MakeBucket = Callable[[Group, float, float, float], Spent]


def _in_memory(group: Group, rate: float, burst: float, now: float) -> Spent:
    return Bucket(rate, burst, now)


class Governor:
    """The quota of one Connect instance, shared by the threads and one event loop of a process.

    Args:
        quotas: Rate and burst by group name, where the instance's differ from the published ones.
        make_bucket: Makes a group's bucket of its rate, its burst and the time.
        clock: Monotonic seconds.
        call_later: Runs a callback after so many seconds; the running loop's own when left out.
        rng: Source of the penalty's length.
    """

    def __init__(
        self,
        quotas: Mapping[str, tuple[float, float]] | None = None,
        *,
        make_bucket: MakeBucket = _in_memory,
        clock: Callable[[], float] = time.monotonic,
        call_later: CallLater | None = None,
        rng: random.Random | None = None,
    ) -> None:
        given = {Group(name): pair for name, pair in (quotas or {}).items()}
        published = {**PARTICIPANT_QUOTAS, **CONNECT_QUOTAS}
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311 - spreads load, guards nothing
        self._lanes = {}
        for group, operation in _QUOTA_OF.items():
            quota = published[operation]
            rate, burst = given.get(group, (quota.rate, quota.burst))
            bucket = make_bucket(group, rate, burst, clock())
            self._lanes[group] = _Lane(group, bucket, clock, call_later)

    def try_acquire(self, group: Group, priority: Priority, session_id: str) -> bool:
        """Take a permit if one is at hand and nobody of this or a higher priority waits for it.

        Never blocks; may be called from any thread.
        """
        lane = self._lanes[group]
        return lane.try_take(priority) or lane.refuse()

    async def acquire(
        self, group: Group, priority: Priority, session_id: str, timeout_s: float
    ) -> None:
        """Wait for a permit. Cancelling is safe at any moment and costs nobody a permit.

        Raises:
            GovernorBusy: none within ``timeout_s``, or too many wait already.
        """
        lane = self._lanes[group]
        if not lane.try_take(priority):
            await lane.wait(priority, session_id, timeout_s)

    def settle(self, group: Group) -> None:
        """A permitted call has ended, however it did. Any thread may call.

        Not to say so costs little: after some seconds the call counts as ended anyway.
        """
        self._lanes[group].settle()

    def penalise(self, group: Group) -> None:
        """The service throttled a call of this group: go slower for a while. Any thread may call.

        Others, agents among them, spend the same quota; what we count is not all there is.
        """
        self._lanes[group].halve(self._rng.uniform(0.0, PENALTY_S))

    def retry_after_s(self, group: Group, priority: Priority) -> float:
        """Seconds after which a refused caller has a chance, for a ``Retry-After``."""
        return self._lanes[group].retry_after_s(priority)

    def stats(self) -> dict[Group, GroupStats]:
        """Every group at this moment, for metrics."""
        return {group: lane.stats() for group, lane in self._lanes.items()}


class _Waiter:
    """One coroutine that waits for a permit. Compared by identity."""

    __slots__ = ("future", "granted", "priority", "session_id", "since")

    def __init__(
        self, future: asyncio.Future[None], priority: Priority, session_id: str, since: float
    ) -> None:
        self.future = future
        self.priority = priority
        self.session_id = session_id
        self.since = since
        self.granted = False


class _Lane:
    """One group: its bucket, and who waits for it. The lock guards both, and is never held long.

    Waiters, their futures and the timer belong to the event loop; threads only take and halve.
    """

    def __init__(
        self,
        group: Group,
        bucket: Spent,
        clock: Callable[[], float],
        call_later: CallLater | None,
    ) -> None:
        self._group = group
        self._bucket = bucket
        self._clock = clock
        self._call_later = call_later
        self._lock = threading.Lock()
        self._queue: FairQueue[_Waiter] = FairQueue(len(RESERVES))
        self._timer: Timer | None = None
        self._granted = self._refused = self._penalties = 0
        self._waited_s = 0.0

    def try_take(self, priority: Priority) -> bool:
        with self._lock:
            taken = not self._queue.blocks(priority) and self._bucket.take(
                self._clock(), RESERVES[priority]
            )
            self._granted += taken
        return taken

    def refuse(self) -> bool:
        """Count a caller that found no permit and does not wait; False, for it to return."""
        with self._lock:
            self._refused += 1
        return False

    async def wait(self, priority: Priority, session_id: str, timeout_s: float) -> None:
        future = asyncio.get_running_loop().create_future()
        waiter = _Waiter(future, priority, session_id, self._clock())
        with self._lock:
            self._admit(waiter)
            self._set_timer()
        timer = self._after(timeout_s, lambda: self._time_out(waiter))
        try:
            await future
        except asyncio.CancelledError:
            self._abandon(waiter)
            raise
        finally:
            timer.cancel()

    def settle(self) -> None:
        with self._lock:
            self._bucket.settle(self._clock())

    def halve(self, duration_s: float) -> None:
        with self._lock:
            self._penalties += 1
            self._bucket.halve(self._clock(), duration_s)

    def retry_after_s(self, priority: Priority) -> float:
        with self._lock:
            return self._estimate(priority)

    def stats(self) -> GroupStats:
        with self._lock:
            now = self._clock()
            return GroupStats(
                tokens=self._bucket.level(now),
                rate=self._bucket.rate,
                burst=self._bucket.burst,
                halved=self._bucket.is_halved(now),
                waiting=tuple(self._queue.lengths()),
                granted=self._granted,
                refused=self._refused,
                penalties=self._penalties,
                waited_s=self._waited_s,
            )

    def _admit(self, waiter: _Waiter) -> None:
        everybody = sum(self._queue.lengths())
        if (
            everybody >= MAX_WAITING
            or self._queue.of_session(waiter.session_id) >= MAX_WAITING_PER_SESSION
        ):
            self._refused += 1
            raise GovernorBusy(self._group, self._estimate(waiter.priority))
        self._queue.add(waiter.priority, waiter.session_id, waiter)

    def _estimate(self, priority: Priority) -> float:
        """Until those ahead are served and one more permit has come."""
        delay = self._bucket.delay(self._clock(), RESERVES[priority])
        delay += self._queue.ahead_of(priority) / self._bucket.rate
        return min(max(delay, 1.0), _RETRY_AFTER_CAP_S)

    def _pump(self) -> None:
        """Give out the permits there are, in order, and come back when the next one is due."""
        with self._lock:
            self._timer = None
            served = self._serve()
            self._set_timer()
        for waiter in served:
            if not waiter.future.done():
                waiter.future.set_result(None)

    def _serve(self) -> list[_Waiter]:
        now, served = self._clock(), list[_Waiter]()
        while (first := self._queue.first()) is not None:
            priority, waiter = first
            if not waiter.future.done():
                if not self._bucket.take(now, RESERVES[priority]):
                    break
                waiter.granted = True
                self._granted += 1
                self._waited_s += now - waiter.since
                served.append(waiter)
            self._queue.pop()
        return served

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        first = self._queue.first()
        if first is not None:
            delay = self._bucket.delay(self._clock(), RESERVES[first[0]])
            self._timer = self._after(max(delay, 0.001), self._pump)

    def _time_out(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.future.done() or waiter.granted:
                return
            self._queue.remove(waiter.priority, waiter.session_id, waiter)
            self._refused += 1
            busy = GovernorBusy(self._group, self._estimate(waiter.priority))
            self._set_timer()
        waiter.future.set_exception(busy)

    def _abandon(self, waiter: _Waiter) -> None:
        """Forget a cancelled waiter; a permit it was given and never used goes to the next one."""
        with self._lock:
            if waiter.granted:
                self._granted -= 1
                self._bucket.give_back(self._clock())
            else:
                self._queue.remove(waiter.priority, waiter.session_id, waiter)
            self._set_timer()

    def _after(self, delay_s: float, call: Callable[[], object]) -> Timer:
        later = self._call_later or asyncio.get_running_loop().call_later
        return later(delay_s, call)
