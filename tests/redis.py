"""A Redis of a test run's own, on loopback, empty for each test that asks for it.

Where there is none, tests that ask for ``redis`` are skipped.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as redis_py

from chatproxy.child import Program
from chatproxy.cluster.servers import ProgramMissing, redis_server
from tests.processes import free_port


def address(server: Program) -> str:
    """Its URL, ``redis://127.0.0.1:1234/0``."""
    return f"redis://127.0.0.1:{server.port}/0"


@pytest.fixture(scope="session")
def running_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """One Redis for the whole run. A test asks for ``redis`` instead."""
    try:
        server = redis_server(free_port(), tmp_path_factory.mktemp("redis"))
    except ProgramMissing as err:
        pytest.skip(str(err))
    server.start()
    try:
        server.wait_ready()
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis(running_redis: Program) -> Iterator[Program]:
    """The run's Redis, up and empty; a test may kill, pause and start it."""
    if running_redis.exit_code is not None:  # a test before this one killed it
        running_redis.start()
    running_redis.resume()
    running_redis.wait_ready()
    with redis_py.Redis.from_url(address(running_redis)) as client:
        client.flushall()
    yield running_redis
    running_redis.resume()
