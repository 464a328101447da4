"""Waiting for the first of several conditions, without leaving anything behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatproxy.flag import Flag, any_set


async def test_who_waits_goes_on_with_the_first_that_is_set() -> None:
    first, second = Flag(), Flag()
    waiting = [asyncio.create_task(any_set(first, second)) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    second.set()
    second.set()
    assert await asyncio.gather(*waiting) == [True, True, True]
    assert (first.is_set(), second.is_set()) == (False, True)


async def test_what_is_set_already_is_not_waited_for() -> None:
    flag = Flag()
    flag.set()
    assert await any_set(Flag(), flag)


async def test_a_wait_that_takes_too_long_says_so() -> None:
    assert not await any_set(Flag(), within_s=0.01)


async def test_a_cleared_flag_is_waited_for_again() -> None:
    flag = Flag()
    flag.set()
    flag.clear()
    assert not await any_set(flag, within_s=0.01)


async def test_one_that_is_set_and_cleared_at_once_lets_nobody_believe_that_it_is_set() -> None:
    flag = Flag()
    waiting = asyncio.create_task(any_set(flag, within_s=5.0))
    await asyncio.sleep(0)
    flag.set()
    flag.clear()
    assert not await waiting


async def test_a_wait_that_is_over_leaves_no_timer(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    call_later = loop.call_later

    def noted(*given: Any) -> asyncio.TimerHandle:
        timers.append(call_later(*given))
        return timers[-1]

    monkeypatch.setattr(loop, "call_later", noted)
    flag = Flag()
    waiting = asyncio.create_task(any_set(flag, within_s=60.0))
    await asyncio.sleep(0)
    flag.set()
    assert await waiting
    assert [timer.cancelled() for timer in timers] == [True]


async def test_a_wait_that_is_cancelled_leaves_nothing_behind() -> None:
    first, second = Flag(), Flag()
    waiting = asyncio.create_task(any_set(first, second, within_s=60.0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert (first._waiters, second._waiters) == ([], [])
    first.set()
