"""A requests adapter that keeps one connection and does little: a quarter of `HTTPAdapter`'s CPU.

It sends a request in one piece and reads HTTP/1.1 answers with a length, in chunks, or up to the
end of the connection; the whole answer, headers included, has to arrive by one deadline. There are
no proxies, redirects or pools, and certificates are always verified. Whatever is unusual about an
answer, the connection is not used again. For one call at a time; `warm.WarmAdapters` keeps many.
"""

import http.client
import re
import select
import socket
import ssl
import time
from functools import lru_cache
from typing import Any, Final

import certifi
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

HEAD_MAX_BYTES: Final = 64 * 1024
HEADERS_MAX: Final = 100
INTERIM_MAX: Final = 5
CHUNK_LINE_MAX_BYTES: Final = 1024
RECEIVE_BYTES: Final = 64 * 1024
_STATUS: Final = re.compile(r"HTTP/1\.([01]) ([1-5][0-9]{2})(?: .*)?")
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")
_END: Final = b"\r\n\r\n"
_PORTS: Final = {"http": 80, "https": 443}


class NotConnected(OSError):
    """No connection came about; nothing of the request has left us."""


class OneSocketAdapter(BaseAdapter):
    """Talks to one host over one connection at a time; opens it again when it has gone."""

    def __init__(self) -> None:
        super().__init__()
        self._socket: socket.socket | None = None
        self._origin = ""
        self._reader: AnswerReader | None = None

    def send(
        self,
        request: PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> Response:
        """Send; return status and headers, with the body to be read from ``raw.read1()``.

        Args:
            request: With ``Content-Length`` in its headers, if it has a body.
            stream: As is; the body is never read here.
            timeout: (seconds to connect, seconds for the whole answer).
            verify: True for the usual authorities, or the path of a CA bundle.
            cert: Not supported.
            proxies: Not supported.

        Raises:
            NotConnected: nothing was sent.
            TimeoutError, OSError, http.client.HTTPException: it may have arrived.
        """
        connect_timeout_s, read_timeout_s = timeout
        scheme, _, rest = str(request.url).partition("://")
        host, slash, path = rest.partition("/")
        connection = self._connected(scheme, host, connect_timeout_s, verify)
        reader = self._reader = AnswerReader(connection, time.monotonic() + read_timeout_s)
        try:
            connection.settimeout(read_timeout_s)
            connection.sendall(_head(request, host, slash + path) + (request.body or b""))  # type: ignore[operator]
            return reader.begin()
        except BaseException:
            self._drop()
            raise

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        self._drop()

    def __del__(self) -> None:
        self._drop()

    def _connected(self, scheme: str, host: str, timeout_s: float, verify: Any) -> socket.socket:
        origin = f"{scheme}://{host}"
        known = self._socket
        if known is not None and self._origin == origin and self._is_reusable(known):
            return known
        self._drop()
        self._socket, self._origin = _connect(scheme, host, timeout_s, verify), origin
        return self._socket

    def _is_reusable(self, connection: socket.socket) -> bool:
        if self._reader is None or not self._reader.is_reusable:
            return False
        # Readable while nothing is expected: the server has closed it, or sent what nobody asked.
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return not poll.poll(0)

    def _drop(self) -> None:
        known, self._socket = self._socket, None
        if known is not None:
            known.close()


class AnswerReader:
    """Reads one answer from a socket, and knows whether another may follow on it."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.is_complete = False
        self._socket = connection
        self._deadline = deadline
        self._buffer = b""
        self._is_chunked = False
        self._left: int | None = None  # of the body, or of the current chunk
        self._is_persistent = False

    @property
    def is_reusable(self) -> bool:
        """The answer has been read to its end, and the connection stays open after it."""
        return self.is_complete and self._is_persistent and not self._buffer

    def begin(self) -> Response:
        """Read status and headers."""
        for _ in range(INTERIM_MAX):
            version, status, headers = self._head()
            if status >= 200:
                self._frame(version, status, headers)
                response = Response()
                response.status_code, response.headers, response.raw = status, headers, self
                return response
        raise http.client.HTTPException("too many interim answers")

    def read1(self, size: int = -1) -> bytes:
        """What has arrived of the body, at least one byte; nothing once it is complete."""
        if self.is_complete:
            return b""
        if self._is_chunked and self._left == 0 and not self._next_chunk():
            return b""
        data = self._buffer or self._receive()
        if self._left is None:
            self._buffer = b""
            self.is_complete = not data
            return data
        if not data:
            raise http.client.IncompleteRead(b"", self._left)
        piece, self._buffer = data[: self._left], data[self._left :]
        self._left -= len(piece)
        if self._left == 0:
            self._end_of_part()
        return piece

    def close(self) -> None:
        """Give the answer up, and the connection with it."""
        self._is_persistent = False
        self.is_complete = True
        self._socket.close()

    def _receive(self) -> bytes:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._socket.settimeout(left_s)
        return self._socket.recv(RECEIVE_BYTES)

    def _until(self, mark: bytes, most: int) -> bytes:
        while (at := self._buffer.find(mark)) < 0 and len(self._buffer) <= most:
            data = self._receive()
            if not data:
                raise http.client.IncompleteRead(self._buffer)
            self._buffer += data
        if not 0 <= at <= most:
            raise http.client.LineTooLong("answer")
        found, self._buffer = self._buffer[:at], self._buffer[at + len(mark) :]
        return found

    def _head(self) -> tuple[str, int, "CaseInsensitiveDict[str]"]:
        if not self._buffer:
            self._buffer = self._receive()
            if not self._buffer:
                raise http.client.RemoteDisconnected("closed without an answer")
        if not self._buffer.startswith(b"HTTP/1."[: len(self._buffer)]):
            raise http.client.BadStatusLine("not HTTP")
        line, *lines = self._until(_END, HEAD_MAX_BYTES).decode("latin-1").split("\r\n")
        matched = _STATUS.fullmatch(line)
        if matched is None:
            raise http.client.BadStatusLine("not HTTP/1.x")
        return matched[1], int(matched[2]), _headers(lines)

    def _frame(self, version: str, status: int, headers: "CaseInsensitiveDict[str]") -> None:
        coding, length = headers.get("Transfer-Encoding"), headers.get("Content-Length")
        is_kept = version == "1" and "close" not in headers.get("Connection", "").lower()
        self._is_persistent = is_kept
        if status in {204, 304}:
            self.is_complete = True
        elif coding is not None:
            if coding.strip().lower() != "chunked":
                raise http.client.HTTPException("an unknown transfer coding")
            self._is_chunked, self._left = True, 0
            self._is_persistent = is_kept and length is None
        elif length is not None:
            if not (length.isascii() and length.isdigit() and len(length) < 16):
                raise http.client.HTTPException("a length that is none")
            self._left = int(length)
            self.is_complete = self._left == 0
        else:
            self._is_persistent = False

    def _next_chunk(self) -> bool:
        matched = _CHUNK_SIZE.fullmatch(self._until(b"\r\n", CHUNK_LINE_MAX_BYTES))
        if matched is None:
            raise http.client.HTTPException("a chunk without a size")
        self._left = int(matched[1], 16)
        if self._left:
            return True
        for _ in range(HEADERS_MAX):
            if not self._until(b"\r\n", HEAD_MAX_BYTES):
                self.is_complete = True
                return False
        raise http.client.HTTPException("too many trailers")

    def _end_of_part(self) -> None:
        if not self._is_chunked:
            self.is_complete = True
        elif self._until(b"\r\n", CHUNK_LINE_MAX_BYTES):
            raise http.client.HTTPException("a chunk longer than it said")


def _headers(lines: list[str]) -> "CaseInsensitiveDict[str]":
    if len(lines) > HEADERS_MAX:
        raise http.client.HTTPException("too many headers")
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip():
            raise http.client.HTTPException("a header that is none")
        value = value.strip()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers


def _head(request: PreparedRequest, host: str, path: str) -> bytes:
    lines = [f"{request.method} {path or '/'} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a line break in a request's head")
    return "\r\n".join(lines).encode("ascii") + _END


def _connect(scheme: str, netloc: str, timeout_s: float, verify: Any) -> socket.socket:
    name, colon, port = netloc.rpartition(":")
    if not colon or port.endswith("]"):
        name, port = netloc, str(_PORTS[scheme])
    host = name.strip("[]")
    try:
        connection = socket.create_connection((host, int(port)), timeout_s)
    except OSError as err:
        raise NotConnected("no connection") from err
    try:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if scheme == "https":
            return _tls(verify).wrap_socket(connection, server_hostname=host)
    except OSError as err:
        connection.close()
        raise NotConnected(
            "TLS failed" if isinstance(err, ssl.SSLError) else "no connection"
        ) from err
    return connection


@lru_cache(maxsize=4)
def _tls(verify: bool | str) -> ssl.SSLContext:
    """Loading the authorities takes tens of milliseconds; all threads share one context."""
    context = ssl.create_default_context(cafile=certifi.where() if verify is True else str(verify))
    context.set_alpn_protocols(["http/1.1"])
    return context
