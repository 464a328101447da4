"""Who waits for a permit: by priority, in turns, not for ever, and without a trace."""

from __future__ import annotations

import asyncio
import threading

import pytest

from chatproxy.upstream.bucket import RATE_SHARE
from chatproxy.upstream.fairqueue import FairQueue
from chatproxy.upstream.governor import (
    MAX_WAITING_PER_SESSION,
    Governor,
    GovernorBusy,
    Group,
    Priority,
)
from tests.unit.upstream.governor.moved_time import (
    MESSAGE_BURST,
    MESSAGE_RATE,
    FakeTime,
    ask,
    drain,
    settle,
)


async def test_who_waits_is_served_as_permits_come(governor: Governor, time: FakeTime) -> None:
    drain(governor)
    done: list[str] = []
    for name in ("a", "b", "c"):
        ask(governor, done, name)
    await time.advance(1 / MESSAGE_RATE + 0.01)
    assert done == ["a"]
    await time.advance(2 / MESSAGE_RATE)
    assert done == ["a", "b", "c"]
    assert not any(governor.stats()[Group.MESSAGE].waiting)


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
    assert not any(governor.stats()[Group.MESSAGE].waiting)
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


async def test_who_waits_during_a_penalty_is_still_served(
    governor: Governor, time: FakeTime
) -> None:
    governor.penalise(Group.MESSAGE)
    done: list[str] = []
    for priority in (Priority.TYPING, Priority.RECEIPT, Priority.MESSAGE):
        ask(governor, done, priority.name, priority)
    await time.advance(5)
    assert len(done) == 3


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
