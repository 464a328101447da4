"""Answers given on the event loop, before Django sees the request: overload, and a body too long.

They have the one error shape of the doors (RFC 9457 members, ``message``, ``x-amzn-ErrorType``),
and may be read by any origin: the request has not met the code that knows the widget's origins, the
text is the same for everybody, and a browser that may not read a 429 takes it for a dead network.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass

from chatproxy.exchange import Send

#: As in `api/problems.py`, which this must not import: it is answered without Django.
TYPE_BASE = "/api/docs/problems#"

#: Seconds until a refused client may try again; pools empty quickly or not at all.
RETRY_AFTER_S = 2


@dataclass(frozen=True)
class Refusal:
    """What to say instead of serving a request."""

    status: int
    kind: str  # last part of the problem's type URI
    title: str
    detail: str
    error_type: str  # the service's exception name, for AWS SDKs
    retry_after_s: int | None = None


def overloaded(path: str) -> Refusal:
    """Too much at once: the service's own throttling under /participant/, 503 elsewhere."""
    detail = f"The server has too much to do right now. Try again in {RETRY_AFTER_S} seconds."
    status = 429 if _is_participant(path) else 503
    kind, title, error_type = "overloaded", "Too much at once", "ThrottlingException"
    return Refusal(status, kind, title, detail, error_type, RETRY_AFTER_S)


def too_large(path: str, limit: int) -> Refusal:
    """A body over the limit (bytes) of its path; the service calls that a failed validation."""
    detail = f"The request body is longer than {limit} bytes. Send a shorter one."
    status = 400 if _is_participant(path) else 413
    return Refusal(status, "body-too-large", "The body is too large", detail, "ValidationException")


def _is_participant(path: str) -> bool:
    return path.startswith("/participant/")


async def refuse(send: Send, refusal: Refusal, *, head: bool = False) -> None:
    """Send ``refusal`` as a complete answer."""
    body = json.dumps(_problem(refusal, request_id := str(uuid.uuid4()))).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-amzn-errortype", refusal.error_type.encode()),
        (b"x-amzn-requestid", request_id.encode()),
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"x-amzn-errortype, x-amzn-requestid, retry-after"),
    ]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})


def _problem(refusal: Refusal, request_id: str) -> dict[str, object]:
    return {
        "type": TYPE_BASE + refusal.kind,
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": request_id,
        "message": refusal.detail,
    }
