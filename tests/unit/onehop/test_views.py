"""What Django promises a view, in one call: request, errors, signals, middleware."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from chatproxy.onehop import OneHopHandler
from tests.unit.asgi_client import call
from tests.unit.onehop import site
from tests.unit.onehop.site import ask, stage


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
    assert "site.asynchronous is asynchronous" in str(caplog.records[-1].exc_info)


def test_asynchronous_middleware_is_refused_at_start() -> None:
    with (
        override_settings(MIDDLEWARE=[f"{site.__name__}.async_only"]),
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
