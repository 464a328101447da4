"""A browser that subscribes, hears one line, and then reads nothing; and what waits for it.

What the proxy itself keeps for it is told from outside: what another tab of the same chat has
heard, without what the kernel holds on both ends of the sleeper's connection.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from tests.rawsocket import text_frame, upgrade

_SAID = re.compile(rb"#(\d+):\d+#")
_POSITION = re.compile(rb'"position":"([^"]+)"')
_SUBSCRIBE = b'{"topic":"aws/subscribe","content":{"topics":["aws/chat","chatproxy/session"]}}'
CLOSE = 0x88


class Sleeper:
    """One socket.

    Attributes:
        numbers: Of the lines it has read.
        position: Of the last of them: where it goes on from.
        close_code: 0 unless a close frame came.
    """

    def __init__(self) -> None:
        self.numbers = set[int]()
        self.position = ""
        self.close_code = 0
        self._read = b""
        self._socket = socket.socket()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    async def fall_asleep(self, url: str) -> None:
        """Subscribe, read until a line has come, and no more."""
        at = urlsplit(url)
        loop, raw = asyncio.get_running_loop(), self._socket
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await loop.sock_connect(raw, (at.hostname, at.port))
        await loop.sock_sendall(raw, upgrade(url))
        while b"\r\n\r\n" not in self._read:
            self._read += await loop.sock_recv(raw, 4096)
        self._read = self._read.partition(b"\r\n\r\n")[2]
        await loop.sock_sendall(raw, text_frame(_SUBSCRIBE))
        while not self.position:
            self._read += await loop.sock_recv(raw, 4096)
            self._take()

    async def wake(self) -> None:
        """Read what is still to be had, until the proxy has closed."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(10):
                while part := await loop.sock_recv(self._socket, 1 << 20):
                    self._read += part
        except (OSError, TimeoutError):
            pass
        self._take()
        self._socket.close()

    def _take(self) -> None:
        """The whole frames among what was read."""
        read, at = self._read, 0
        while len(read) >= at + 2:
            size, start = read[at + 1], at + 2
            if size > 125:
                width = 2 if size == 126 else 8
                size, start = int.from_bytes(read[start : start + width], "big"), start + width
            if len(read) < start + size:
                break
            payload = read[start : start + size]
            if read[at] == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big")
            elif said := _SAID.search(payload):
                self.numbers.add(int(said[1]))
            if found := _POSITION.search(payload):
                self.position = found[1].decode()
            at = start + size
        self._read = read[at:]


def queued_in_kernel() -> tuple[Counter[int], set[int]]:
    """By a client's port: bytes both ends of its connection hold; and whose other end is up."""
    queued, served = Counter[int](), set[int]()
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, queues = line.split()[:5]
        sent, received = (int(one, 16) for one in queues.split(":"))
        near, far = (int(one.rpartition(":")[2], 16) for one in (local, remote))
        queued[near] += received
        queued[far] += sent
        if state == "01":
            served.add(far)
    return queued, served
