"""Answers given on the event loop, before Django sees the request: overload, and a body too long.

They have the one error shape of the doors (``api/problem_types.py``), and may be read by any
origin: the request has not met the code that knows the widget's origins, the text is the same for
everybody, and a browser that may not read a 429 takes it for a dead network.
"""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import replace

from chatproxy.api.problem_types import BODY_TOO_LARGE, Problem
from chatproxy.exchange import Send


def too_large(limit: int) -> Problem:
    """A body over the limit (bytes) of its path; the service calls that a failed validation."""
    detail = f"The request body is longer than {limit} bytes. Send a shorter one."
    return replace(BODY_TOO_LARGE, detail=detail)


async def refuse(send: Send, problem: Problem, path: str, *, head: bool = False) -> None:
    """Send ``problem`` as the complete answer to a request of ``path``."""
    status, request_id = problem.at(path), str(uuid.uuid4())
    body = json.dumps(problem.body(status, request_id)).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-amzn-errortype", problem.error_type.encode()),
        (b"x-amzn-requestid", request_id.encode()),
        (b"access-control-allow-origin", b"*"),
        (b"access-control-expose-headers", b"x-amzn-errortype, x-amzn-requestid, retry-after"),
    ]
    if problem.retry_after_s is not None:
        headers.append((b"retry-after", str(math.ceil(problem.retry_after_s)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if head else body})
