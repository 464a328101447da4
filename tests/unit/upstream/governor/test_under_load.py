"""Whatever is asked for, and when: the service never has to throttle, and messages come first."""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproxy.upstream.bucket import Bucket
from chatproxy.upstream.governor import RESERVES, Governor, Group, Priority
from tests.unit.upstream.governor.moved_time import MESSAGE_RATE, FakeTime, ask


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


@pytest.mark.parametrize("what", [Priority.TYPING, Priority.RECEIPT])
@pytest.mark.parametrize("messages_per_s", [6.0, 7.3])
async def test_no_message_waits_behind_what_is_less_urgent(
    messages_per_s: float, what: Priority
) -> None:
    """Against the same messages at the same moments while nobody types."""
    alone, _ = await two_minutes(messages_per_s, None)
    waits, passed = await two_minutes(messages_per_s, what)
    assert sum(map(bool, waits)) <= sum(map(bool, alone)) + 0.01 * len(waits)
    assert sum(waits) <= sum(alone) + 0.001 * len(waits)
    assert passed > 0.75 * (MESSAGE_RATE - messages_per_s) * 120  # what messages leave


async def two_minutes(messages_per_s: float, what: Priority | None) -> tuple[list[float], int]:
    """How long each message waited, in seconds; and how much of ``what`` else passed.

    500 chats want that every three seconds, many times the quota.
    """
    time = FakeTime()
    governor = Governor(clock=time.clock, call_later=time.call_later)
    arriving, typing, waits, passed = random.Random(3), random.Random(4), list[float](), 0
    tasks = list[asyncio.Task[None]]()

    async def send() -> None:
        before = time.now
        await governor.acquire(Group.MESSAGE, Priority.MESSAGE, f"s{len(tasks)}", 10)
        governor.settle(Group.MESSAGE)
        waits.append(time.now - before)

    for step in range(120 * 200):
        wants = what is not None and typing.random() < 500 / 3 / 200
        if wants and governor.try_acquire(Group.MESSAGE, what or Priority.TYPING, f"t{step}"):
            governor.settle(Group.MESSAGE)
            passed += 1
        if arriving.random() < messages_per_s / 200:
            tasks.append(asyncio.create_task(send()))
        await time.advance(1 / 200)
    await asyncio.gather(*tasks)
    return waits, passed


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
            priority = Priority(number % len(RESERVES))
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
        assert not any(stats.waiting)
        assert all(task.done() for task in tasks)
        assert time.pending() == 0
        await asyncio.gather(*tasks, return_exceptions=True)

    run(scenario())


def run(scenario: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner() as runner:
        runner.run(scenario)
