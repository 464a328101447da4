"""What an HTTP answer means: a JSON object, or one of the service's exceptions.

The service names its errors in a header, with decorations some gateways add
(``ns#Name:http://…``), or in the body's ``__type``; the text is ``message`` or ``Message``. An
error page of something in between has neither: then 5xx and 429 speak for themselves, and anything
else is an answer we do not understand. A web filter's 403 must not pass for the end of a chat.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from chatproxy.upstream.errors import (
    UpstreamError,
    UpstreamShapeError,
    exception_class,
)
from chatproxy.upstream.transport import Answer
from chatproxy.upstream.vocabulary import ERROR_TYPE_HEADER, REQUEST_ID_HEADER

MESSAGE_MAX: Final = 500
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]{0,99}")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9=+/_.:-]{1,200}")
_ADDRESS: Final = re.compile(r"\b(?:https?|wss?)://\S+")


def request_id_of(answer: Answer) -> str | None:
    """The service's id of a call, if the header is there and looks like one."""
    return _request_id(answer.headers)


def json_of(operation: str, answer: Answer) -> dict[str, Any]:
    """The JSON object of a successful answer; nothing at all counts as ``{}``.

    Raises:
        UpstreamShapeError: anything else.
    """
    body = _decoded(answer.body) if answer.body else {}
    if not isinstance(body, dict):
        raise UpstreamShapeError(
            operation, request_id=request_id_of(answer), detail="the answer is not a JSON object"
        )
    return body


def error_of(operation: str, answer: Answer, *, secret: str = "") -> UpstreamError:
    """The exception for an answer that is not a success.

    Args:
        operation: Name as in the API reference.
        answer: Status outside 2xx.
        secret: The bearer sent; should the service quote it, it is struck out of the message.
    """
    decoded = _decoded(answer.body)
    body = decoded if isinstance(decoded, dict) else {}
    text = body.get("message") or body.get("Message")
    return error_of_parts(
        operation,
        name=_error_name(answer, body),
        message=text if isinstance(text, str) else None,
        status_code=answer.status_code,
        headers=answer.headers,
        secret=secret,
    )


def error_of_parts(
    operation: str,
    *,
    name: str,
    message: str | None,
    status_code: int,
    headers: Mapping[str, str],
    secret: str = "",
) -> UpstreamError:
    """`error_of` for an answer somebody else has taken apart already.

    Args:
        operation: Name as in the API reference.
        name: The error's name, "" if the answer gave none.
        message: The service's text; None if the answer had no such member.
        status_code: HTTP status.
        headers: Of the answer, names in any case.
        secret: Struck out of the message.
    """
    request_id = _request_id(headers)
    speaks = bool(name) or message is not None or status_code == 429 or status_code >= 500
    if status_code < 400 or not speaks:
        return UpstreamShapeError(
            operation, request_id=request_id, detail=f"status {status_code}, not of this service"
        )
    return exception_class(name, status_code)(
        operation,
        message=_clean(message or "", secret),
        status_code=status_code,
        error_code=name or None,
        request_id=request_id,
        retry_after_s=_retry_after(headers),
    )


def _decoded(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _error_name(answer: Answer, body: dict[str, Any]) -> str:
    for found in (answer.headers.get(ERROR_TYPE_HEADER), body.get("__type")):
        if isinstance(found, str):
            name = found.partition(":")[0].rpartition("#")[2].strip()
            if _NAME.fullmatch(name):
                return name
    return ""


def _clean(text: str, secret: str) -> str:
    if secret:
        text = text.replace(secret, "[token]")
    text = _ADDRESS.sub("[address]", text)
    return "".join(char if char.isprintable() else " " for char in text[:MESSAGE_MAX])


def _request_id(headers: Mapping[str, str]) -> str | None:
    found = headers.get(REQUEST_ID_HEADER) or headers.get(REQUEST_ID_HEADER.lower()) or ""
    return found if _REQUEST_ID.fullmatch(found) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    found = headers.get("Retry-After") or headers.get("retry-after") or ""
    return float(found) if found.isascii() and found.isdigit() and len(found) < 6 else None
