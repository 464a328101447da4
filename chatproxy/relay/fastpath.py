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

import sys
from functools import partial
from typing import Any

_TEXT_FRAME = 0x81  # final fragment, opcode 1


def pack(text: str) -> bytes:
    """An unmasked, unfragmented text frame (RFC 6455, 5.2), as a server sends it."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        return bytes((_TEXT_FRAME, size)) + payload
    if size < 65_536:
        return bytes((_TEXT_FRAME, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_TEXT_FRAME, 127)) + size.to_bytes(8, "big") + payload


class SocketWriter:
    """Writes frames to one browser socket on daphne. For the event loop's thread alone."""

    __slots__ = ("_open", "_protocol", "_socket", "_transport")

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self._open = protocol.STATE_OPEN
        self._transport = protocol.transport
        self._socket = protocol.transport.socket

    def __call__(self, frame: bytes) -> int:
        """Send one packed frame; never blocks, never raises. A closing socket swallows it.

        Returns:
            Bytes that wait because the browser does not read; nearly always 0.
        """
        if self._protocol.state != self._open:
            return 0
        transport = self._transport
        if not (transport.dataBuffer or transport._tempDataLen or transport.disconnecting):
            try:
                sent = self._socket.send(frame)
            except OSError:  # full, or broken: Twisted tells the one from the other
                sent = 0
            if sent == len(frame):
                return 0
            frame = frame[sent:]
        transport.write(frame)
        return self.buffered_bytes()

    def buffered_bytes(self) -> int:
        """Bytes that wait because the browser does not read."""
        transport = self._transport
        return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


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


def writer_for(send: Any) -> SocketWriter | None:
    """A writer for the accepted socket behind an ASGI ``send``, or None: keep to plain sends."""
    protocol = _daphne_protocol(send)
    return SocketWriter(protocol) if _is_as_expected(protocol) else None


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
            type(transport) is _tcp_server()
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
    """Twisted's plain TCP connection; a TLS one must not be written past its encryption."""
    from twisted.internet.tcp import Server

    return Server
