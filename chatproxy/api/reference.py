"""The ``/api/v1`` application, and one OpenAPI document for all doors.

Our own routes describe themselves through ninja; the Participant Service's operations are described
from the service's own model, so that the reference can't drift from what SDKs send.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError
from ninja.errors import ValidationError as NinjaValidationError

from chatproxy import __version__
from chatproxy.api.problems import problem_response
from chatproxy.api.sessions import router
from chatproxy.sessions.errors import InvalidFields, MalformedBody, SessionKeyInvalid

api = NinjaAPI(
    title="chatproxy",
    version=__version__,
    urls_namespace="chatproxy-api",
    docs_url=None,
    openapi_url=None,
)
api.add_router("", router)


@api.exception_handler(NinjaValidationError)
def _invalid(request: HttpRequest, error: NinjaValidationError) -> HttpResponse:
    errors = [
        {"pointer": _pointer(one.get("loc", ())), "detail": str(one.get("msg", ""))}
        for one in error.errors
    ]
    sentence = " ".join(f"{one['pointer']}: {one['detail']}." for one in errors)
    return problem_response(InvalidFields(sentence, errors), request)


def _pointer(location: Any) -> str:
    # ninja's locations begin with where the value came from and the argument's name.
    parts = [str(part) for part in location]
    if parts[:1] == ["body"]:
        parts = parts[2:]
    elif parts[:1] in (["query"], ["path"]):
        parts = parts[1:]
    return "/" + "/".join(parts)


@api.exception_handler(HttpError)
def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    return problem_response(
        MalformedBody("The body is not valid JSON. Send a JSON object."), request
    )


@api.exception_handler(AuthenticationError)
def _nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problem_response(SessionKeyInvalid("Send the key in the header X-Amz-Bearer."), request)


@api.exception_handler(Exception)
def _failed(request: HttpRequest, error: Exception) -> HttpResponse:
    return problem_response(error, request)
