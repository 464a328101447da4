"""Health is answered on the event loop: at once, and whatever the database does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django import Settings

from chatproxy.api import health
from chatproxy.api.health import Health
from chatproxy.lifespan import lifespan


async def elsewhere(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def get(app: Health, path: str, method: str = "GET") -> tuple[int, dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await app({"type": "http", "path": path, "method": method}, None, send)
    return sent[0]["status"], json.loads(sent[1]["body"] or b"{}")


def app(database: Callable[[], str] = lambda: "ok") -> Health:
    return Health(elsewhere, database=database)


async def test_a_process_that_runs_says_so() -> None:
    status, body = await get(app(), "/healthz")
    assert (status, body["status"]) == (200, "ok")


async def test_a_process_that_serves_is_ready() -> None:
    status, body = await get(app(), "/readyz")
    assert (status, body["status"], body["database"]) == (200, "ready", "ok")


async def test_head_has_no_body() -> None:
    assert await get(app(), "/readyz", "HEAD") == (200, {})


async def test_everything_else_is_for_the_application() -> None:
    assert (await get(app(), "/healthz/"))[0] == 418


async def test_without_its_database_a_process_is_alive_and_not_ready() -> None:
    without = app(lambda: "unreachable (OperationalError)")
    assert (await get(without, "/healthz"))[0] == 200
    status, body = await get(without, "/readyz")
    assert (status, body["database"]) == (503, "unreachable (OperationalError)")


async def test_a_draining_process_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifespan, "stopping", True)
    status, body = await get(app(), "/readyz")
    assert (status, body["draining"]) == (503, True)


async def test_the_database_is_asked_once_a_second_however_many_look() -> None:
    asked: list[int] = []

    def look() -> str:
        asked.append(1)
        return "ok"

    looked_at = app(look)
    await asyncio.gather(*(get(looked_at, "/readyz") for _ in range(20)))
    assert len(asked) == 1


async def test_a_database_that_hangs_holds_up_one_thread_and_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(health, "DATABASE_WAIT_S", 0.02)
    monkeypatch.setattr(health, "KNOWN_S", 0.0)
    release, asked = threading.Event(), []

    def hang() -> str:
        asked.append(1)
        release.wait(5)
        return "ok"

    hung = app(hang)
    for _ in range(3):
        assert (await get(hung, "/readyz"))[0] == 503
    assert len(asked) == 1
    release.set()
    async with asyncio.timeout(5):
        while (await get(hung, "/readyz"))[0] != 200:  # noqa: ASYNC110 - the database tells nobody
            await asyncio.sleep(0.01)


# --- what is told without making a process unready


async def redis_as_told(looked_at: Health, wanted: str) -> None:
    """Ask until ``redis`` is as ``wanted``; ready all the while."""
    async with asyncio.timeout(5):
        while True:
            status, body = await get(looked_at, "/readyz")
            assert status == 200
            if body["redis"] == wanted:
                return
            await asyncio.sleep(0.01)


async def test_redis_that_is_away_is_told_by_a_ready_process(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "KNOWN_S", 0.0)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    answers = iter(["ok", *["unreachable"] * 10_000])
    looked_at = Health(elsewhere, database=lambda: "ok", redis=lambda: next(answers))
    await redis_as_told(looked_at, "unreachable")


async def test_redis_that_hangs_is_told_and_waited_for_by_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "DATABASE_WAIT_S", 5.0)
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    release = threading.Event()
    looked_at = Health(
        elsewhere, database=lambda: "ok", redis=lambda: "ok" if release.wait(10) else ""
    )
    began = asyncio.get_running_loop().time()
    assert (await get(looked_at, "/readyz"))[1]["redis"] == "not known yet"
    assert asyncio.get_running_loop().time() - began < 3.0
    monkeypatch.setattr(health, "DATABASE_WAIT_S", 0.2)
    await redis_as_told(looked_at, "no answer in 0 seconds")
    release.set()
    await redis_as_told(looked_at, "ok")


async def test_without_redis_nothing_is_said_of_it() -> None:
    assert "redis" not in (await get(app(), "/readyz"))[1]


async def test_the_last_call_to_the_service_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    call = health.LastCall()
    monkeypatch.setattr(health, "last_call", call)
    assert (await get(app(), "/readyz"))[1]["upstream"] == "not asked yet"
    call.note("SendMessage", 0.1, None)
    assert (await get(app(), "/readyz"))[1]["upstream"] == "ok, 0 s ago"
    call.note("SendMessage", 0.1, TimeoutError())
    status, body = await get(app(), "/readyz")
    assert (status, body["upstream"]) == (200, "TimeoutError at SendMessage, 0 s ago")
