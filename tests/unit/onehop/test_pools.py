"""The bounded pools: what does not fit is refused, or waits where ChatJS needs it to."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import threading
import weakref
from collections.abc import Iterator

import pytest

from chatproxy.bulkheads import DEFAULT_SIZES, Bulkheads, pool_for
from chatproxy.onehop import OneHopHandler
from tests.unit.asgi_client import call
from tests.unit.onehop.site import ask, handler, stage, until

CROWD = 1000


@pytest.fixture
def hasty() -> Iterator[OneHopHandler]:
    """The pools as they are; where few may wait, they wait a moment."""
    sizes = {
        name: size if size.queue >= CROWD else dataclasses.replace(size, wait_s=0.2)
        for name, size in DEFAULT_SIZES.items()
    }
    yield from handler(Bulkheads(sizes))


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


async def test_a_client_that_leaves_a_stream_it_queued_for_is_no_error(
    narrow: OneHopHandler, caplog: pytest.LogCaptureFixture
) -> None:
    running = call(narrow, "GET", "/api/v1/session")
    await until(lambda: stage["held"].acquire(blocking=False))
    queued = call(narrow, "GET", "/api/v1/session/endless")
    await until(lambda: narrow.bulkheads.by_name["local"].taken == 2)
    stage["let go"].set()
    await running.done()
    await until(lambda: len(queued.sent) > 1)
    queued.leave()
    await queued.done()
    await until(lambda: narrow.bulkheads.by_name["local"].taken == 0)
    gc.collect()  # a future whose exception nobody took complains when it goes
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


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
