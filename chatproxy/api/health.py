"""Alive and ready, for balancers and people; answered on the event loop, whatever the pools do.

Ready means: the database answers and the process is not draining. Redis, the upstream and the rest
are told in the body, and never make every process unready at once. Nothing here asks who calls or
by what name: a balancer knows the process by its address.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from chatproxy import __version__
from chatproxy.lifespan import lifespan
from chatproxy.relay import runtime

DATABASE_WAIT_S = 2.0
KNOWN_S = 1.0

Body = dict[str, object]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Health:
    """ASGI application: ``/healthz`` and ``/readyz``; everything else is for ``application``."""

    def __init__(self, application: App, *, database: Callable[[], str] | None = None) -> None:
        self._application = application
        self._look = database or look_at_database
        # One thread of its own: with a database that hangs, one question waits, not one for each
        # balancer's every second.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="health")
        self._looking: asyncio.Future[str] | None = None
        self._known: tuple[float, str] = (float("-inf"), "")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/healthz":
            await _answer(scope, send, {"status": "ok", "version": __version__})
        elif path == "/readyz":
            await self._readyz(scope, send)
        else:
            await self._application(scope, receive, send)

    async def _readyz(self, scope: Any, send: Any) -> None:
        hub = runtime.running_hub()
        checks = {
            "database": await self._database(),
            "draining": lifespan.stopping,
            "links": len(hub.session_ids()) if hub else 0,
            "tabs": hub.tab_count if hub else 0,
        }
        is_ready = checks["database"] == "ok" and not lifespan.stopping
        status = "ready" if is_ready else "not ready"
        await _answer(scope, send, {"status": status, **checks}, 200 if is_ready else 503)

    async def _database(self) -> str:
        """``ok``, or what is wrong; asked at most once a second."""
        at, known = self._known
        if time.monotonic() - at < KNOWN_S:
            return known
        if self._looking is None or self._looking.done():
            loop = asyncio.get_running_loop()
            self._looking = loop.run_in_executor(self._thread, self._look)
        try:
            async with asyncio.timeout(DATABASE_WAIT_S):
                found = await asyncio.shield(self._looking)
        except TimeoutError:
            found = f"no answer in {DATABASE_WAIT_S:.0f} seconds"
        self._known = (time.monotonic(), found)
        return found


def look_at_database() -> str:
    """``ok``, or what is wrong. Blocks."""
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as err:
        return f"unreachable ({type(err).__name__})"
    finally:
        close_old_connections()
    return "ok"


async def _answer(scope: Any, send: Any, body: Body, status: int = 200) -> None:
    text = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'self'; frame-ancestors 'none'"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else text})
