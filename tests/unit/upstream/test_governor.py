"""The governor on a clock that tests move: within the quota, by priority, fair, leaking nothing."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproxy.upstream.bucket import JITTER_S, RATE_SHARE, Bucket
from chatproxy.upstream.fairqueue import FairQueue
from chatproxy.upstream.governor import (
    MAX_WAITING_PER_SESSION,
    PENALTY_S,
    Governor,
    GovernorBusy,
    Group,
    Priority,
)

MESSAGE_RATE, MESSAGE_BURST = 10 * RATE_SHARE, 15 - 10 * RATE_SHARE * JITTER_S


class FakeTime:
    """A clock and its timers; time passes in `advance` alone."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._timers: list[tuple[float, int, FakeTimer]] = []
        self._numbers = itertools.count()

    def clock(self) -> float:
        return self.now

    def call_later(self, delay_s: float, call: Callable[[], object]) -> FakeTimer:
        timer = FakeTimer(call)
        heapq.heappush(self._timers, (self.now + delay_s, next(self._numbers), timer))
        return timer

    async def advance(self, seconds: float) -> None:
        """Let time pass, calling what is due when it is due, and coroutines run in between."""
        end = self.now + seconds
        await settle()
        while self._timers and self._timers[0][0] <= end:
            self.now, _, timer = heapq.heappop(self._timers)
            if not timer.cancelled:
                timer.call()
            await settle()
        self.now = end

    def pending(self) -> int:
        return sum(1 for _, _, timer in self._timers if not timer.cancelled)


class FakeTimer:
    def __init__(self, call: Callable[[], object]) -> None:
        self.call = call
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def governor(time: FakeTime) -> Governor:
    return Governor(clock=time.clock, call_later=time.call_later, rng=random.Random(7))


def drain(governor: Governor, group: Group = Group.MESSAGE) -> int:
    """Take all there is, and have it answered; how many that were."""
    taken = sum(
        1
        for _ in range(100)
        if governor.try_acquire(group, Priority.MESSAGE, "a session of its own")
    )
    for _ in range(taken):
        governor.settle(group)
    return taken


def ask(
    governor: Governor,
    done: list[str],
    name: str,
    priority: Priority = Priority.MESSAGE,
    *,
    session: str = "",
    group: Group = Group.MESSAGE,
    timeout_s: float = 60.0,
) -> asyncio.Task[None]:
    """A coroutine that waits for a permit and then writes its name down."""

    async def wait() -> None:
        await governor.acquire(group, priority, session or name, timeout_s)
        governor.settle(group)
        done.append(name)

    return asyncio.create_task(wait())


async def test_a_permit_at_hand_is_had_without_waiting(governor: Governor, time: FakeTime) -> None:
    await governor.acquire(Group.START_CHAT, Priority.NEW_CHAT, "s1", timeout_s=0)
    assert governor.try_acquire(Group.START_CHAT, Priority.NEW_CHAT, "s2")
    assert time.pending() == 0


async def test_the_bucket_is_a_little_smaller_than_the_services(
    governor: Governor, time: FakeTime
) -> None:
    assert drain(governor) == int(MESSAGE_BURST) == 12
    time.now += 10
    assert drain(governor) == 12
    stats = governor.stats()[Group.MESSAGE]
    assert (stats.rate, stats.burst) == (MESSAGE_RATE, MESSAGE_BURST)


async def test_groups_have_buckets_of_their_own(governor: Governor) -> None:
    drain(governor, Group.MESSAGE)
    assert governor.try_acquire(Group.TRANSCRIPT, Priority.READER, "s1")


def test_an_instance_may_have_other_quotas(time: FakeTime) -> None:
    governor = Governor({"message": (100, 150)}, clock=time.clock)
    assert governor.stats()[Group.MESSAGE].rate == 100 * RATE_SHARE
    assert governor.stats()[Group.CONNECTION].rate == 6 * RATE_SHARE


