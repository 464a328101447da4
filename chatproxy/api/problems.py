"""Exception → error body. One table, one shape, everywhere.

The body is an RFC 9457 problem and an AWS rest-json error at once: SDKs read the header
``x-amzn-ErrorType`` and ``message``; people and other clients read the rest. Under
``/participant/`` status and name are the service's own, always; under ``/api/v1/`` statuses say
more. Each type is explained in ``docs/rest.md`` under the last part of its URI.
"""

from __future__ import annotations

import json
import logging
import math
import uuid
from dataclasses import dataclass, replace

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.defaults import bad_request as django_bad_request
from django.views.defaults import page_not_found, server_error

from chatproxy.sessions import errors as ours
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream import errors as upstream

logger = logging.getLogger(__name__)


class _HostNotAllowed(ours.RequestError):
    """The request names a host that is not ours."""


class _MethodNotAllowed(ours.RequestError):
    """The route exists, the method does not."""


TYPE_BASE = "/api/docs/problems#"


@dataclass(frozen=True, slots=True)
class Problem:
    """One way a request can go wrong, at both of our doors.

    ``error_type`` and ``participant_status`` are what ``/participant/`` answers; ``status`` and
    ``type`` what ``/api/v1/`` answers.
    """

    type: str
    title: str
    status: int
    error_type: str
    participant_status: int
    detail: str
    retry_after_s: float | None = None


_DENIED = ("AccessDeniedException", 403)
_INVALID = ("ValidationException", 400)
_THROTTLED = ("ThrottlingException", 429)
_INTERNAL = ("InternalServerException", 500)

# Most specific first: the first class an exception is an instance of decides.
TABLE: tuple[tuple[type[BaseException], Problem], ...] = (
    (
        ours.MalformedBody,
        Problem("malformed-body", "The body can't be read", 400, *_INVALID, "Send a JSON object."),
    ),
    (
        ours.InvalidFields,
        Problem("invalid-fields", "Some fields do not fit", 422, *_INVALID, "Correct the fields."),
    ),
    (
        ours.OriginNotAllowed,
        Problem(
            "origin-not-allowed",
            "This page may not use the widget",
            403,
            *_DENIED,
            "Add the page's origin to the widget's allowed origins.",
        ),
    ),
    (
        ours.WidgetNotFound,
        Problem(
            "widget-not-found",
            "No such widget",
            404,
            *_INVALID,
            "Check data-widget against the widget's key in the admin.",
        ),
    ),
    (
        ours.ChallengeFailed,
        Problem(
            "challenge-failed",
            "The challenge was not met",
            403,
            *_DENIED,
            "Solve the challenge again and repeat the start.",
        ),
    ),
    (
        ours.RateLimited,
        Problem(
            "rate-limited", "Too many requests", 429, *_THROTTLED, "Wait, then try again.", 1.0
        ),
    ),
    (
        ours.Overloaded,
        Problem(
            "upstream-throttled",
            "The chat service is busy",
            503,
            *_THROTTLED,
            "Wait a moment, then try again.",
            1.0,
        ),
    ),
    (
        ours.SessionKeyInvalid,
        Problem("session-key-invalid", "The key is not valid", 401, *_DENIED, "Start a new chat."),
    ),
    (
        ours.SessionNotFound,
        Problem("session-key-invalid", "The session is gone", 401, *_DENIED, "Start a new chat."),
    ),
    (
        ours.SessionEnded,
        Problem("chat-ended", "The chat is over", 410, *_DENIED, "Start a new chat to go on."),
    ),
    (
        upstream.AccessDeniedException,
        Problem("chat-ended", "The chat is over", 410, *_DENIED, "Start a new chat to go on."),
    ),
    (
        upstream.ValidationException,
        Problem(
            "message-refused",
            "Amazon Connect refused the content",
            422,
            *_INVALID,
            "Change what is sent; repeating it will not help.",
        ),
    ),
    (
        upstream.ConflictException,
        Problem(
            "conflict",
            "It conflicts with what is going on",
            409,
            "ConflictException",
            409,
            "Read the state again before repeating it.",
        ),
    ),
    (
        upstream.ServiceQuotaExceededException,
        Problem(
            "quota-exceeded",
            "A quota of the chat service is used up",
            429,
            "ServiceQuotaExceededException",
            402,
            "Add no more of these to this chat; an operator may raise the instance's quota.",
        ),
    ),
    (
        upstream.ResourceNotFoundException,
        Problem(
            "not-found",
            "Not found",
            404,
            "ResourceNotFoundException",
            404,
            "Check the identifier.",
        ),
    ),
    (
        upstream.ThrottlingException,
        Problem(
            "upstream-throttled",
            "The chat service is busy",
            503,
            *_THROTTLED,
            "Wait a moment, then try again.",
            1.0,
        ),
    ),
    (
        upstream.UpstreamTimeout,
        Problem(
            "upstream-timeout",
            "The chat service did not answer in time",
            504,
            *_INTERNAL,
            "It may have arrived. Repeat it with the same ClientToken; it won't be sent twice.",
            1.0,
        ),
    ),
    (
        upstream.UpstreamMisconfigured,
        Problem(
            "upstream-misconfigured",
            "The chat service is not set up rightly",
            502,
            *_INTERNAL,
            "An operator has to correct region, instance, flow or credentials; the log says more.",
        ),
    ),
    (
        upstream.UpstreamError,
        Problem(
            "upstream-failed",
            "The chat service can't be reached or failed",
            502,
            *_INTERNAL,
            "Try again in a moment; with the same ClientToken nothing is sent twice.",
            2.0,
        ),
    ),
    (
        DatabaseError,
        Problem(
            "storage-unavailable",
            "Our database can't be reached or is busy",
            503,
            *_INTERNAL,
            "Try again in a moment; nothing was lost.",
            2.0,
        ),
    ),
    (
        _HostNotAllowed,
        Problem(
            "host-not-allowed",
            "This is not our address",
            400,
            *_INVALID,
            "Use the address in CHAT_PUBLIC_URL, or add this one to CHAT_ALLOWED_HOSTS.",
        ),
    ),
    (
        _MethodNotAllowed,
        Problem(
            "method-not-allowed",
            "The method is not allowed here",
            405,
            *_INVALID[:1],
            405,
            "Use a method that Allow names.",
        ),
    ),
    (
        RequestDataTooBig,
        Problem(
            "body-too-large",
            "The body is too large",
            413,
            *_INVALID,
            "Send less at once; files travel through StartAttachmentUpload.",
        ),
    ),
    (
        Http404,
        Problem(
            "not-found",
            "There is nothing at this address",
            404,
            "ResourceNotFoundException",
            404,
            "See /api/docs for what there is.",
        ),
    ),
)
INTERNAL = Problem(
    "internal-error",
    "Something went wrong on our side",
    500,
    *_INTERNAL,
    "Try again; if it stays so, tell the site's operator the instance id.",
)
#: Answered on the event loop by ``refusals.py``; here for the reference.
OVERLOADED = Problem(
    "overloaded",
    "Too much at once",
    503,
    *_THROTTLED,
    "The server has too much to do right now. Try again in 2 seconds.",
    2.0,
)


