"""One HTTP exchange with the service: bytes out, status and bytes in, nothing else.

Uses requests below its Session: a request made by hand and given to an adapter that is kept warm
(``warm.py``). That leaves out proxies and netrc from the environment, redirects, cookies and
retries, none of which we want here, and costs a fraction of the CPU (docs/upstream-client.md). Any
adapter of requests will do; ours is ``onesocket.py``. What goes wrong on the way is told in the
errors of ``errors.py``; what an answer means, in ``answers.py``.
"""

import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from chatproxy.upstream.errors import (
    ClientShutDown,
    UpstreamError,
    UpstreamShapeError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chatproxy.upstream.onesocket import NotConnected, OneSocketAdapter
from chatproxy.upstream.warm import WarmAdapters

# A full page of the transcript is 100 items of 16 kB; escaped, that may triple.
MAX_ANSWER_BYTES: Final = 8 * 1024 * 1024
READ_AT_ONCE_BYTES: Final = 64 * 1024

# What an adapter may raise; requests' own exceptions are OSErrors.
FAILURES: Final = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: complete, bounded, not understood yet."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """Warm connections to one host. Thread-safe.

    Args:
        connect_timeout_s: For the TCP and TLS handshake.
        read_timeout_s: For the whole answer. (An `HTTPAdapter` gives it to each silence of the
            headers; the body has it as a whole.)
        verify: True, or the path of a CA bundle.
        adapter: Makes an adapter, which is used for one call at a time; the seam for tests.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        *,
        connect_timeout_s: float,
        read_timeout_s: float,
        verify: bool | str = True,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        adapter: Callable[[], BaseAdapter] = OneSocketAdapter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._read_timeout_s = read_timeout_s
        self._verify = verify
        self._max_answer_bytes = max_answer_bytes
        self._clock = clock
        self._adapters = WarmAdapters(adapter, clock)
        self._stopped = threading.Event()

    def exchange(
        self,
        operation: str,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | None,
        *,
        read_timeout_s: float | None = None,
    ) -> Answer:
        """Send one request and read its whole answer, whatever its status.

        Raises:
            UpstreamUnreachable, UpstreamTimeout, UpstreamShapeError, ClientShutDown.
        """
        if self._stopped.is_set():
            raise ClientShutDown(operation)
        timeout_s = self._read_timeout_s if read_timeout_s is None else read_timeout_s
        adapter = self._adapters.take()
        try:
            response = adapter.send(
                prepared(method, url, headers, body),
                stream=True,
                timeout=(self._connect_timeout_s, timeout_s),
                verify=self._verify,
            )
            return self._read(operation, response, self._clock() + timeout_s)
        except FAILURES as err:
            raise translated(operation, err) from _innermost(err)
        finally:
            self._adapters.give_back(adapter)

    def shutdown(self) -> None:
        """Close idle connections and refuse new calls; those under way finish. Idempotent."""
        self._stopped.set()
        self._adapters.close()

    def _read(self, operation: str, response: requests.Response, until: float) -> Answer:
        raw = response.raw
        try:
            body = self._read_body(operation, raw, until)
        except BaseException:
            # The connection may be in the middle of an answer: nobody is to use it again.
            raw.close()
            raise
        return Answer(response.status_code, response.headers, body)

    def _read_body(self, operation: str, raw: Any, until: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        # read1 returns after each arrival, so that a trickle of bytes meets the deadline too.
        while piece := raw.read1(READ_AT_ONCE_BYTES):
            pieces.append(piece)
            size += len(piece)
            if size > self._max_answer_bytes:
                raise UpstreamShapeError(operation, detail="the answer is too large")
            if self._clock() > until:
                raise UpstreamTimeout(operation, detail="the answer did not end")
        return b"".join(pieces)


def prepared(
    method: str, url: str, headers: dict[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """A request as ``Session.prepare_request`` would leave it, without its 0.2 ms of checks."""
    request = requests.PreparedRequest()
    request.method = method
    request.url = url
    request.headers = headers  # type: ignore[assignment]  # read only by the adapter
    request.body = body
    return request


def _innermost(err: BaseException) -> BaseException:
    """What happened, without the wrappings, whose text would repeat the URL."""
    while True:
        inner = getattr(err, "reason", None) or next(
            (arg for arg in reversed(err.args) if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        err = inner
    if isinstance(err, requests.RequestException):
        err.request = None  # it holds the bearer header
    return err


def translated(operation: str, err: BaseException) -> UpstreamError:
    """What a failure of requests, urllib3 or the socket means to the caller."""
    wrapped = err.args[0] if isinstance(err, requests.RequestException) and err.args else err
    if isinstance(wrapped, MaxRetryError):
        wrapped = wrapped.reason or wrapped
    if isinstance(wrapped, NotConnected):
        return UpstreamUnreachable(operation, detail=str(wrapped))
    if isinstance(wrapped, (NewConnectionError, ConnectTimeoutError)):
        return UpstreamUnreachable(operation, detail="no connection")
    if isinstance(wrapped, (ReadTimeoutError, TimeoutError)):
        return UpstreamTimeout(operation)
    if isinstance(wrapped, urllib3.exceptions.SSLError):
        return UpstreamUnreachable(operation, detail="TLS failed")
    cause = _innermost(wrapped)
    if isinstance(cause, http.client.HTTPException) and not isinstance(
        cause, (http.client.RemoteDisconnected, http.client.IncompleteRead)
    ):
        return UpstreamShapeError(operation, detail="the answer is not HTTP")
    return UpstreamUnreachable(operation, detail="the connection broke", may_have_arrived=True)


def checked_endpoint(endpoint_url: str) -> str:
    """The endpoint without a trailing slash, its scheme in lower case.

    Raises:
        ValueError: no http(s) address of a host, or with credentials, query or fragment in it.
    """
    parts = urlsplit(endpoint_url)
    is_plain = not (parts.query or parts.fragment or "@" in parts.netloc)
    is_sendable = endpoint_url.isascii() and endpoint_url.isprintable() and " " not in endpoint_url
    is_known = parts.scheme in {"http", "https"} and bool(parts.hostname) and _has_port(parts)
    if not (is_plain and is_sendable and is_known):
        raise ValueError("an endpoint URL looks like https://host[:port][/path]")
    return parts.geturl().rstrip("/")


def _has_port(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False