@pytest.mark.parametrize("quotas", [{"messages": (1, 1)}, {"message": (0, 5)}, {"message": (1, 0)}])
def test_a_quota_that_makes_no_sense_is_refused(quotas: dict[str, tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match=r"messages|rate"):
        Governor(quotas)


async def test_who_waits_is_served_as_permits_come(governor: Governor, time: FakeTime) -> None:
    drain(governor)
    done: list[str] = []
    for name in ("a", "b", "c"):
        ask(governor, done, name)
    await time.advance(1 / MESSAGE_RATE + 0.01)
    assert done == ["a"]
    await time.advance(2 / MESSAGE_RATE)
    assert done == ["a", "b", "c"]
    assert governor.stats()[Group.MESSAGE].waiting == (0, 0, 0)


async def test_messages_go_before_receipts_before_typing(
    governor: Governor, time: FakeTime
) -> None:
    drain(governor)
    done: list[str] = []
    ask(governor, done, "typing", Priority.TYPING)
    ask(governor, done, "receipt", Priority.RECEIPT)
    await settle()
    ask(governor, done, "message", Priority.MESSAGE)
    await time.advance(10)
    assert done == ["message", "receipt", "typing"]


async def test_typing_leaves_half_of_the_burst_to_messages(governor: Governor) -> None:
    while governor.try_acquire(Group.MESSAGE, Priority.TYPING, "s1"):
        pass
    assert governor.stats()[Group.MESSAGE].tokens >= MESSAGE_BURST / 2 - 1
    assert governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "s2")


async def test_nobody_overtakes_who_waits_at_the_same_or_a_higher_priority(
    governor: Governor, time: FakeTime
) -> None:
    drain(governor)
    done: list[str] = []
    ask(governor, done, "first", Priority.RECEIPT)
    await settle()
    time.now += 5  # permits are there, but the waiter's timer has not fired
    assert not governor.try_acquire(Group.MESSAGE, Priority.TYPING, "s2")
    assert not governor.try_acquire(Group.MESSAGE, Priority.RECEIPT, "s2")
    assert governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "s2")
    ask(governor, done, "second", Priority.RECEIPT)
    await time.advance(5)
    assert done == ["first", "second"]


async def test_sessions_take_turns(governor: Governor, time: FakeTime) -> None:
    drain(governor)
    done: list[str] = []
    for number in range(5):
        ask(governor, done, f"greedy {number}", session="greedy")
    await settle()
    ask(governor, done, "modest 0", session="modest")
    ask(governor, done, "other 0", session="other")
    await time.advance(5)
    assert done[:4] == ["greedy 0", "modest 0", "other 0", "greedy 1"]
    assert len(done) == 7


async def test_one_session_cannot_fill_the_queue(governor: Governor, time: FakeTime) -> None:
    drain(governor)
    done: list[str] = []
    tasks = [
        ask(governor, done, str(number), session="flood")
        for number in range(MAX_WAITING_PER_SESSION + 1)
    ]
    await settle()
    with pytest.raises(GovernorBusy):
        await tasks[-1]
    ask(governor, done, "other")
    await time.advance(20)
    assert len(done) == MAX_WAITING_PER_SESSION + 1


async def test_waiting_ends_in_time_and_says_when_to_come_back(
    governor: Governor, time: FakeTime
) -> None:
    drain(governor, Group.START_CHAT)
    done: list[str] = []
    group = Group.START_CHAT
    patient = [ask(governor, done, f"p{n}", group=group) for n in range(20)]
    hasty = ask(governor, done, "hasty", group=group, timeout_s=0.5)
    await time.advance(0.6)
    with pytest.raises(GovernorBusy) as busy:
        await hasty
    assert 1.0 <= busy.value.retry_after_s <= 20 / (5 * RATE_SHARE) + 1
    await time.advance(20)
    assert len(done) == len(patient)
    assert time.pending() == 0


