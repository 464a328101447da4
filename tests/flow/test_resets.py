"""Browsers that reset a connection with something said before: noticed at once, not by a heartbeat.

The system then reports an error and has words to read at the same time. uvloop looks once, and
never again: whoever only read the words held a dead connection, and failed when writing to it.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import requests

from tests.flow.client import Visitor, eventually
from tests.flow.sleeper import Sleeper
from tests.processes import RunningDemo
from tests.rawsocket import text_frame

#: Well before the first heartbeat, which is every ten seconds.
SOON_S = 4.0
HEARTBEAT = text_frame(b'{"topic":"aws/heartbeat"}')


@pytest.fixture
def demo(demo: RunningDemo) -> RunningDemo:
    """With no tab yet."""
    demo.sandbox.change(bot=False, quotas="off")
    eventually(lambda: tabs(demo) == 0)
    return demo


def tabs(demo: RunningDemo) -> int:
    return int(requests.get(f"{demo.url}/readyz", timeout=10).json()["tabs"])


@contextmanager
def paused(demo: RunningDemo) -> Iterator[None]:
    """What happens meanwhile, the process finds all at once."""
    demo.child.pause()
    try:
        yield
    finally:
        demo.child.resume()


def reset(connection: socket.socket) -> None:
    """Close it as a browser does that has crashed, or a phone that has changed its network."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def open_files(demo: RunningDemo) -> set[str]:
    """The connections the process holds, by their names in the system."""
    folder = f"/proc/{demo.child.pid}/fd"
    held = set()
    for name in os.listdir(folder):
        try:
            held.add(os.readlink(f"{folder}/{name}"))
        except FileNotFoundError:  # closed meanwhile
            continue
    return {one for one in held if one.startswith("socket:")}


def test_a_socket_that_is_reset_behind_a_frame_is_gone_at_once(
    demo: RunningDemo,
) -> None:
    visitor = Visitor(demo.url)
    other = visitor.open_tab()
    gone = Sleeper(visitor.connect())
    begun = len(demo.child.written())
    assert tabs(demo) == 2
    with paused(demo):
        gone.socket.sendall(HEARTBEAT)
        reset(gone.socket)
    eventually(lambda: tabs(demo) == 1, within_s=SOON_S)
    demo.sandbox.say(visitor.contact_id, "to who is left")
    other.wait_text("to who is left")
    assert "Traceback" not in demo.child.written()[begun:]


def test_a_request_that_is_reset_behind_its_words_is_gone_at_once(demo: RunningDemo) -> None:
    at = urlsplit(demo.url)
    before = open_files(demo)
    connections = [socket.create_connection((at.hostname, at.port), 10) for _ in range(20)]
    eventually(lambda: len(open_files(demo) - before) >= 20)
    held = open_files(demo) - before
    begun = len(demo.child.written())
    body = b'{"widget":"demo"}'
    head = f"POST /api/v1/sessions HTTP/1.1\r\nHost: {at.netloc}\r\nContent-Length: 17\r\n\r\n"
    with paused(demo):
        for number, connection in enumerate(connections):
            whole = head.encode() + body
            connection.sendall(whole if number % 2 else whole[:40])
            reset(connection)
    eventually(lambda: not held & open_files(demo), within_s=SOON_S)
    assert "Traceback" not in demo.child.written()[begun:]
