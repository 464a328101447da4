"""One call of the Participant Service: request to JSON, answer to a shape or an error.

Between ``participant.py``, which names the operations, and ``transport.py``, which moves bytes: the
bearer header is written, the call is timed and remembered, and what came back is understood.
"""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import quote

from chatproxy.upstream.answers import error_of, json_of, request_id_of
from chatproxy.upstream.errors import UpstreamError, UpstreamShapeError
from chatproxy.upstream.fields import Request
from chatproxy.upstream.inputs import ViewRequest
from chatproxy.upstream.metadata import MetadataCache, Observer, ResponseMetadata
from chatproxy.upstream.reading import BadShape
from chatproxy.upstream.tokens import ConnectionToken, ParticipantToken
from chatproxy.upstream.transport import Transport, checked_endpoint
from chatproxy.upstream.vocabulary import BEARER_HEADER, PARTICIPANT_ROUTES

T = TypeVar("T")


class Calls:
    """Makes calls at one endpoint. Thread-safe.

    Raises:
        ValueError: ``endpoint_url`` is not an http(s) address of a host.
    """

    def __init__(self, endpoint_url: str, transport: Transport, observer: Observer | None) -> None:
        base = checked_endpoint(endpoint_url)
        self.metadata = MetadataCache()
        self._urls = {name: base + route.path for name, route in PARTICIPANT_ROUTES.items()}
        self._transport = transport
        self._observer = observer

    def call(
        self,
        token: ParticipantToken | ConnectionToken,
        request: Request,
        parse: Callable[[dict[str, Any]], T],
        read_timeout_s: float | None,
    ) -> T:
        """Send ``request``, paid for by ``token``; ``parse`` the JSON of a success.

        Raises:
            UpstreamError: anything else.
        """
        began, failure = time.perf_counter(), None
        try:
            return self._answered(token.reveal(), request, parse, read_timeout_s)
        except UpstreamError as err:
            failure = err
            raise
        finally:
            if self._observer is not None:
                self._observer(request.operation, time.perf_counter() - began, failure)

    def shutdown(self) -> None:
        """Release the connections and forget what was remembered. Idempotent."""
        self._transport.shutdown()
        self.metadata.clear()

    def _answered(
        self,
        bearer: str,
        request: Request,
        parse: Callable[[dict[str, Any]], T],
        read_timeout_s: float | None,
    ) -> T:
        operation = request.operation
        method = PARTICIPANT_ROUTES[operation].method
        body = None if method == "GET" else json.dumps(request.body()).encode()
        headers, began = _headers(bearer, body), time.perf_counter()
        answer = self._transport.exchange(
            operation, method, self._url(request), headers, body, read_timeout_s=read_timeout_s
        )
        request_id, took_s = request_id_of(answer), time.perf_counter() - began
        self.metadata.remember(
            request,
            ResponseMetadata(operation, request_id, answer.status_code, datetime.now(UTC), took_s),
        )
        if not 200 <= answer.status_code < 300:
            raise error_of(operation, answer, secret=bearer)
        try:
            return parse(json_of(operation, answer))
        except BadShape as err:
            raise UpstreamShapeError(operation, request_id=request_id, detail=str(err)) from err

    def _url(self, request: Request) -> str:
        url = self._urls[request.operation]
        if isinstance(request, ViewRequest):
            return url.replace("{ViewToken}", quote(request.view_token, safe=""))
        return url


def _headers(bearer: str, body: bytes | None) -> dict[str, str]:
    headers = {
        BEARER_HEADER: bearer,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "User-Agent": "chatproxy",
    }
    if body is not None:
        headers["Content-Type"] = "application/json"
        headers["Content-Length"] = str(len(body))
    return headers
