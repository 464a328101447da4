"""A keep-alive HTTP client that costs little: requests as bytes, answers as status and body."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast


class Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self._read = b""
        self._waiting: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, port: int) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        return connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    @property
    def is_over(self) -> bool:
        """Whether the other side has closed it, as far as is known."""
        return self._transport.is_closing()

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body of the answer.

        Raises:
            ConnectionError: the connection ended before the answer did.
        """
        if self.is_over:
            raise ConnectionError("the connection was closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    async def ask_json(self, method: str, path: str, body: Any, key: str = "") -> Any:
        """The answer's JSON; asks again when told that there is too much to do.

        Raises:
            RuntimeError: any other status but 200 and 201.
        """
        for _ in range(20):
            status, answer = await self.ask(request(method, path, body, key))
            if status not in (429, 503):
                break
            await asyncio.sleep(1)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {status} {answer[:500]!r}")
        return json.loads(answer)

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._read += data
        end = self._read.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._read[:end].lower()
        start = head.find(b"content-length:")
        length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if self._waiting is None or self._waiting.done():
            return  # whoever asked has gone
        if len(self._read) >= end + 4 + length:
            body, self._read = self._read[end + 4 : end + 4 + length], b""
            self._waiting.set_result((int(head[9:12]), body))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionError("the connection was closed"))


def request(method: str, path: str, body: Any, key: str = "") -> bytes:
    """A request with a JSON body and, if given, a bearer key."""
    payload = json.dumps(body).encode()
    bearer = f"X-Amz-Bearer: {key}\r\n" if key else ""
    head = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"{bearer}Content-Length: {len(payload)}\r\n\r\n"
    )
    return head.encode() + payload
