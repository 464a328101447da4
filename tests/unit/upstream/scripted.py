"""A server on loopback that answers what a test tells it to, byte by byte.

The seam for nonsense: each request is answered by the next script in line, a function that gets the
raw connection and may write anything, late, in pieces, or not at all. What was asked is kept.
"""

import json
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

Script = Callable[[socket.socket], None]

HASTY = pytest.mark.parametrize("patience_s", [0.3], ids=["hasty"])
"""For tests of answers that do not come: nobody else's should be late on a busy machine."""


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedServer:
    """Listens on ``url``; answers with ``scripts`` in turn, the last one for ever."""

    listener: socket.socket
    tls: ssl.SSLContext | None = None
    scripts: deque[Script] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def will(self, *scripts: Script) -> None:
        self.scripts = deque(scripts)

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def converse(self, connection: socket.socket) -> None:
        number = len(self.connections)
        try:
            if self.tls:
                connection = self.tls.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while line := stream.readline():
                    self.asked.append(read_request(line, stream, number))
                    script = self.scripts.popleft() if len(self.scripts) > 1 else self.scripts[0]
                    script(connection)
        except (OSError, ValueError):  # gone, or it did not speak HTTP
            return

    def close(self) -> None:
        if self.listener.fileno() < 0:
            return
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            connection.close()


def read_request(line: bytes, stream: Any, number: int) -> Asked:
    method, path, _ = line.decode().split(" ")
    headers = {}
    while (header := stream.readline().strip()) != b"":
        name, _, value = header.decode().partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Asked(method, path, headers, body, number)


@contextmanager
def scripted_server(tls: ssl.SSLContext | None = None) -> Iterator[ScriptedServer]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = ScriptedServer(listener, tls)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(5)


def raw(*pieces: bytes, then_close: bool = False) -> Script:
    """Write exactly these bytes."""

    def script(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        if then_close:
            connection.shutdown(socket.SHUT_RDWR)

    return script


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Script:
    """A well-formed answer; ``body`` is JSON unless it is bytes."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(payload)}"]
    lines += ["Content-Type: application/json", "x-amzn-RequestId: request-1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + payload)


def refusal(name: str, status: int, message: str = "No.", **members: object) -> Script:
    """An error in the service's form."""
    return answer({"message": message, **members}, status, {"x-amzn-ErrorType": name})
