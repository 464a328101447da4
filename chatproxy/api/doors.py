"""Middleware for what all doors share: headers on every answer, one body for every failure."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from chatproxy.api import problems

DOORS = ("/api/", "/participant/")
_PERMISSIONS = "camera=(), microphone=(), geolocation=(), payment=(), usb=()"


class Doors:
    """Outermost middleware: request id, cache and security headers, exceptions as problems."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        headers = response.headers
        headers.setdefault("Permissions-Policy", _PERMISSIONS)
        if request.path_info.startswith(DOORS):
            if response.status_code == 405 and "application/problem" not in headers["Content-Type"]:
                response = self._method_refused(request, response)
                headers = response.headers
            headers["x-amzn-RequestId"] = problems.request_id(request)
            headers.setdefault("Cache-Control", "no-store")
            headers.setdefault("Cross-Origin-Resource-Policy", "cross-origin")
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if request.path_info.startswith(DOORS):
            return problems.problem_response(error, request)
        return None

    def _method_refused(self, request: HttpRequest, refused: HttpResponseBase) -> HttpResponse:
        answer = problems.method_refused(request, refused.headers.get("Allow", ""))
        answer.headers["Allow"] = refused.headers.get("Allow", "")
        return answer
