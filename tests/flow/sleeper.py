"""A browser that subscribes and does not read."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from tests.flow.client import Visitor
from tests.metrics import metric
from tests.processes import RunningDemo
from tests.rawsocket import text_frame, upgrade

LONG = "x" * 16_000


class Sleeper:
    """A browser that subscribes and then reads nothing, with as small a buffer as may be."""

    def __init__(self, url: str) -> None:
        at = urlsplit(url)
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect((at.hostname, at.port))
        self.socket.sendall(upgrade(url))
        self._read_until(b"\r\n\r\n")
        self.socket.sendall(
            text_frame(b'{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}')
        )
        self._read_until(b'"success"')

    def read_all(self) -> bytes:
        """Wake up: all that is still to be had, until the server has closed."""
        parts = []
        try:
            while part := self.socket.recv(1 << 20):
                parts.append(part)
        except ConnectionError:
            pass
        self.socket.close()
        return b"".join(parts)

    def _read_until(self, end: bytes) -> None:
        seen = b""
        while end not in seen:
            seen += self.socket.recv(4096)


def said_until_closed(demo: RunningDemo, visitor: Visitor, at_most: int) -> int:
    """Have the agent say long lines, numbered from 1, until a tab is closed as too slow.

    Returns:
        How many were said.
    """
    said = 0
    while not metric(demo.url, "chatproxy_tabs_closed_total", code="4400"):
        assert said < at_most, "all of it is kept"
        for _ in range(10):
            said += 1
            demo.sandbox.say(visitor.contact_id, f"{said} {LONG}")
    return said
