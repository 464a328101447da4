"""The launcher on a real daphne with a tiny application: limits, signals, logs, exit codes."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress

import pytest
import requests
import websockets
from websockets.sync.client import ClientConnection, connect

from chatproxy.lifespan import Lifespan
from tests.processes import free_port
from tests.unit.serving import Program, running

PROGRAM = """
import asyncio, json, logging, sys
line = logging.Formatter("LOG %(name)s %(message)s %(path)s", defaults={"path": ""})
(output := logging.StreamHandler(sys.stdout)).setFormatter(line)
logging.basicConfig(level=logging.DEBUG, handlers=[output])
from chatproxy.lifespan import Lifespan
lifespan = Lifespan()
sockets, release = set(), asyncio.Event()

async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        sockets.add(send)
        if scope["path"] == "/deaf":
            await release.wait()
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": str(len(message["text"]))})
        return
    size = 0
    while True:
        message = await receive()
        size += len(message["body"])
        if not message["more_body"]:
            break
    if scope["path"] == "/slow":
        print("SLOW", flush=True)
        await release.wait()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})

@lifespan.on_start
async def begin():
    print("STARTED", flush=True)
    if "fail-start" in sys.argv:
        raise RuntimeError("no database")

@lifespan.on_stop
async def drain(deadline_s):
    print("DRAINING", 0 < deadline_s <= 5, flush=True)
    for send in sockets:
        await send({"type": "websocket.close", "code": 1012, "reason": '{"retryAfterMs":250}'})
    if "hang" in sys.argv:
        await asyncio.Event().wait()
    asyncio.get_running_loop().call_later(0.3, release.set)

from chatproxy.serve import run
sys.exit(run(application, host="127.0.0.1", port=int(sys.argv[1]), lifespan=lifespan, drain_s=5,
             access=True))
"""


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(port: int) -> Iterator[Program]:
    with running(PROGRAM, port) as server:
        server.until("chatproxy is ready")
        yield server


def test_it_says_once_where_it_is_ready(server: Program) -> None:
    assert server.lines[-1].strip() == f"chatproxy is ready on http://127.0.0.1:{server.port}"
    assert [line.strip() for line in server.lines if "STARTED" in line] == ["STARTED"]
    assert requests.get(server.url("/"), timeout=5).text == "0"


def test_sigterm_tells_tabs_when_to_come_back_and_answers_what_runs(server: Program) -> None:
    slow = subprocess.Popen(["curl", "-s", server.url("/slow")], stdout=subprocess.PIPE, text=True)
    with slow, connect(server.socket_url("/ws/chat/s1?ticket=secret")) as tab:
        server.until("SLOW")
        server.process.send_signal(signal.SIGTERM)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            tab.recv(timeout=20)
        assert closed.value.rcvd is not None
        assert (closed.value.rcvd.code, json.loads(closed.value.rcvd.reason)) == (
            1012,
            {"retryAfterMs": 250},
        )
        assert slow.communicate(timeout=10)[0] == "0"
    server.end()
    assert server.process.returncode == 0
    assert any("DRAINING True" in line for line in server.lines)


def test_a_second_signal_ends_it_at_once(port: int) -> None:
    with running(PROGRAM, port, "hang") as server:
        server.until("chatproxy is ready")
        server.process.send_signal(signal.SIGINT)
        server.until("DRAINING")
        server.process.send_signal(signal.SIGINT)
        server.end()
        assert server.process.returncode == 0


def test_a_ticket_never_reaches_a_log(server: Program) -> None:
    with connect(server.socket_url("/ws/chat/s1?ticket=swordfish")):
        requests.get(server.url("/ws/chat/s1?ticket=swordfish"), timeout=5)
    server.process.send_signal(signal.SIGTERM)
    server.end()
    assert any("chatproxy.access" in line and "/ws/chat/s1" in line for line in server.lines)
    assert not any("swordfish" in line for line in server.lines)


def test_a_taken_port_is_said_in_one_sentence(server: Program) -> None:
    with running(PROGRAM, server.port) as second:
        complaint = second.end()
        assert second.process.returncode == 2
        assert complaint.strip() == (
            f"Port {server.port} on 127.0.0.1 is taken: stop what listens there, or choose another "
            "one with --port."
        )


def test_a_start_that_fails_ends_the_process(port: int) -> None:
    with running(PROGRAM, port, "fail-start") as server:
        server.end()
        assert server.process.returncode == 1
        assert not any("is ready" in line for line in server.lines)


def test_a_frame_over_the_limit_closes_the_socket(server: Program) -> None:
    with connect(server.socket_url("/ws"), compression=None) as tab:
        tab.send("x" * 65_000)
        assert tab.recv(timeout=20) == "65000"
        tab.send("x" * 66_000)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            tab.recv(timeout=20)
        assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


def flood_of(kind: str, socket: ClientConnection) -> None:
    for number in range(200):
        match kind:
            case "pings":
                socket.ping(str(number))
            case "messages nobody reads":
                socket.send("x" * 1000)
            case "pieces":
                socket.send(iter(["", "", "", ""]))


@pytest.mark.parametrize("kind", ["pings", "messages nobody reads", "pieces"])
def test_a_flood_of_frames_closes_the_socket(server: Program, kind: str) -> None:
    with connect(server.socket_url("/deaf"), proxy=None) as socket:
        with suppress(websockets.ConnectionClosed):
            flood_of(kind, socket)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4504, "too many frames")


def test_no_more_than_the_largest_body_is_kept(server: Program) -> None:
    assert requests.post(server.url("/"), data=b"x" * 2_621_440, timeout=10).text == "2621440"
    assert requests.post(server.url("/"), data=b"x" * 5_000_000, timeout=10).text == "2621441"
    chunks = (b"y" * 100_000 for _ in range(40))
    assert requests.post(server.url("/"), data=chunks, timeout=10).text == "2621441"


def test_a_body_without_end_is_cut_off(server: Program) -> None:
    with pytest.raises(requests.ConnectionError):
        requests.post(server.url("/"), data=b"x" * 50_000_000, timeout=20)


async def test_stop_hooks_run_in_reverse_and_share_the_deadline() -> None:
    seen: list[tuple[str, float]] = []
    now = [100.0]
    lifespan = Lifespan(clock=lambda: now[0])

    @lifespan.on_stop
    async def first(left_s: float) -> None:
        seen.append(("first", left_s))

    @lifespan.on_stop
    async def failing(left_s: float) -> None:
        raise ZeroDivisionError

    @lifespan.on_stop
    async def last(left_s: float) -> None:
        now[0] += 4
        seen.append(("last", left_s))

    await lifespan.stop(10)
    await lifespan.stop(10)
    assert seen == [("last", 10.0), ("first", 6.0)]
    assert lifespan.stopping


async def test_other_servers_run_the_hooks_through_the_lifespan_protocol() -> None:
    lifespan, seen = Lifespan(), list[str]()
    sent: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    @lifespan.on_start
    async def begin() -> None:
        seen.append("start")

    @lifespan.on_stop
    async def end(_left_s: float) -> None:
        seen.append("stop")

    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    inbox.put_nowait({"type": "lifespan.startup"})
    inbox.put_nowait({"type": "lifespan.shutdown"})
    await lifespan.app({"type": "lifespan"}, inbox.get, sent.put)  # type: ignore[arg-type]
    assert seen == ["start", "stop"]
    assert [sent.get_nowait()["type"] for _ in range(2)] == [
        "lifespan.startup.complete",
        "lifespan.shutdown.complete",
    ]
