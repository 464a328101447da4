"""The bucket that processes spend together, in a real Redis: the same arithmetic, one quota."""

from __future__ import annotations

import math
import random
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from chatproxy.child import Program
from chatproxy.upstream.bucket import Bucket
from chatproxy.upstream.governor import RESERVES
from chatproxy.upstream.sharedbucket import WITHIN_S, SharedBucket, SharedRedis
from tests.redis import address

RATE, BURST = 10.0, 15.0


@pytest.fixture
def make_bucket(redis: Program) -> Callable[..., SharedBucket]:
    """``make_bucket(name, processes=…)``: a process's own bucket, on a connection of its own.

    Patient, unless told otherwise: a busy machine may stand still for longer than a process waits.
    """

    def make(
        name: str, *, processes: int = 1, within_s: float = 5.0, **options: bool
    ) -> SharedBucket:
        store = SharedRedis(address(redis), lambda: processes, within_s=within_s)
        return SharedBucket(store, name, RATE, BURST, time.monotonic(), **options)

    return make


@pytest.mark.parametrize("seed", range(5))
def test_it_does_what_the_bucket_in_memory_does(
    make_bucket: Callable[..., SharedBucket], seed: int
) -> None:
    chance, now = random.Random(seed), 1000.0
    shared, own = make_bucket(f"same-{seed}", by_redis_time=False), Bucket(RATE, BURST, now)
    own.empty()
    shared.level(now)
    for _ in range(300):
        now += chance.choice([0.0, 0.01, 0.1, 0.5, 4.0]) * chance.random()
        reserve, seconds = chance.choice(RESERVES), 5 * chance.random()
        match chance.choice(["take"] * 6 + ["settle"] * 3 + ["give back", "halve", "look"]):
            case "take":
                assert shared.take(now, reserve) == own.take(now, reserve)
            case "settle":
                shared.settle(now)
                own.settle(now)
            case "give back":
                shared.give_back(now)
                own.give_back(now)
            case "halve":
                shared.halve(now, seconds)
                own.halve(now, seconds)
        assert math.isclose(shared.level(now), own.level(now), abs_tol=1e-3)
        assert math.isclose(shared.delay(now, reserve), own.delay(now, reserve), abs_tol=1e-3)
        assert shared.is_halved(now) == own.is_halved(now)


def taken(bucket: SharedBucket, seconds: float, reserve: float = 0.0) -> list[float]:
    """When it gave a permit, asked all the time."""
    times, end = list[float](), time.monotonic() + seconds
    while (now := time.monotonic()) < end:
        if bucket.take(now, reserve):
            times.append(time.monotonic())
        else:
            time.sleep(0.005)
    return times


def allowed(seconds: float) -> float:
    return BURST + RATE * seconds


def test_three_processes_spend_one_quota(make_bucket: Callable[..., SharedBucket]) -> None:
    name = str(uuid.uuid4())
    with ThreadPoolExecutor(3) as pool:
        begun = time.monotonic()
        spent = list(pool.map(lambda _: taken(make_bucket(name), 2.0), range(3)))
        seconds = time.monotonic() - begun
    everything = sorted(moment for times in spent for moment in times)
    assert 10 < len(everything) <= allowed(seconds)
    for first, moment in enumerate(everything):  # in any window
        within = sum(1 for later in everything[first:] if later - moment <= 0.5)
        assert within <= allowed(0.5)


def test_what_one_process_may_shed_leaves_room_for_anothers_messages(
    make_bucket: Callable[..., SharedBucket],
) -> None:
    name = str(uuid.uuid4())
    typing, messages = make_bucket(name), make_bucket(name)
    with ThreadPoolExecutor(1) as pool:
        shed = pool.submit(taken, typing, 2.0, RESERVES[2])
        time.sleep(1.0)
        assert all(messages.take(time.monotonic()) for _ in range(4))
        assert shed.result()


@pytest.mark.parametrize("way", ["kill", "pause"])
def test_without_redis_each_spends_its_share_and_nobody_waits_for_it(
    make_bucket: Callable[..., SharedBucket], redis: Program, way: str
) -> None:
    name = str(uuid.uuid4())
    buckets = [make_bucket(name, processes=2, within_s=WITHIN_S) for _ in range(2)]
    for bucket in buckets:
        bucket.take(time.monotonic())
    getattr(redis, way)()
    with ThreadPoolExecutor(2) as pool:
        begun = time.monotonic()
        spent = list(pool.map(lambda bucket: taken(bucket, 2.0), buckets))
        seconds = time.monotonic() - begun
    assert all(len(times) > 3 for times in spent)
    assert sum(len(times) for times in spent) <= allowed(seconds)

    if way == "pause":
        redis.resume()
    else:
        redis.start()
        redis.wait_ready()
    end = time.monotonic() + 10
    while not all(bucket.is_shared for bucket in buckets):
        assert time.monotonic() < end, "it was not found back"
        time.sleep(0.05)
    # One that was restarted knows of nothing spent: it grants no second burst.
    now = time.monotonic()
    assert sum(bucket.take(now) for bucket in buckets for _ in range(20)) <= BURST
