"""What all doors share: headers on every answer, and one body for every failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.core.exceptions import DisallowedHost
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.views.defaults import bad_request as djangos_bad_request
from django.views.defaults import page_not_found, server_error

from chatproxy.api import problem_types, problems
from chatproxy.sessions.errors import MalformedBody

DOORS = ("/api/", "/participant/")
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class Doors:
    """Outermost middleware: request id, cache and security headers, exceptions as problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code == 405 and not (_is_problem(response) or _wants_a_page(request)):
            response = _method_refused(request, response.headers.get("Allow", ""))
        if _is_at_a_door(request) or _is_problem(response):
            response.headers["x-amzn-RequestId"] = problems.request_id(request)
            response.headers.setdefault("Cache-Control", "no-store")
        if _is_at_a_door(request):
            response.headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        response.headers.setdefault("Permissions-Policy", _PERMISSIONS)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return problems.problem_response(error, request) if _is_at_a_door(request) else None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """``handler400``: what Django refuses before any view, such as a strange Host header."""
    if _wants_a_page(request):
        return djangos_bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        return problems.problem_response(exception, request)
    return problems.problem_response(
        MalformedBody("The request can't be read. Send JSON."), request
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    """``handler404``: a problem, or Django's page for a browser that looks for one."""
    if _wants_a_page(request):
        return page_not_found(request, exception or Http404())
    return problems.problem_response(Http404(), request)


def failed(request: HttpRequest) -> HttpResponseBase:
    """``handler500``: what is wrong outside views, in the one shape."""
    if _wants_a_page(request):
        return server_error(request)
    return problems.problem_response(RuntimeError("unhandled"), request)


def _is_at_a_door(request: HttpRequest) -> bool:
    return request.path_info.startswith(DOORS)


def _wants_a_page(request: HttpRequest) -> bool:
    """Whether somebody looks at this: a browser names HTML, a client of an API does not."""
    return not _is_at_a_door(request) and "text/html" in request.headers.get("Accept", "")


def _is_problem(response: HttpResponseBase) -> bool:
    return "application/problem" in response.headers.get("Content-Type", "")


def _method_refused(request: HttpRequest, allowed: str) -> HttpResponse:
    detail = f"Use {allowed or 'another method'} here."
    problem = replace(problem_types.METHOD_NOT_ALLOWED, detail=detail)
    answer = problems.answer(problem, request)
    answer.headers["Allow"] = allowed
    return answer
