"""The network that fails on purpose does so as it is told."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.faults.wire import Wire
from tests.processes import free_port


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A wire to somebody who repeats what is said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_repeat, args=(server,), daemon=True).start()
        with Wire(free_port(), server.getsockname()[1]) as running:
            yield running


def _repeat(server: socket.socket) -> None:
    while True:
        try:
            near, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_echo, args=(near,), daemon=True).start()


def _echo(near: socket.socket) -> None:
    with near, suppress(OSError):
        while data := near.recv(4096):
            near.sendall(data)


def call(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=5)


def _heard_all(near: socket.socket) -> bytes:
    heard = b""
    while data := near.recv(100):
        heard += data
    return heard


def test_in_fair_weather_it_passes_everything_on(wire: Wire) -> None:
    with call(wire) as near:
        near.sendall(b"hello")
        assert near.recv(100) == b"hello"
        assert wire.connections == 1


def test_a_cut_is_a_reset(wire: Wire) -> None:
    with call(wire) as near:
        near.sendall(b"hello")
        near.recv(100)
        assert wire.cut() == 1
        with pytest.raises(ConnectionResetError):
            near.recv(100)


def test_who_is_refused_is_reset(wire: Wire) -> None:
    wire.change(refuses=True)
    with pytest.raises(ConnectionResetError), call(wire) as near:  # now, or when it reads
        near.recv(100)


def test_what_is_held_comes_later_and_whole(wire: Wire) -> None:
    with call(wire) as near:
        wire.change(holds=True)
        near.sendall(b"hello")
        near.settimeout(0.2)
        with pytest.raises(TimeoutError):
            near.recv(100)
        wire.clear()
        near.settimeout(5)
        assert near.recv(100) == b"hello"


def test_what_is_said_in_silence_is_lost_and_the_connection_stays_until_it_clears(
    wire: Wire,
) -> None:
    with call(wire) as near:
        wire.change(is_silent=True)
        near.sendall(b"hello")
        near.settimeout(0.2)
        with pytest.raises(TimeoutError):
            near.recv(100)
        assert wire.connections == 1
        wire.clear()
        near.settimeout(5)
        with pytest.raises(ConnectionResetError):
            near.recv(100)


def test_slices_and_latency_change_no_byte(wire: Wire) -> None:
    wire.change(slice_bytes=3, latency_s=0.01)
    said, heard = bytes(range(100)), b""
    with call(wire) as near:
        begun = time.monotonic()
        near.sendall(said)
        while len(heard) < len(said):
            heard += near.recv(100)
        assert heard == said
        assert time.monotonic() - begun >= 0.01


def test_a_connection_ends_after_so_many_bytes(wire: Wire) -> None:
    wire.change(reset_after_bytes=10)
    with call(wire) as near:
        near.sendall(b"0123456789")
        with pytest.raises(ConnectionResetError):
            _heard_all(near)
