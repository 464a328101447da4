"""One browser socket as the stream sees it: takes a frame at any time, at once, and never blocks.

Two ways out. The plain one works on every ASGI server: frames wait in a bounded queue and one task
sends them in order. On daphne a frame goes straight to the socket (``fastpath.py``). Either way a
tab that does not read is closed when too much waits for it; it may come back and resume.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from chatproxy.conf import conf

Send = Callable[[dict[str, Any]], Awaitable[None]]

CLOSE_SLOW = 4400


class BrowserTab:
    """Writes frames to one browser socket, in order.

    Args:
        send: The ASGI server's ``send`` for this socket.
        key_id: The session key it was opened with; revoking it closes the tab.
    """

    def __init__(self, send: Send, key_id: int) -> None:
        self.key_id = key_id
        self.wants_session = False
        self.is_closed = False
        self._send = send
        self._waiting: deque[dict[str, Any]] = deque()
        self._waiting_bytes = 0
        self._writer: asyncio.Task[None] | None = None
        self._limit = conf.tab_buffer_bytes

    def deliver(self, frame: str) -> None:
        """Send one text frame. A closed tab swallows it."""
        if self.is_closed:
            return
        self._waiting_bytes += len(frame)
        if self._waiting_bytes > self._limit:
            self.close(CLOSE_SLOW, "reads too slowly")
            return
        self._push({"type": "websocket.send", "text": frame})

    def close(self, code: int, reason: str = "") -> None:
        """Close with ``code``; what already waits is sent first, unless the tab was too slow."""
        if self.is_closed:
            return
        self.is_closed = True
        if code == CLOSE_SLOW:
            self._waiting.clear()
        self._push({"type": "websocket.close", "code": code, "reason": reason})

    def forget(self) -> None:
        """The socket is gone: send nothing more."""
        self.is_closed = True
        self._waiting.clear()
        if self._writer is not None:
            self._writer.cancel()

    def _push(self, message: dict[str, Any]) -> None:
        self._waiting.append(message)
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                message = self._waiting.popleft()
                self._waiting_bytes -= len(message.get("text", ""))
                await self._send(message)
        except OSError:
            self.is_closed = True
        finally:
            self._writer = None
