"""A PostgreSQL of a test run's own, on loopback, in a folder that goes with it.

Where there is none, tests that ask for ``postgres`` are skipped.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from chatproxy.child import Program
from chatproxy.cluster.servers import ProgramMissing, postgres_server
from tests.processes import free_port

READY_WITHIN_S = 30.0


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Program]:
    """The server itself, for a test that stops or kills it; it must be up again when that ends."""
    # Not below pytest's own folder, which is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="chatproxy-postgres-"))
    try:
        server = postgres_server(free_port(), folder)
    except ProgramMissing as err:
        pytest.skip(str(err))
    server.start()
    try:
        wait_for_postgres(server)
        yield server
    finally:
        server.stop()  # what it waits for, the clients, is gone
        shutil.rmtree(folder, ignore_errors=True)


def address(server: Program) -> str:
    """The server's address without a database, ``postgres://chat@127.0.0.1:1234``."""
    return f"postgres://chat@127.0.0.1:{server.port}"


def wait_for_postgres(server: Program) -> None:
    """Return once it answers."""
    end = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            psycopg.connect(f"{address(server)}/postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, server.tail()
            time.sleep(0.1)
        else:
            return


def new_database(server: Program) -> str:
    """The URL of a new, empty database."""
    name = f"chat_{uuid.uuid4().hex}"
    with psycopg.connect(f"{address(server)}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    return f"{address(server)}/{name}"


@pytest.fixture(scope="session")
def postgres(running_postgres: Program) -> Callable[[], str]:
    """``postgres()``: the URL of a new, empty database."""
    return lambda: new_database(running_postgres)
