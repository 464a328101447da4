"""The sandbox's clock: timers fire in their order and at their moment, however far time jumps."""

import asyncio

from chatproxy.sandbox.clock import Clock, as_instant


def test_timers_fire_in_order_each_at_its_moment() -> None:
    clock, fired = Clock(wall=lambda: 1000.0), []
    for delay in (30, 10, 20):
        clock.call_later(delay, lambda delay=delay: fired.append((delay, clock.now())))
    clock.advance(25)
    assert fired == [(10, 1010.0), (20, 1020.0)]
    assert clock.now() == 1025.0
    clock.advance(5)
    assert fired[-1] == (30, 1030.0)


def test_a_timer_set_by_a_timer_fires_in_the_same_jump() -> None:
    clock, fired = Clock(wall=lambda: 0.0), []
    clock.call_later(1, lambda: clock.call_later(1, lambda: fired.append(clock.now())))
    clock.advance(3)
    assert fired == [2.0]


def test_a_cancelled_timer_does_not_fire() -> None:
    clock, fired = Clock(wall=lambda: 0.0), []
    clock.call_later(1, lambda: fired.append(1)).cancel()
    clock.advance(2)
    assert fired == []


async def test_timers_fire_by_themselves_under_a_loop() -> None:
    clock, fired = Clock(), asyncio.Event()
    clock.call_later(0.01, fired.set)
    await asyncio.wait_for(fired.wait(), 5)


def test_an_instant_has_three_decimals_and_a_z() -> None:
    assert as_instant(0) == "1970-01-01T00:00:00.000Z"
    assert as_instant(1_700_000_000.0019) == "2023-11-14T22:13:20.001Z"


def test_a_stopped_clock_moves_only_when_advanced() -> None:
    wall = [100.0]
    clock = Clock(wall=lambda: wall[0])
    clock.stop()
    wall[0] = 150.0
    assert clock.now() == 100.0
    clock.advance(5)
    assert clock.now() == 105.0
    clock.go_on()
    wall[0] = 151.0
    assert clock.now() == 106.0
