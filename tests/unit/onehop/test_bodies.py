"""Bodies: streamed to whoever stays, and refused where they are too long."""

from __future__ import annotations

import json

from chatproxy.onehop import OneHopHandler
from tests.unit.asgi_client import call
from tests.unit.onehop.site import ask, stage, until

MIB = 1024 * 1024


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


async def test_where_thousands_wait_bodies_are_short(app: OneHopHandler) -> None:
    answer = await ask(app, "POST", "/participant/connection", b"x" * 4097)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationException")
    assert "4096 bytes" in json.loads(answer.body)["detail"]


async def test_the_longest_message_fits_even_when_escaped(app: OneHopHandler) -> None:
    body = json.dumps({"Content": "\N{GRINNING FACE}" * 16384}).encode()
    assert (await ask(app, "POST", "/echo", body)).body == body
