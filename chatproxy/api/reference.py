"""The ``/api/v1`` application, and one OpenAPI document for all doors.

Our own routes describe themselves through ninja; the Participant Service's operations are described
from the service's own model, so that the reference can't drift from what SDKs send.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationErrorContext
from ninja.errors import ValidationError as NinjaValidationError

from chatproxy import __version__
from chatproxy.api.field_words import field_errors
from chatproxy.api.problems import problem_response
from chatproxy.api.sessions import router
from chatproxy.sessions.errors import InvalidFields, MalformedBody, SessionKeyInvalid


class ChatAPI(NinjaAPI):
    """Ninja's, which says in our words what does not fit."""

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> NinjaValidationError:
        return NinjaValidationError([*field_errors(error_contexts)])


api = ChatAPI(
    title="chatproxy",
    version=__version__,
    urls_namespace="chatproxy-api",
    docs_url=None,
    openapi_url=None,
)
api.add_router("", router)


@api.exception_handler(NinjaValidationError)
def _invalid(request: HttpRequest, error: NinjaValidationError) -> HttpResponse:
    for one in error.errors:
        if not one["pointer"]:
            return problem_response(MalformedBody(one["detail"]), request)
    sentence = " ".join(f"{one['pointer']}: {one['detail']}" for one in error.errors)
    return problem_response(InvalidFields(sentence, error.errors), request)


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
