"""A client for ASGI applications without a server: one request, its answer, and when it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatproxy.exchange import Message


@dataclass
class Call:
    """One request in progress. Await `done()` for its end; `leave()` is the client hanging up."""

    task: asyncio.Task[None]
    inbox: asyncio.Queue[Message]
    sent: list[Message] = field(default_factory=list)

    async def done(self) -> Call:
        await asyncio.wait_for(self.task, 10)
        return self

    def leave(self) -> None:
        self.inbox.put_nowait({"type": "http.disconnect"})

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def headers(self) -> dict[str, str]:
        """By lower-case name; of repeated ones, the last."""
        return {n.decode().lower(): v.decode() for n, v in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])


def call(
    app: Any,
    method: str,
    path: str,
    body: bytes | list[bytes] = b"",
    headers: Mapping[str, str] | None = None,
) -> Call:
    """Start a request; ``body`` may come in several parts. Runs inside the test's event loop."""
    parts = [body] if isinstance(body, bytes) else body
    inbox: asyncio.Queue[Message] = asyncio.Queue()
    for number, part in enumerate(parts, start=1):
        inbox.put_nowait({"type": "http.request", "body": part, "more_body": number < len(parts)})
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.partition("?")[0],
        "query_string": path.partition("?")[2].encode(),
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    return Call(asyncio.create_task(app(scope, inbox.get, send)), inbox, sent)
