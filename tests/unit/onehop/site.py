"""A small site of views that break, wait, stream and defer, and the handler that serves it."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from typing import Any

from django.db import connection, connections
from django.http import FileResponse, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.urls import path

from chatproxy.bulkheads import Bulkheads
from chatproxy.onehop import Deferred, OneHopHandler
from tests.unit.asgi_client import Call, call

PLAIN_MIDDLEWARE = ["django.middleware.common.CommonMiddleware", f"{__name__}.stamping"]
#: What views reach from the pool: the test's events, by name.
stage: dict[str, Any] = {}
note: contextvars.ContextVar[str] = contextvars.ContextVar("note", default="none")


def stamping(get_response: Callable[[HttpRequest], HttpResponse]) -> Any:
    """Middleware that leaves a header, a cookie and a Vary on whatever passes."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["X-Stamp"] = "seen"
        response["Vary"] = "Origin"
        response.set_cookie("stamp", "1")
        return response

    return middleware


async def async_only(get_response: Any) -> Any:
    return get_response


async_only.sync_capable = False  # type: ignore[attr-defined]
async_only.async_capable = True  # type: ignore[attr-defined]


def echo(request: HttpRequest) -> HttpResponse:
    stage["threads"] = [threading.current_thread().name]
    return HttpResponse(request.body, content_type="text/plain")


def fail(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError("a view that breaks")


async def asynchronous(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def held(request: HttpRequest) -> HttpResponse:
    stage["held"].release()
    assert stage["let go"].wait(10)
    return HttpResponse("at last")


def connecting(request: HttpRequest) -> HttpResponse:
    """Waits on its thread, gives it back and waits on the loop, as a connection does."""
    held(request)
    return deferring(request)


def query(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    connection.close_at = time.monotonic() - 1  # as if it were open for long
    stage["connection"] = connections["default"]
    return HttpResponse("1")


def parts(request: HttpRequest) -> StreamingHttpResponse:
    def produce() -> Iterator[bytes]:
        try:
            stage["threads"] = [threading.current_thread().name]
            for number in range(3):
                yield f"{number},".encode()
        finally:
            stage["closed"] = True

    return StreamingHttpResponse(produce())


def endless(request: HttpRequest) -> StreamingHttpResponse:
    def produce() -> Iterator[bytes]:
        try:
            while True:
                time.sleep(0.001)
                yield b"x"
        finally:
            stage["closed"] = True

    return StreamingHttpResponse(produce())


def async_parts(request: HttpRequest) -> StreamingHttpResponse:
    async def produce() -> AsyncIterator[bytes]:
        for number in range(3):
            await asyncio.sleep(0)
            yield f"{number},".encode()

    return StreamingHttpResponse(produce())


def file(request: HttpRequest) -> FileResponse:
    size = int(request.GET["size"])
    return FileResponse(BytesIO(b"f" * size), filename="f.bin")


def deferring(request: HttpRequest) -> Deferred:
    note.set("from the first hop")
    stage["threads"] = [threading.current_thread().name]
    stage["request"] = request

    def resume() -> HttpResponse:
        stage["threads"].append(threading.current_thread().name)
        response = JsonResponse({"note": note.get()}, status=201)
        response["Vary"] = "Accept"
        return response

    return Deferred(lambda: stage["wait"](), resume)


def deferring_twice(request: HttpRequest) -> Deferred:
    async def moment() -> None:
        await asyncio.sleep(0)

    return Deferred(moment, lambda: Deferred(moment, lambda: HttpResponse("third hop")))


def deferring_with_plan_b(request: HttpRequest) -> Deferred:
    return Deferred(
        lambda: stage["wait"](),
        lambda: HttpResponse("as hoped"),
        lambda failure: HttpResponse(f"instead: {failure}", status=503),
    )


def deferring_to_failure(request: HttpRequest) -> Deferred:
    async def moment() -> None:
        await asyncio.sleep(0)

    def resume() -> HttpResponseBase:
        raise ZeroDivisionError("on the second hop")

    return Deferred(moment, resume)


urlpatterns = [
    path("echo", echo),
    path("fail", fail),
    path("async", asynchronous),
    path("query", query),
    path("parts", parts),
    path("endless", endless),
    path("async-parts", async_parts),
    path("file", file),
    path("deferring", deferring),
    path("twice", deferring_twice),
    path("plan-b", deferring_with_plan_b),
    path("late-failure", deferring_to_failure),
    path("participant/message", held),
    path("participant/event", echo),
    path("participant/connection", connecting),
    path("api/v1/session", held),
    path("api/v1/session/deferring", deferring),
    path("api/v1/session/endless", endless),
]


def handler(bulkheads: Bulkheads | None = None, **options: Any) -> Iterator[OneHopHandler]:
    """A one-hop handler over this site; its threads are let go at the end."""
    stage.clear()
    stage.update({"held": threading.Semaphore(0), "let go": threading.Event()})
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=PLAIN_MIDDLEWARE, ALLOWED_HOSTS=["*"]):
        made = OneHopHandler(bulkheads, **options)
        yield made
        stage["let go"].set()
        made.bulkheads.shutdown()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - any condition, also of threads
            await asyncio.sleep(0.005)


async def ask(app: OneHopHandler, method: str, where: str, *args: Any, **kwargs: Any) -> Call:
    return await call(app, method, where, *args, **kwargs).done()
