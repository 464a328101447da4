"""What is over is gone at once: nothing is in a circle of references, for the collector to find.

It comes by so seldom (``serve.py``) that a process would grow for hours.
"""

from __future__ import annotations

import socket
import struct

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.processes import free_port
from tests.unit.serving import Program, running

SOCKETS = 10

# Echoes by way of a tab; "count" says what there is of each socket's objects, those of the asking
# one included. Daphne itself forgets a socket a second after its end.
PROGRAM = """
import asyncio, gc, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from daphne.ws_protocol import WebSocketProtocol
from chatproxy.lifespan import Lifespan
from chatproxy.relay.tab import BrowserTab
from chatproxy.serve import run

def cannot(protocol, error):
    print("CLOSING", flush=True)
    raise RuntimeError("for whatever reason")

async def application(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    tab = BrowserTab(send, 1)
    while (message := await receive())["type"] != "websocket.disconnect":
        if message["text"] == "count":
            for _ in range(50):
                names = [type(one).__name__ for one in gc.get_objects()]
                kinds = ("BoundedSocket", "HTTPChannel", "Request", "BrowserTab")
                counts = [names.count(kind) for kind in kinds]
                if max(counts) <= 1:
                    break
                await asyncio.sleep(0.1)
            print("COUNTS", *counts, flush=True)
        elif message["text"] == "fail":
            WebSocketProtocol.handle_exception = cannot
            raise RuntimeError("and daphne cannot close it")
        elif message["text"] == "close":
            tab.close(4400, "too slow")
        else:
            tab.deliver(message["text"])
    tab.forget()
    print("LEFT", flush=True)

gc.disable()
sys.exit(run(application, host="127.0.0.1", port=int(sys.argv[1]), lifespan=Lifespan()))
"""


@pytest.mark.parametrize("end", ["closes", "is cut", "is closed"])
def test_a_socket_that_is_over_waits_for_no_collector(end: str) -> None:
    with running(PROGRAM, free_port()) as server:
        server.until("chatproxy is ready")
        come_and_go(server, end)
        assert most_left(server) == 1


def test_one_that_cannot_be_closed_in_order_keeps_no_other() -> None:
    with running(PROGRAM, free_port()) as server:
        server.until("chatproxy is ready")
        with connect(server.socket_url("/"), compression=None) as failing:
            failing.send("fail")
            server.until("CLOSING")
            with pytest.raises(ConnectionClosed):
                failing.recv(timeout=5)
        come_and_go(server, "closes")
        assert most_left(server) <= 2  # itself may wait for the collector


def most_left(server: Program) -> int:
    """How many there are of a kind of which there should be one, the asking socket's own."""
    with connect(server.socket_url("/"), compression=None) as last:
        last.send("count")
        return max(map(int, server.until("COUNTS").split()[1:]))


def come_and_go(server: Program, end: str) -> None:
    for _ in range(SOCKETS):
        with connect(server.socket_url("/"), compression=None) as browser:
            browser.send("hello")
            assert browser.recv(timeout=10) == "hello"
            if end == "is closed":
                browser.send("close")
            if end == "is cut":
                reset = struct.pack("ii", 1, 0)
                browser.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                browser.socket.close()
        server.until("LEFT")
