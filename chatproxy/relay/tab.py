"""One browser socket as the stream sees it: takes a frame at any time, at once, and never blocks.

Two ways out. The plain one works on every ASGI server: frames wait in a bounded queue and one task
sends them in order. On daphne a frame goes straight to the socket (``fastpath.py``). Either way a
tab that does not read is closed when too much waits for it, here or in the server; it may come back
and resume.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from chatproxy.closing import Close, closed
from chatproxy.conf import conf
from chatproxy.relay.fastpath import (
    SocketWriter,
    close_with,
    held_by_daphne,
    pack,
    unpacked,
    writer_for,
)

Send = Callable[[dict[str, Any]], Awaitable[None]]


class BrowserTab:
    """Writes frames to one browser socket, in order. Make it once the socket is accepted.

    Args:
        send: The ASGI server's ``send`` for this socket.
        key_id: The session key it was opened with; revoking it closes the tab.
    """

    __slots__ = (
        "_held",
        "_limit",
        "_send",
        "_sender",
        "_straight",
        "_waiting",
        "_waiting_bytes",
        "is_closed",
        "key_id",
        "wants_session",
    )

    def __init__(self, send: Send, key_id: int) -> None:
        self.key_id = key_id
        self.wants_session = False
        self.is_closed = False
        self._send = send
        # Made when it is needed: on the fast path that is for a close alone.
        self._waiting: deque[dict[str, Any]] | None = None
        self._waiting_bytes = 0
        self._sender: asyncio.Task[None] | None = None
        self._limit = conf.tab_buffer_bytes
        self._straight: SocketWriter | None = (
            writer_for(send, self._limit, self._too_slow) if conf.fast_path else None
        )
        if self._straight is None:
            self._held = held_by_daphne(send)

    def deliver(self, text: str) -> None:
        """Send one text frame. A closed tab swallows it."""
        self.deliver_packed(pack(text.encode()))

    def deliver_packed(self, frame: bytes) -> None:
        """The same with the frame's bytes at hand, made once for all tabs."""
        if self.is_closed:
            return
        if self._straight is not None:
            self._straight(frame)
            return
        text = unpacked(frame)
        self._waiting_bytes += len(text)
        self._push({"type": "websocket.send", "text": text})
        if self._waiting_bytes + self._held() > self._limit:
            self._too_slow()

    def _too_slow(self) -> None:
        self.close(Close.SLOW, "reads too slowly")

    def close(self, code: int, reason: str = "") -> None:
        """Close with ``code``; what already waits is sent first, unless the tab was too slow."""
        if self.is_closed:
            return
        self.is_closed = True
        closed[code] += 1
        if code == Close.SLOW:
            self._waiting = None
        self._push({"type": "websocket.close", "code": int(code), "reason": reason})

    def forget(self) -> None:
        """The socket is gone: send nothing more."""
        self.is_closed = True
        self._waiting = self._straight = None
        if self._sender is not None:
            self._sender.cancel()

    def _push(self, message: dict[str, Any]) -> None:
        if self._waiting is None:
            self._waiting = deque()
        self._waiting.append(message)
        if self._sender is None:
            self._sender = asyncio.get_running_loop().create_task(self._send_waiting())

    async def _send_waiting(self) -> None:
        try:
            while self._waiting:
                message = self._waiting.popleft()
                is_close = message["type"] == "websocket.close"
                if is_close and close_with(self._send, message["code"], message["reason"]):
                    continue
                await self._send(message)
                self._waiting_bytes -= len(message.get("text", ""))
        except Exception:
            # The socket is gone, which each server says in its own way.
            self.is_closed = True
            self._waiting = None
        finally:
            self._sender = None
