"""A browser that subscribes and does not read."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from tests.rawsocket import text_frame, upgrade


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
