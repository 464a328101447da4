"""A database that goes away under a running proxy: what the process does until it is back."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from chatproxy.demo import proxy_process
from tests.flow.client import eventually
from tests.processes import READY_WITHIN_S, RunningDemo, RunningSandbox


class Cable:
    """Carries one port to another until it is cut."""

    def __init__(self, to_port: int) -> None:
        self._to = ("127.0.0.1", to_port)
        self._door = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self.port: int = self._door.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """From here on nobody answers, and what was open is closed."""
        for one in (self._door, *self._ends):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._door.accept()
                far = socket.create_connection(self._to)
                self._ends += (near, far)
                threading.Thread(target=self._carry, args=(near, far), daemon=True).start()

    def _carry(self, near: socket.socket, far: socket.socket) -> None:
        other = {near: far, far: near}
        with suppress(OSError, ValueError):
            while True:
                for one in select.select([near, far], [], [])[0]:
                    if not (data := one.recv(65536)):
                        raise OSError
                    other[one].sendall(data)
        for one in (near, far):
            one.close()


@pytest.fixture
def cable(postgres: Callable[[], str]) -> Iterator[tuple[Cable, str]]:
    """A cable to a PostgreSQL, and the address of the database at its near end."""
    address = postgres()
    port = urlsplit(address).port
    assert port is not None
    cable = Cable(port)
    yield cable, address.replace(f":{port}/", f":{cable.port}/")
    cable.cut()


def test_a_process_whose_database_is_away_ends_soon_when_told(
    start_demo: Callable[..., RunningDemo],
    sandbox: RunningSandbox,
    cable: tuple[Cable, str],
    tmp_path: Path,
) -> None:
    line, address = cable
    prepared = start_demo(sandbox, DATABASE_URL=address)
    prepared.stop()
    proxy = proxy_process(prepared.port, environ=prepared.environ, log_dir=tmp_path, drain_s=25)
    proxy.start()
    eventually(lambda: "is ready" in proxy.written(), READY_WITHIN_S)  # all of its start is over
    line.cut()
    # Until what was open has been found broken: from here on whoever asks waits for a connection.
    eventually(lambda: "no answer" in requests.get(f"{proxy.url}/readyz", timeout=30).text)
    began = time.monotonic()
    proxy.stop(grace_s=40)
    assert (proxy.exit_code, time.monotonic() - began < 18) == (0, True)
    assert "ran out of time" not in proxy.written()
