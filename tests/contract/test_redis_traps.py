"""What Redis and the libraries around it are known to do to a process, and what we make of it."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import RequestFactory, override_settings

from chatproxy.api import limits
from chatproxy.child import ROOT, Program
from chatproxy.demo import environment
from chatproxy.sessions.errors import RateLimited
from tests.processes import clean_environment
from tests.redis import address

IDLE = """
import asyncio
from channels.layers import get_channel_layer

async def main():
    layer = get_channel_layer()
    channel = await layer.new_channel()
    received = asyncio.create_task(layer.receive(channel))
    # redis-py gives up on a quiet socket after five seconds, unless told otherwise.
    await asyncio.wait({received}, timeout=6.5)
    assert not received.done(), received.exception()
    await layer.send(channel, {"type": "hello"})
    print(await asyncio.wait_for(received, 5))

asyncio.run(main())
"""


@pytest.fixture
def counted_in_redis(redis: Program) -> Iterator[Program]:
    """The Redis in which starts are counted."""
    limits._limiter.cache_clear()
    limits._local_limiter.cache_clear()
    with override_settings(REDIS_URL=address(redis), CHAT_STARTS_PER_ADDRESS="3/minute"):
        yield redis
    limits._limiter.cache_clear()


def start(number: int = 1) -> None:
    limits.limit_starts(RequestFactory().get("/", REMOTE_ADDR=f"203.0.113.{number}"))


def test_a_redis_that_hangs_costs_one_start_a_moment_and_loses_no_limit(
    counted_in_redis: Program,
) -> None:
    start()
    counted_in_redis.pause()
    begun = time.monotonic()
    for number in range(2, 22):
        start(number)
    # Each would wait for its own patience, or for redis-py's five seconds.
    assert time.monotonic() - begun < 10 * limits.REDIS_WITHIN_S
    for _ in range(3):
        start(99)
    with pytest.raises(RateLimited):
        start(99)

    counted_in_redis.resume()
    end = time.monotonic() + 10
    while not limits._redis.is_closed:
        assert time.monotonic() < end, "it was not found back"
        start(int(time.monotonic() * 10) % 50 + 120)
        time.sleep(0.1)
    start()
    start()
    with pytest.raises(RateLimited):
        start()  # the first of the four was counted before it hung


def test_a_quiet_channel_layer_goes_on_listening(redis: Program, tmp_path: Path) -> None:
    environ = {**clean_environment(), "REDIS_URL": address(redis)}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", IDLE],
        cwd=ROOT,
        env=environment(8000, 8001, environ, var=tmp_path),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "'hello'" in done.stdout
