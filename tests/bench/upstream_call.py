"""CPU of one SendMessage call: our client against plain ``requests``, on a server that does little.

    python -m tests.bench.upstream_call

Prints medians of five rounds, taken in turn, in microseconds of this thread's CPU per call. The
server is a process of its own; its time is not counted.
"""

import multiprocessing
import socket
import statistics
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter

from chatproxy.upstream.inputs import OutgoingMessage
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.tokens import ConnectionToken

BODY = b'{"AbsoluteTime":"2026-11-22T09:00:00.123Z","Id":"b3c1e7a2-0000-4000-8000-000000000000"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-amzn-RequestId: 6a3f\r\n"
    b"Date: Sun, 22 Nov 2026 22:00:00 GMT\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY
TOKEN, TEXT = "t" * 300, "Hello, where is my order?"
ROUNDS, CALLS, WARM_UP = 5, 600, 30


def serve(ports: "multiprocessing.Queue[int]") -> None:
    """Answer every request alike, whatever it says."""
    listener = socket.create_server(("127.0.0.1", 0))
    ports.put(listener.getsockname()[1])
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=converse, args=(connection,), daemon=True).start()


def converse(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    received = b""
    while data := connection.recv(65536):
        received += data
        head, mark, rest = received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if mark and len(rest) >= int(length or 0):
            received = rest[int(length or 0) :]
            connection.sendall(ANSWER)


def calls(url: str) -> dict[str, Callable[[], object]]:
    """The ways to make the same call."""
    ours = ParticipantClient(url)
    stock = ParticipantClient(url, adapter=HTTPAdapter)
    plain, closed = requests.Session(), requests.Session()
    closed.trust_env = False

    def post(session: requests.Session) -> object:
        body = {"ContentType": "text/plain", "Content": TEXT, "ClientToken": str(uuid4())}
        headers = {"X-Amz-Bearer": TOKEN}
        address = f"{url}/participant/message"
        return session.post(address, json=body, headers=headers, timeout=(3.05, 10)).json()

    def send(client: ParticipantClient) -> object:
        return client.send_message(ConnectionToken(TOKEN), OutgoingMessage("text/plain", TEXT))

    return {
        "ParticipantClient": lambda: send(ours),
        "ParticipantClient on requests' HTTPAdapter": lambda: send(stock),
        "Session.post, trust_env off": lambda: post(closed),
        "Session.post": lambda: post(plain),
    }


def cpu_us(call: Callable[[], object]) -> float:
    for _ in range(WARM_UP):
        call()
    began = time.thread_time()
    for _ in range(CALLS):
        call()
    return (time.thread_time() - began) / CALLS * 1e6


def main() -> None:
    context = multiprocessing.get_context("spawn")
    ports: multiprocessing.Queue[int] = context.Queue()
    server = context.Process(target=serve, args=(ports,), daemon=True)
    server.start()
    ways = calls(f"http://127.0.0.1:{ports.get()}")
    rounds = [{name: cpu_us(call) for name, call in ways.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(each[name] for each in rounds) for name in ways}
    for name, median in medians.items():
        print(f"{name:45} {median:7.0f} us   {median / medians['Session.post']:5.2f} x")
    server.terminate()


if __name__ == "__main__":
    main()
