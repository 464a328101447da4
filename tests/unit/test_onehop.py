"""The one-hop handler over a small urlconf: what Django promises, on a bounded pool."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import json
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from io import BytesIO
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import request_finished, request_started
from django.db import connection, connections
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.test import override_settings
from django.urls import path

from chatproxy.bulkheads import DEFAULT_SIZES, Bulkheads, Size, pool_for
from chatproxy.onehop import Deferred, OneHopHandler
from tests.unit.asgi_client import Call, call

PLAIN_MIDDLEWARE = ["django.middleware.common.CommonMiddleware", f"{__name__}.stamping"]
MIB = 1024 * 1024

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
]


@pytest.fixture
def signals() -> Iterator[list[str]]:
    """Names of the request signals as they are sent."""
    seen: list[str] = []

    def started(sender: object, scope: Any, **_: object) -> None:
        seen.append("started")

    def finished(sender: object, **_: object) -> None:
        seen.append("finished")

    request_started.connect(started)
    request_finished.connect(finished)
    yield seen
    request_started.disconnect(started)
    request_finished.disconnect(finished)


@pytest.fixture
def app() -> Iterator[OneHopHandler]:
    yield from _handler()


@pytest.fixture
def narrow() -> Iterator[OneHopHandler]:
    """One thread and one place in the queue of each pool, and little patience."""
    size = Size(threads=1, queue=1, paused=1, wait_s=0.2)
    yield from _handler(Bulkheads(dict.fromkeys(DEFAULT_SIZES, size)))


def _handler(bulkheads: Bulkheads | None = None, **options: Any) -> Iterator[OneHopHandler]:
    stage.clear()
    stage.update({"held": threading.Semaphore(0), "let go": threading.Event()})
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=PLAIN_MIDDLEWARE, ALLOWED_HOSTS=["*"]):
        handler = OneHopHandler(bulkheads, **options)
        yield handler
        stage["let go"].set()
        handler.bulkheads.shutdown()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - any condition, also of threads
            await asyncio.sleep(0.005)


async def ask(app: OneHopHandler, method: str, where: str, *args: Any, **kwargs: Any) -> Call:
    return await call(app, method, where, *args, **kwargs).done()


async def test_a_view_runs_in_one_call_with_its_request_and_both_signals(
    app: OneHopHandler, signals: list[str]
) -> None:
    answer = await ask(app, "POST", "/echo", [b"hel", b"lo"])
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["content-length"] == "5"
    assert answer.headers["x-stamp"] == "seen"
    assert signals == ["started", "finished"]
    assert stage["threads"][0].startswith("chat-site")


async def test_head_gets_the_length_and_no_body(app: OneHopHandler) -> None:
    answer = await ask(app, "HEAD", "/file?size=7")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.headers["content-length"] == "7"


async def test_an_unknown_path_is_djangos_404(app: OneHopHandler, signals: list[str]) -> None:
    assert (await ask(app, "GET", "/nothing-here")).status == 404
    assert signals == ["started", "finished"]


async def test_an_exception_in_a_view_is_djangos_500(
    app: OneHopHandler, signals: list[str]
) -> None:
    answer = await ask(app, "GET", "/fail")
    assert answer.status == 500
    assert b"ZeroDivisionError" not in answer.body
    assert signals == ["started", "finished"]


async def test_an_asynchronous_view_is_refused_by_name(
    app: OneHopHandler, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await ask(app, "GET", "/async")).status == 500
    assert "test_onehop.asynchronous is asynchronous" in str(caplog.records[-1].exc_info)


def test_asynchronous_middleware_is_refused_at_start() -> None:
    with (
        override_settings(MIDDLEWARE=[f"{__name__}.async_only"]),
        pytest.raises(ImproperlyConfigured, match="async_only is asynchronous"),
    ):
        OneHopHandler()


async def test_a_websocket_scope_is_not_ours(app: OneHopHandler) -> None:
    with pytest.raises(ValueError, match="not websocket"):
        await app({"type": "websocket"}, asyncio.Queue[Any]().get, lambda _: asyncio.sleep(0))


@pytest.mark.django_db(transaction=True)
async def test_a_connection_past_its_age_is_closed_with_the_request(app: OneHopHandler) -> None:
    assert (await ask(app, "GET", "/query")).status == 200
    assert stage["connection"].connection is None


async def test_parts_are_streamed_from_one_pool_thread(
    app: OneHopHandler, signals: list[str]
) -> None:
    answer = await ask(app, "GET", "/parts")
    assert answer.body == b"0,1,2,"
    assert len(answer.sent) == 5  # start, three parts, end
    assert stage["threads"][0].startswith("chat-site")
    assert stage["closed"]
    assert signals == ["started", "finished"]


async def test_asynchronous_parts_are_streamed_on_the_loop(
    app: OneHopHandler, signals: list[str]
) -> None:
    answer = await ask(app, "GET", "/async-parts")
    assert answer.body == b"0,1,2,"
    await until(lambda: signals == ["started", "finished"])


async def test_a_small_file_is_sent_whole_and_a_big_one_in_parts(app: OneHopHandler) -> None:
    small, big = (
        await ask(app, "GET", "/file?size=9"),
        await ask(app, "GET", f"/file?size={2 * MIB}"),
    )
    assert (small.body, len(small.sent)) == (b"f" * 9, 2)
    assert (len(big.body), len(big.sent)) == (2 * MIB, 34)


async def test_a_client_that_leaves_ends_the_stream(app: OneHopHandler, signals: list[str]) -> None:
    request = call(app, "GET", "/endless")
    await until(lambda: len(request.sent) > 3)
    request.leave()
    await request.done()
    assert stage["closed"]
    assert signals == ["started", "finished"]


async def test_a_client_that_leaves_while_sending_starts_nothing(
    app: OneHopHandler, signals: list[str]
) -> None:
    request = call(app, "POST", "/echo", [b"half", b"never"])
    request.inbox.get_nowait()
    request.inbox.get_nowait()
    request.leave()
    await request.done()
    assert request.sent == []
    assert signals == []


async def test_a_server_that_raises_after_a_disconnect_is_no_error(app: OneHopHandler) -> None:
    async def broken(_message: object) -> None:
        raise ConnectionResetError

    request = call(app, "GET", "/echo")
    request.task.cancel()
    scope = {"type": "http", "method": "GET", "path": "/echo", "headers": []}
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    inbox.put_nowait({"type": "http.request"})
    await app(scope, inbox.get, broken)


async def test_a_body_over_the_limit_is_refused_before_it_is_read(
    app: OneHopHandler, signals: list[str]
) -> None:
    request = call(app, "POST", "/echo", headers={"Content-Length": str(256 * 1024 + 1)})
    answer = await request.done()
    assert answer.status == 413
    assert request.inbox.qsize() == 1  # not even asked for
    assert "262144 bytes" in json.loads(answer.body)["detail"]
    assert signals == []


async def test_a_body_that_hides_its_length_is_refused_on_the_way(app: OneHopHandler) -> None:
    assert (await ask(app, "POST", "/echo", [b"x" * MIB, b"x" * MIB])).status == 413


async def test_the_longest_message_fits_even_when_escaped(app: OneHopHandler) -> None:
    body = json.dumps({"Content": "\N{GRINNING FACE}" * 16384}).encode()
    assert (await ask(app, "POST", "/echo", body)).body == body


async def test_a_full_pool_refuses_in_the_services_words_and_leaves_the_others_fast(
    narrow: OneHopHandler,
) -> None:
    running = call(narrow, "POST", "/participant/message")
    await until(lambda: stage["held"].acquire(blocking=False))
    queued = call(narrow, "POST", "/participant/message")
    await until(lambda: narrow.bulkheads.by_name["message"].taken == 2)

    refused = await ask(narrow, "POST", "/participant/message")
    assert refused.status == 429
    assert refused.headers["x-amzn-errortype"] == "ThrottlingException"
    assert int(refused.headers["retry-after"]) >= 1
    problem = json.loads(refused.body)
    assert set(problem) == {"type", "title", "status", "detail", "instance", "message"}
    assert refused.headers["content-type"] == "application/problem+json"

    assert (await ask(narrow, "POST", "/participant/event", b"typing")).status == 200
    stage["let go"].set()
    assert (await running.done()).body == b"at last"
    assert (await queued.done()).body == b"at last"


async def test_a_request_that_finds_no_thread_in_time_is_refused(narrow: OneHopHandler) -> None:
    running = call(narrow, "GET", "/api/v1/session")
    await until(lambda: stage["held"].acquire(blocking=False))
    answer = await ask(narrow, "GET", "/api/v1/session")
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    stage["let go"].set()
    assert (await running.done()).status == 200


CROWD = 1000


@pytest.fixture
def hasty() -> Iterator[OneHopHandler]:
    """The pools as they are; where few may wait, they wait a moment."""
    sizes = {
        name: size if size.queue >= CROWD else dataclasses.replace(size, wait_s=0.2)
        for name, size in DEFAULT_SIZES.items()
    }
    yield from _handler(Bulkheads(sizes))


async def test_thousands_wait_for_a_connection_and_none_is_refused(hasty: OneHopHandler) -> None:
    """ChatJS takes three quick refusals of this one for the end of the session."""
    ready = asyncio.Event()
    stage["wait"] = ready.wait
    pool = hasty.bulkheads.by_name["connection"]
    waiting = [call(hasty, "POST", "/participant/connection", b"{}") for _ in range(CROWD)]
    await until(lambda: pool.taken == CROWD)
    await asyncio.sleep(0.5)  # longer than others wait for a thread
    stage["let go"].set()
    await until(lambda: pool.paused == CROWD)
    ready.set()
    assert {(await each.done()).status for each in waiting} == {201}
    assert pool.refused == 0
    assert len({thread.name for thread in threading.enumerate()}) < 20


async def test_preflights_wait_as_long_as_what_they_ask_about(hasty: OneHopHandler) -> None:
    waiting = [call(hasty, "OPTIONS", "/participant/message") for _ in range(200)]
    await until(lambda: hasty.bulkheads.by_name["preflight"].taken == 200)
    await asyncio.sleep(0.5)
    stage["let go"].set()
    assert {(await each.done()).status for each in waiting} == {200}


async def test_where_thousands_wait_bodies_are_short(app: OneHopHandler) -> None:
    answer = await ask(app, "POST", "/participant/connection", b"x" * 4097)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert "4096 bytes" in json.loads(answer.body)["detail"]


async def test_a_call_taken_out_of_the_queue_lets_its_request_go(narrow: OneHopHandler) -> None:
    running = call(narrow, "GET", "/api/v1/session")
    await until(lambda: stage["held"].acquire(blocking=False))
    pool = narrow.bulkheads.by_name["local"]
    request = Request()
    gone, future = weakref.ref(request), pool.submit(request.serve)
    del request
    assert gone() is not None
    assert future.cancel()
    assert gone() is None
    stage["let go"].set()
    await running.done()


class Request:
    def serve(self) -> None:
        """Never reached: it is cancelled before."""


async def test_a_client_that_leaves_the_queue_is_never_served(
    narrow: OneHopHandler, signals: list[str]
) -> None:
    running = call(narrow, "GET", "/api/v1/session")
    await until(lambda: stage["held"].acquire(blocking=False))
    queued = call(narrow, "GET", "/api/v1/session")
    await until(lambda: narrow.bulkheads.by_name["local"].taken == 2)
    queued.leave()
    await queued.done()
    assert queued.sent == []
    assert narrow.bulkheads.by_name["local"].taken == 1
    stage["let go"].set()
    await running.done()
    assert signals == ["started", "finished"]


async def test_a_request_cancelled_while_it_runs_is_closed_by_its_thread(
    app: OneHopHandler, signals: list[str]
) -> None:
    running = call(app, "GET", "/api/v1/session")
    await until(lambda: stage["held"].acquire(blocking=False))
    running.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running.task
    stage["let go"].set()
    await until(lambda: signals == ["started", "finished"])
    await until(lambda: app.bulkheads.by_name["local"].taken == 0)


async def test_a_deferred_answer_waits_without_a_thread_and_keeps_what_middleware_added(
    narrow: OneHopHandler, signals: list[str]
) -> None:
    ready = asyncio.Event()
    stage["wait"] = ready.wait
    request = call(narrow, "GET", "/deferring")
    await until(lambda: narrow.bulkheads.by_name["site"].paused == 1)
    assert signals == ["started"]
    assert (await ask(narrow, "GET", "/echo")).status == 200  # the only thread is free
    ready.set()
    answer = await request.done()
    assert (answer.status, json.loads(answer.body)) == (201, {"note": "from the first hop"})
    assert answer.headers["x-stamp"] == "seen"
    assert answer.headers["vary"] == "Accept, Origin"
    assert answer.headers["set-cookie"].startswith("stamp=1")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-length"] == str(len(answer.body))
    assert signals == ["started", "started", "finished", "finished"]
    assert narrow.bulkheads.by_name["site"].paused == 0


async def test_an_answer_may_be_deferred_again(app: OneHopHandler) -> None:
    assert (await ask(app, "GET", "/twice")).body == b"third hop"


async def test_a_wait_that_fails_is_the_views_exception_or_its_plan_b(app: OneHopHandler) -> None:
    async def too_late() -> None:
        raise TimeoutError("nothing came")

    stage["wait"] = too_late
    assert (await ask(app, "GET", "/deferring")).status == 500
    answer = await ask(app, "GET", "/plan-b")
    assert (answer.status, answer.body) == (503, b"instead: nothing came")


async def test_a_failure_on_the_second_hop_is_djangos_500(
    app: OneHopHandler, signals: list[str]
) -> None:
    answer = await ask(app, "GET", "/late-failure")
    assert answer.status == 500
    assert answer.headers["x-stamp"] == "seen"
    assert signals == ["started", "finished"]


async def test_a_client_that_leaves_cancels_the_wait_and_the_request_is_closed(
    app: OneHopHandler, signals: list[str]
) -> None:
    ended = asyncio.Event()

    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    stage["wait"] = forever
    request = call(app, "GET", "/deferring")
    await until(lambda: app.bulkheads.by_name["site"].paused == 1)
    request.leave()
    await request.done()
    assert ended.is_set()
    assert request.sent == []
    await until(lambda: signals == ["started", "finished"])
    assert len(stage["threads"]) == 1  # never resumed


async def test_a_server_that_cancels_the_wait_gets_the_request_closed(
    app: OneHopHandler, signals: list[str]
) -> None:
    stage["wait"] = asyncio.Event().wait
    request = call(app, "GET", "/deferring")
    await until(lambda: app.bulkheads.by_name["site"].paused == 1)
    request.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await request.task
    await until(lambda: signals == ["started", "finished"])
    assert app.bulkheads.by_name["site"].paused == 0


async def test_too_many_waits_are_refused(narrow: OneHopHandler, signals: list[str]) -> None:
    ready = asyncio.Event()
    stage["wait"] = ready.wait
    waiting = call(narrow, "GET", "/deferring")
    await until(lambda: narrow.bulkheads.by_name["site"].paused == 1)
    assert (await ask(narrow, "GET", "/deferring")).status == 503
    ready.set()
    assert (await waiting.done()).status == 201
    await until(lambda: signals.count("finished") == 2)


@pytest.mark.parametrize(
    ("method", "where", "pool"),
    [
        ("POST", "/participant/message", "message"),
        ("POST", "/participant/start-attachment-upload", "attachment"),
        ("POST", "/participant/disconnect", "other"),
        ("POST", "/participant/connection", "connection"),
        ("OPTIONS", "/participant/connection", "preflight"),
        ("POST", "/api/v1/sessions", "start"),
        ("GET", "/api/v1/session", "local"),
        ("DELETE", "/api/v1/session", "other"),
        ("GET", "/api/v1/session/transcript", "transcript"),
        ("GET", "/admin/", "admin"),
        ("GET", "/administration", "site"),
        ("GET", "/", "site"),
    ],
)
def test_each_kind_of_work_has_its_pool(method: str, where: str, pool: str) -> None:
    assert pool_for(method, where) == pool
    assert pool in DEFAULT_SIZES
