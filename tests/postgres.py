"""A PostgreSQL of a test run's own, on loopback, in a folder that goes with it.

Debian's binaries, which do not run as root: then it runs as ``postgres``. Where there are none,
tests that ask for ``postgres`` are skipped.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.processes import free_port

READY_WITHIN_S = 30.0


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The server's address without a database, ``postgres://chat@127.0.0.1:1234``."""
    found = shutil.which("initdb")
    if found is None:
        pytest.skip("needs PostgreSQL's initdb in the PATH")
    programs, port = Path(found).resolve().parent, free_port()
    # Not below pytest's own folder, which is closed to other users.
    folder = Path(tempfile.mkdtemp(prefix="chatproxy-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user, user)
    data, address = folder / "data", f"postgres://chat@127.0.0.1:{port}"
    make = ["-D", str(data), "-U", "chat", "-A", "trust", "-E", "UTF8", "--no-sync"]
    options = {"fsync": "off", "unix_socket_directories": folder, "listen_addresses": "127.0.0.1"}
    serve = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        quiet = {"cwd": folder, "stdout": log, "stderr": log, "user": user, "group": user}
        subprocess.run([programs / "initdb", *make], check=True, **quiet)
        server = subprocess.Popen(
            [programs / "postgres", "-D", str(data), "-p", str(port), *serve], **quiet
        )
        try:
            _wait_ready(address, folder / "log")
            yield address
        finally:
            server.terminate()  # what it waits for, the clients, is gone
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _wait_ready(address: str, log: Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            psycopg.connect(f"{address}/postgres").close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="session")
def postgres(postgres_server: str) -> Callable[[], str]:
    """``postgres()``: the URL of a new, empty database."""

    def create() -> str:
        name = f"chat_{uuid.uuid4().hex}"
        with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return f"{postgres_server}/{name}"

    return create
