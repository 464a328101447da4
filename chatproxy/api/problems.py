"""Exception → problem, one table; and the one error body that answers it.

The body is an RFC 9457 problem and an AWS rest-json error at once: SDKs read the header
``x-amzn-ErrorType`` and ``message``; people and other clients read the rest. The problems
themselves are in ``problem_types.py``.
"""

from __future__ import annotations

import json
import logging
import math
import uuid
from dataclasses import replace

from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import Http404, HttpRequest, HttpResponse

from chatproxy.api import problem_types as types
from chatproxy.api.problem_types import Problem
from chatproxy.sessions import errors as ours
from chatproxy.upstream import errors as upstream
from chatproxy.upstream.vocabulary import AttachmentStatus, Operation

logger = logging.getLogger(__name__)

NOTHING_HERE = replace(
    types.NOT_FOUND,
    title="There is nothing at this address",
    detail="See /api/docs for what there is.",
)

#: What we refuse without asking the service; its own refusals bring the id of a request with them.
REFUSED_BY_US = replace(types.MESSAGE_REFUSED, title="What was sent does not fit")

# Most specific first: the first class an exception is an instance of decides.
TABLE: tuple[tuple[type[BaseException], Problem], ...] = (
    (ours.MalformedBody, types.MALFORMED_BODY),
    (ours.InvalidFields, types.INVALID_FIELDS),
    (ours.OriginNotAllowed, types.ORIGIN_NOT_ALLOWED),
    (ours.WidgetNotFound, types.WIDGET_NOT_FOUND),
    (ours.ChallengeFailed, types.CHALLENGE_FAILED),
    (ours.RateLimited, types.RATE_LIMITED),
    (ours.Overloaded, types.UPSTREAM_THROTTLED),
    (ours.SessionKeyInvalid, types.SESSION_KEY_INVALID),
    (ours.SessionNotFound, types.SESSION_KEY_INVALID),
    (ours.SessionEnded, types.CHAT_ENDED),
    (upstream.AccessDeniedException, types.CHAT_ENDED),
    (upstream.ValidationException, types.MESSAGE_REFUSED),
    (upstream.ConflictException, types.CONFLICT),
    (upstream.ServiceQuotaExceededException, types.QUOTA_EXCEEDED),
    (upstream.ResourceNotFoundException, types.NOT_FOUND),
    (upstream.ThrottlingException, types.UPSTREAM_THROTTLED),
    (upstream.UpstreamTimeout, types.UPSTREAM_TIMEOUT),
    (upstream.UpstreamMisconfigured, types.UPSTREAM_MISCONFIGURED),
    (upstream.UpstreamError, types.UPSTREAM_FAILED),
    (DatabaseError, types.STORAGE_UNAVAILABLE),
    (DisallowedHost, types.HOST_NOT_ALLOWED),
    (RequestDataTooBig, types.BODY_TOO_LARGE),
    (Http404, NOTHING_HERE),
)

#: The service says why, we say what to do about it.
_EXPLAINED = (
    upstream.ConflictException,
    upstream.ServiceQuotaExceededException,
    upstream.ResourceNotFoundException,
)

#: Those that carry a ClientToken; a failure of the others must not name what they do not have.
_WITH_CLIENT_TOKEN = frozenset(
    {
        Operation.SEND_MESSAGE,
        Operation.SEND_EVENT,
        Operation.DISCONNECT_PARTICIPANT,
        Operation.START_ATTACHMENT_UPLOAD,
        Operation.COMPLETE_ATTACHMENT_UPLOAD,
        Operation.START_CHAT_CONTACT,
    }
)


def problem_for(error: BaseException) -> Problem:
    """The table's problem for ``error``, with the error's own sentence and waiting time."""
    found = next((row for kind, row in TABLE if isinstance(error, kind)), types.INTERNAL_ERROR)
    if isinstance(error, upstream.ValidationException) and error.request_id is None:
        found = REFUSED_BY_US
    return replace(
        found,
        detail=_detail(error, found),
        retry_after_s=getattr(error, "retry_after_s", None) or found.retry_after_s,
    )


def _detail(error: BaseException, found: Problem) -> str:
    if isinstance(error, upstream.ValidationException):
        # The service's own sentence, for whoever sent it: it says what it refused, fit to be shown.
        return _refusal(error) or found.detail
    if isinstance(error, _EXPLAINED) and error.message:
        return f"{error.message.rstrip('.')}. {found.detail}"
    if isinstance(error, ours.RequestError | ours.SessionError | ours.Overloaded):
        return str(error) or found.detail
    if isinstance(error, upstream.UpstreamError) and error.operation not in _WITH_CLIENT_TOKEN:
        return "Try again in a moment." if "ClientToken" in found.detail else found.detail
    return found.detail


def _refusal(error: upstream.ValidationException) -> str:
    is_scanned = AttachmentStatus.IN_PROGRESS in error.message
    if error.operation == Operation.GET_ATTACHMENT and is_scanned:
        return f"{error.message.rstrip('.')}. It is being scanned: try again in a few seconds."
    return error.message


def problem_response(error: BaseException, request: HttpRequest) -> HttpResponse:
    """The answer to ``error``; logs what is our fault, never what people sent."""
    problem = problem_for(error)
    _log(error, problem, request)
    errors = error.errors if isinstance(error, ours.InvalidFields) else None
    return answer(problem, request, errors)


def answer(
    problem: Problem, request: HttpRequest, errors: list[dict[str, str]] | None = None
) -> HttpResponse:
    """``problem`` in the one shape, with its status at the door that was asked.

    Args:
        errors: The fields that do not fit, if that is the problem.
    """
    status = problem.at(request.path_info)
    body = problem.body(status, request_id(request))
    if errors is not None:
        body["errors"] = errors
    response = HttpResponse(
        json.dumps(body), status=status, content_type="application/problem+json"
    )
    response.headers["x-amzn-ErrorType"] = problem.error_type
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(math.ceil(problem.retry_after_s))
    return response


def request_id(request: HttpRequest) -> str:
    """This request's id: in the header ``x-amzn-RequestId``, in problems and in log lines."""
    found = getattr(request, "chatproxy_request_id", None)
    if found is None:
        found = str(uuid.uuid4())
        request.chatproxy_request_id = found  # type: ignore[attr-defined]
    return str(found)


def _log(error: BaseException, problem: Problem, request: HttpRequest) -> None:
    status = problem.at(request.path_info)
    facts = {
        "problem": problem.type,
        "status": status,
        "instance": request_id(request),
        # Never the path itself: a view token is part of it.
        "route": str(getattr(request.resolver_match, "route", "") or ""),
    }
    if problem.type == types.INTERNAL_ERROR.type:
        logger.error("request failed", extra=facts, exc_info=error)
    elif status >= 500:
        logger.warning("request failed", extra={**facts, "cause": str(error)})
    else:
        logger.debug("request refused", extra=facts)
