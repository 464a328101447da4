"""Answers that are deferred: a wait without a thread, then the rest of the view."""

from __future__ import annotations

import asyncio
import json

import pytest

from chatproxy.onehop import OneHopHandler
from tests.unit.asgi_client import call
from tests.unit.onehop.site import ask, stage, until


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


async def test_a_request_cancelled_between_its_hops_is_closed(
    narrow: OneHopHandler, signals: list[str]
) -> None:
    ready = asyncio.Event()
    stage["wait"] = ready.wait
    pool = narrow.bulkheads.by_name["local"]
    deferred = call(narrow, "GET", "/api/v1/session/deferring")
    await until(lambda: pool.paused == 1)
    running = call(narrow, "GET", "/api/v1/session")
    await until(lambda: stage["held"].acquire(blocking=False))  # the only thread is busy
    ready.set()
    await until(lambda: pool.taken == 2)  # its second hop is in the queue
    deferred.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await deferred.task
    stage["let go"].set()
    await running.done()
    await until(lambda: signals.count("finished") == 2)
    assert len(stage["threads"]) == 1  # never resumed
    assert deferred.sent == []


async def test_too_many_waits_are_refused(narrow: OneHopHandler, signals: list[str]) -> None:
    ready = asyncio.Event()
    stage["wait"] = ready.wait
    waiting = call(narrow, "GET", "/deferring")
    await until(lambda: narrow.bulkheads.by_name["site"].paused == 1)
    assert (await ask(narrow, "GET", "/deferring")).status == 503
    ready.set()
    assert (await waiting.done()).status == 201
    await until(lambda: signals.count("finished") == 2)