async def test_a_cancelled_waiter_leaves_nothing_behind(governor: Governor, time: FakeTime) -> None:
    drain(governor)
    done: list[str] = []
    gone = ask(governor, done, "gone")
    await settle()
    gone.cancel()
    await asyncio.wait({gone})
    assert governor.stats()[Group.MESSAGE].waiting == (0, 0, 0)
    await time.advance(1)
    assert time.pending() == 0
    assert governor.stats()[Group.MESSAGE].tokens == pytest.approx(
        min(MESSAGE_BURST, MESSAGE_BURST % 1 + MESSAGE_RATE)
    )


async def test_a_permit_given_to_a_cancelled_waiter_goes_to_the_next(
    governor: Governor, time: FakeTime
) -> None:
    drain(governor)
    done: list[str] = []
    first, _second = ask(governor, done, "first"), ask(governor, done, "second")
    await settle()
    time.now += 1 / MESSAGE_RATE + 0.001
    governor._lanes[Group.MESSAGE]._pump()  # the permit is given; the task has not run yet
    first.cancel()
    await asyncio.wait({first})
    await time.advance(0.01)
    assert done == ["second"]
    assert governor.stats()[Group.MESSAGE].granted == 12 + 1


async def test_threads_may_take_while_coroutines_wait(governor: Governor, time: FakeTime) -> None:
    drain(governor)
    done: list[str] = []
    for number in range(30):
        ask(governor, done, str(number), Priority.RECEIPT)
    await settle()
    time.now += 0.5
    taken: list[bool] = []

    def take() -> None:
        taken.extend(
            governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "thread") for _ in range(200)
        )

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == 5  # what half a second brought, and not one more
    await time.advance(60)
    assert len(done) == 30
    assert governor.stats()[Group.MESSAGE].granted == 12 + 5 + 30


async def test_a_throttled_group_goes_slower_for_a_while(
    governor: Governor, time: FakeTime
) -> None:
    governor.penalise(Group.MESSAGE)
    stats = governor.stats()[Group.MESSAGE]
    assert (stats.halved, stats.penalties, stats.tokens) == (True, 1, 0.0)
    assert not governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "s1")
    time.now += 2 / MESSAGE_RATE + 0.001
    assert governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "s1")
    assert not governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "s1")
    assert governor.try_acquire(Group.TRANSCRIPT, Priority.READER, "s1")
    time.now += PENALTY_S + 10
    assert not governor.stats()[Group.MESSAGE].halved
    assert drain(governor) == 12


async def test_who_waits_during_a_penalty_is_still_served(
    governor: Governor, time: FakeTime
) -> None:
    governor.penalise(Group.MESSAGE)
    done: list[str] = []
    for priority in (Priority.TYPING, Priority.RECEIPT, Priority.MESSAGE):
        ask(governor, done, priority.name, priority)
    await time.advance(5)
    assert len(done) == 3


async def test_no_message_waits_behind_typing(governor: Governor, time: FakeTime) -> None:
    """200 chats typing every ten seconds want twice the quota; six messages a second still fit."""
    rng = random.Random(3)
    waits: list[float] = []
    typed = 0

    async def send() -> None:
        before = time.now
        await governor.acquire(Group.MESSAGE, Priority.MESSAGE, f"s{rng.random()}", 10)
        governor.settle(Group.MESSAGE)
        waits.append(time.now - before)

    tasks: list[asyncio.Task[None]] = []
    for _ in range(60 * 50):
        wants_to_type = rng.random() < 20 / 50
        if wants_to_type and governor.try_acquire(
            Group.MESSAGE, Priority.TYPING, str(rng.random())
        ):
            governor.settle(Group.MESSAGE)
            typed += 1
        if rng.random() < 6 / 50:
            tasks.append(asyncio.create_task(send()))
        await time.advance(1 / 50)
    await asyncio.gather(*tasks)
    assert len(waits) > 300
    assert max(waits) == 0.0
    assert typed > 100  # what messages leave