#: The service says why, we say what to do about it.
_EXPLAINED = (
    upstream.ConflictException,
    upstream.ServiceQuotaExceededException,
    upstream.ResourceNotFoundException,
)


def is_participant(request: HttpRequest) -> bool:
    """Whether the wire-compatible door was asked, so that the service's statuses apply."""
    return request.path_info.startswith("/participant/")


def problem_for(error: BaseException) -> Problem:
    """The table's row for ``error``, with the error's own sentence and waiting time."""
    row = next((row for kind, row in TABLE if isinstance(error, kind)), INTERNAL)
    return replace(
        row,
        detail=_detail(error, row),
        retry_after_s=getattr(error, "retry_after_s", None) or row.retry_after_s,
    )


def _detail(error: BaseException, row: Problem) -> str:
    if isinstance(error, upstream.ValidationException):
        # The service's own sentence, for whoever sent it: it says what it refused, fit to be shown.
        return error.message or row.detail
    if isinstance(error, _EXPLAINED) and error.message:
        return f"{error.message.rstrip('.')}. {row.detail}"
    if isinstance(error, ours.RequestError | ours.SessionError | ours.Overloaded):
        return str(error) or row.detail
    return row.detail


def problem_response(error: BaseException, request: HttpRequest) -> HttpResponse:
    """The one error body for ``error``; logs what is our fault, never what people sent."""
    row, instance = problem_for(error), request_id(request)
    participant = is_participant(request)
    status = row.participant_status if participant else row.status
    _log(error, row, request, instance, status)
    made = body(row, status, instance)
    if isinstance(error, ours.InvalidFields):
        made["errors"] = error.errors
    response = HttpResponse(
        json.dumps(made), status=status, content_type="application/problem+json"
    )
    response.headers["x-amzn-ErrorType"] = row.error_type
    if row.retry_after_s is not None:
        response.headers["Retry-After"] = str(math.ceil(row.retry_after_s))
    return response


def body(row: Problem, status: int, instance: str) -> dict[str, object]:
    """RFC 9457's members, and ``message`` where AWS SDKs look for it."""
    return {
        "type": TYPE_BASE + row.type,
        "title": row.title,
        "status": status,
        "detail": row.detail,
        "instance": instance,
        "message": row.detail,
    }


def method_refused(request: HttpRequest, allowed: str) -> HttpResponse:
    """405 in the one shape, naming the methods there are."""
    return problem_response(_MethodNotAllowed(f"Use {allowed or 'another method'} here."), request)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """``handler400``: what Django refuses before any view, such as a strange Host header."""
    if not request.path_info.startswith(("/api/", "/participant/")):
        return django_bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return problem_response(_HostNotAllowed(), request)
    return problem_response(ours.MalformedBody("The request can't be read. Send JSON."), request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """``handler404``: a problem at our doors, Django's page elsewhere."""
    if request.path_info.startswith(("/api/", "/participant/")):
        return problem_response(Http404(), request)
    return page_not_found(request, exception or Http404())


def failed(request: HttpRequest) -> HttpResponseBase:
    """``handler500``: what is wrong outside views, in the one shape at our doors."""
    if request.path_info.startswith(("/api/", "/participant/")):
        return problem_response(RuntimeError("unhandled"), request)
    return server_error(request)


def request_id(request: HttpRequest) -> str:
    """This request's id: in the header ``x-amzn-RequestId``, in problems and in log lines."""
    found = getattr(request, "chatproxy_request_id", None)
    if found is None:
        found = str(uuid.uuid4())
        request.chatproxy_request_id = found  # type: ignore[attr-defined]
    return str(found)


def _route(request: HttpRequest) -> str:
    # Never the path itself: a view token is part of it.
    return str(getattr(request.resolver_match, "route", "") or "")


def _log(
    error: BaseException, row: Problem, request: HttpRequest, instance: str, status: int
) -> None:
    facts = {"problem": row.type, "status": status, "instance": instance, "route": _route(request)}
    if row is INTERNAL or isinstance(error, SealBroken) or row.type == INTERNAL.type:
        logger.error("request failed", extra=facts, exc_info=error)
    elif status >= 500:
        logger.warning("request failed", extra={**facts, "cause": str(error)})
    else:
        logger.debug("request refused", extra=facts)
