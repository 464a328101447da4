"""Which connection is used for the next call, and when one is closed."""

from __future__ import annotations

import itertools

import pytest
from requests.adapters import BaseAdapter

from chatproxy.upstream.warm import IDLE_LIMIT_S, WarmAdapters
from tests.unit.upstream.clock import Clock


class Numbered(BaseAdapter):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def warm(clock: Clock) -> WarmAdapters:
    numbers = itertools.count(1)
    return WarmAdapters(lambda: Numbered(next(numbers)), clock)


def taken(warm: WarmAdapters) -> Numbered:
    adapter = warm.take()
    assert isinstance(adapter, Numbered)
    return adapter


def test_calls_at_one_time_have_one_each_and_the_one_used_last_is_next(warm: WarmAdapters) -> None:
    first, second = taken(warm), taken(warm)
    assert (first.number, second.number) == (1, 2)
    warm.give_back(second)
    warm.give_back(first)
    assert [taken(warm).number for _ in range(3)] == [1, 2, 3]


def test_what_has_idled_too_long_is_closed_and_what_has_not_is_used(
    warm: WarmAdapters, clock: Clock
) -> None:
    cold, used = taken(warm), taken(warm)
    warm.give_back(cold)
    clock.now += IDLE_LIMIT_S - 1
    warm.give_back(used)
    clock.now += 2
    assert taken(warm) is used
    assert (cold.is_closed, used.is_closed) == (True, False)


def test_closing_closes_the_idle_ones_now_and_the_others_after_their_call(
    warm: WarmAdapters,
) -> None:
    idle, busy = taken(warm), taken(warm)
    warm.give_back(idle)
    warm.close()
    assert (idle.is_closed, busy.is_closed) == (True, False)
    warm.give_back(busy)
    assert busy.is_closed