class Service:
    """The service's own bucket, full, as it counts arrivals."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate, self.burst, self.tokens, self.at = rate, burst, burst, 0.0

    def accepts(self, at: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (at - self.at) * self.rate)
        self.at = at
        if self.tokens < 1 - 1e-9:
            return False
        self.tokens -= 1
        return True


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    quota=st.sampled_from([(2, 5), (5, 8), (6, 9), (10, 15)]),
    pattern=st.lists(
        st.tuples(st.floats(0, 3, allow_nan=False), st.integers(1, 40)), min_size=1, max_size=60
    ),
)
def test_the_service_never_has_to_throttle_though_we_are_held_up_for_seconds(
    seed: int, quota: tuple[float, float], pattern: list[tuple[float, int]]
) -> None:
    """Each request arrives up to 3 s after its permit; answers come up to half a second later."""
    rng, now = random.Random(seed), 50.0
    bucket, arrivals, answers = Bucket(*quota, now), list[float](), list[float]()
    for pause, tries in pattern:
        now += pause
        while answers and answers[0] <= now:
            bucket.settle(heapq.heappop(answers))
        for _ in range(tries):
            if bucket.take(now):
                arrivals.append(now + rng.uniform(0, 3))
                heapq.heappush(answers, arrivals[-1] + rng.uniform(0, 0.5))
    service = Service(*quota)
    assert all(service.accepts(at) for at in sorted(arrivals))


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    quota=st.sampled_from([(2, 5), (3, 5), (5, 8), (6, 9), (8, 12), (10, 15), (100, 150)]),
    pattern=st.lists(
        st.tuples(st.floats(0, 3, allow_nan=False), st.integers(1, 40)), min_size=1, max_size=60
    ),
)
def test_the_service_never_has_to_throttle_though_requests_arrive_late(
    seed: int, quota: tuple[float, float], pattern: list[tuple[float, int]]
) -> None:
    """Any pattern of tries; each request arrives up to 150 ms after its permit, in any order."""
    rng, now = random.Random(seed), 50.0
    bucket, arrivals = Bucket(*quota, now), list[float]()
    for pause, tries in pattern:
        now += pause
        arrivals += [now + rng.uniform(0, 0.150) for _ in range(tries) if bucket.take(now)]
    service = Service(*quota)
    assert all(service.accepts(at) for at in sorted(arrivals))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["take", "wait", "cancel", "penalise", "pass"]), st.integers(0, 9)
        )
    )
)
def test_whatever_happens_grants_stay_within_the_rate_and_nobody_is_forgotten(
    steps: list[tuple[str, int]],
) -> None:
    async def scenario() -> None:
        time = FakeTime()
        governor = Governor(clock=time.clock, call_later=time.call_later, rng=random.Random(1))
        tasks, begun = list[asyncio.Task[None]](), time.now
        for step, number in steps:
            priority = Priority(number % 3)
            if step == "take":
                governor.try_acquire(Group.CONNECTION, priority, f"s{number}")
            elif step == "wait":
                tasks.append(
                    ask(governor, [], f"s{number}", priority, group=Group.CONNECTION, timeout_s=5)
                )
            elif step == "cancel" and tasks:
                tasks[number % len(tasks)].cancel()
            elif step == "penalise":
                governor.penalise(Group.CONNECTION)
            await time.advance(number / 7)
        await time.advance(60)
        stats = governor.stats()[Group.CONNECTION]
        assert stats.granted <= stats.burst + stats.rate * (time.now - begun)
        assert stats.waiting == (0, 0, 0)
        assert all(task.done() for task in tasks)
        assert time.pending() == 0
        await asyncio.gather(*tasks, return_exceptions=True)

    run(scenario())


def run(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner() as runner:
        runner.run(scenario)


def test_the_queue_gives_each_session_its_turn() -> None:
    queue: FairQueue[str] = FairQueue(2)
    for priority, session, item in [(1, "a", "a1"), (1, "a", "a2"), (1, "b", "b1"), (0, "c", "c1")]:
        queue.add(priority, session, item)
    assert queue.lengths() == [1, 3]
    assert queue.first() == (0, "c1")
    assert [queue.pop() for _ in range(3)] == ["c1", "a1", "b1"]
    assert queue.remove(1, "a", "a2")
    assert not queue.remove(1, "a", "a2")
    assert queue.first() is None
