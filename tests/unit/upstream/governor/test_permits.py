"""Permits: as many as the quota has, by priority, fewer for a while after a refusal."""

from __future__ import annotations

import pytest

from chatproxy.upstream.bucket import RATE_SHARE
from chatproxy.upstream.governor import PENALTY_S, Governor, Group, Priority
from tests.unit.upstream.governor.moved_time import MESSAGE_BURST, MESSAGE_RATE, FakeTime, drain


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


async def test_typing_leaves_half_of_the_burst_to_messages(governor: Governor) -> None:
    while governor.try_acquire(Group.MESSAGE, Priority.TYPING, "s1"):
        pass
    assert governor.stats()[Group.MESSAGE].tokens >= MESSAGE_BURST / 2 - 1
    assert governor.try_acquire(Group.MESSAGE, Priority.MESSAGE, "s2")


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
