"""Frames written straight to daphne's sockets: built once, one system call each.

Through daphne's plain ``send`` a frame is packed anew for every tab, waits for the event loop to
find its socket writable, and costs two to four times as much. Here the frame is packed once and,
when nothing waits in front of it, handed to the kernel at once; otherwise it queues behind what
waits, in the same buffer, so order holds however frames are sent.

This reaches into daphne, autobahn and Twisted below what they document. So each socket is looked at
first: where anything differs from what is expected (another server, TLS, compression, a new
version), `writer_for` says None and the caller keeps to plain sends.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from typing import Any

logger = logging.getLogger(__name__)

_TEXT_FRAME = 0x81  # final fragment, opcode 1
MOST_DUE = 128
_MIDDLE, _LARGE = bytes((_TEXT_FRAME, 126)), bytes((_TEXT_FRAME, 127))


def pack(payload: bytes, tail: bytes = b"") -> bytes:
    """An unmasked, unfragmented text frame (RFC 6455, 5.2), as a server sends it.

    Args:
        payload, tail: What it says, in two parts; UTF-8.
    """
    size = len(payload) + len(tail)
    if size < 126:
        head = bytes((_TEXT_FRAME, size))
    elif size < 65_536:
        head = _MIDDLE + size.to_bytes(2, "big")
    else:
        head = _LARGE + size.to_bytes(8, "big")
    return b"".join((head, payload, tail))


def unpacked(frame: bytes) -> str:
    """What a packed frame says."""
    size = frame[1]
    return frame[2 if size < 126 else 4 if size == 126 else 10 :].decode()


class SocketWriter:
    """Writes frames to one browser socket on daphne. For the event loop's thread alone.

    What is written within one turn of the loop goes out together at its end: one system call for
    each socket however many frames there are for it.

    Args:
        overflown: Called when more than ``limit`` bytes wait because the browser does not read.
    """

    __slots__ = (
        "_frames",
        "_limit",
        "_open",
        "_overflown",
        "_protocol",
        "_send",
        "_transport",
        "_turn",
    )

    def __init__(self, protocol: Any, limit: int, overflown: Callable[[], None]) -> None:
        self._protocol = protocol
        self._open = protocol.STATE_OPEN
        self._transport = protocol.transport
        self._send = protocol.transport.socket.send
        self._limit = limit
        self._overflown = overflown
        self._frames: list[bytes] = []
        self._turn = _turn_of(asyncio.get_running_loop())

    def __call__(self, frame: bytes) -> None:
        """Send one packed frame; never blocks, never raises. A closing socket swallows it."""
        frames = self._frames
        frames.append(frame)
        if len(frames) == 1:
            self._turn.add(self)

    def flush(self) -> None:
        """Send now what has been written in this turn."""
        frames = self._frames
        data = frames[0] if len(frames) == 1 else b"".join(frames)
        frames.clear()
        if not data or self._protocol.state != self._open:
            return
        transport = self._transport
        if not (transport.dataBuffer or transport._tempDataLen or transport.disconnecting):
            try:
                sent = self._send(data)
            except OSError:  # full, or broken: Twisted tells the one from the other
                sent = 0
            if sent == len(data):
                return
            data = data[sent:]
        transport.write(data)
        if self.buffered_bytes() > self._limit:
            self._overflown()

    def cut(self) -> None:
        """End the connection, which cannot be written: what was to be said would be missing."""
        with suppress(Exception):
            self._transport.abortConnection()

    def buffered_bytes(self) -> int:
        """Bytes that wait because the browser does not read."""
        return _buffered(self._transport)


class _Turn:
    """The sockets that have something to send at the end of this turn of the loop.

    Where there are many, the first are sent before the last are taken: by then what they are to
    send would have left the processor's cache.
    """

    __slots__ = ("_due", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: list[SocketWriter] = []

    def add(self, writer: SocketWriter) -> None:
        if not self._due:
            self._loop.call_soon(self._end)
        self._due.append(writer)
        if len(self._due) >= MOST_DUE:
            self._end()

    def _end(self) -> None:
        due, self._due = self._due, []
        for writer in due:
            try:
                writer.flush()
            except Exception:
                # Whatever is the matter with one socket must not keep the others waiting.
                logger.exception("a browser's socket could not be written")
                writer.cut()


@lru_cache(maxsize=1)
def _turn_of(loop: asyncio.AbstractEventLoop) -> _Turn:
    return _Turn(loop)


def close_with(send: Any, code: int, reason: str) -> bool:
    """Close a socket on daphne with any code, and a reason.

    Through ASGI's close message daphne passes the reason on to nobody, and fails on codes such as
    1012, which says that we restart.

    Returns:
        False when the socket is not daphne's: close it through ASGI.
    """
    protocol = _daphne_protocol(send)
    if protocol is None or not hasattr(protocol, "sendCloseFrame"):
        return False
    if protocol.state == protocol.STATE_OPEN:
        protocol.sendCloseFrame(code=code, reasonUtf8=reason.encode()[:120])
    return True


def writer_for(send: Any, limit: int, overflown: Callable[[], None]) -> SocketWriter | None:
    """A writer for the accepted socket behind an ASGI ``send``, or None: keep to plain sends."""
    protocol = _daphne_protocol(send)
    return SocketWriter(protocol, limit, overflown) if _is_as_expected(protocol) else None


def held_by_daphne(send: Any) -> Callable[[], int]:
    """How many bytes daphne holds for the socket behind ``send``; 0 on any other server.

    For plain sends: daphne takes whatever it is given at once, and keeps what the browser does not
    read without bound. Other servers make the sender wait.
    """
    transport = getattr(_daphne_protocol(send), "transport", None)
    try:
        _buffered(transport)
    except (AttributeError, TypeError):
        return lambda: 0
    return partial(_buffered, transport)


def _buffered(transport: Any) -> int:
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


def _daphne_protocol(send: Any) -> Any:
    """The protocol object behind daphne's ``send``, or None for any other server's."""
    server = sys.modules.get("daphne.server")  # imported by whoever serves, never from here
    if server is None or not isinstance(send, partial) or not send.args:
        return None
    if not isinstance(getattr(send.func, "__self__", None), server.Server):
        return None
    return send.args[0]


def _is_as_expected(protocol: Any) -> bool:
    """Whether a frame of ours on this socket is the same as one sent through daphne."""
    try:
        transport = protocol.transport
        return (
            isinstance(transport, _tcp_server())
            and not transport.TLS
            and isinstance(transport.dataBuffer, bytes)
            and isinstance(transport._tempDataLen, int)
            and isinstance(transport.offset, int)
            and transport.disconnecting in (True, False)
            and callable(transport.socket.send)
            and transport.socket.gettimeout() == 0.0
            and protocol.state == protocol.STATE_OPEN
            and protocol._perMessageCompress is None
            and not protocol.autoFragmentSize
            and not protocol.send_queue
        )
    except AttributeError:
        return False


def _tcp_server() -> Any:
    """Twisted's TCP connection; one with TLS must not be written past its encryption."""
    from twisted.internet.tcp import Server

    return Server
