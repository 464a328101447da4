"""Alive and ready, for balancers and people; answered on the event loop, whatever the pools do.

Ready means: the database answers and the process is not draining. Redis, the upstream and the rest
are told in the body, and never make every process unready at once. Nothing here asks who calls or
by what name: a balancer knows the process by its address. Only the database is waited for; of the
rest the last that is known is told.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connection

from chatproxy import __version__
from chatproxy.api.limits import look_at_redis
from chatproxy.lifespan import lifespan
from chatproxy.relay import runtime

DATABASE_WAIT_S = 2.0
KNOWN_S = 1.0

Body = dict[str, object]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Watched:
    """What a ``look`` that blocks has found: asked at most once a second, on one thread of its own.

    With a server that hangs, one question waits, not one for each balancer's every second.
    """

    def __init__(self, look: Callable[[], str], name: str) -> None:
        self._look = look
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"health-{name}")
        self._looking: asyncio.Future[str] | None = None
        self._began = float("-inf")
        self._known: tuple[float, str] = (float("-inf"), "not known yet")

    async def found(self) -> str:
        """``ok``, or what is wrong; after a while, that there was no answer."""
        at, known = self._known
        if time.monotonic() - at < KNOWN_S:
            return known
        looking = self._looked()
        try:
            async with asyncio.timeout(DATABASE_WAIT_S):
                found = await asyncio.shield(looking)
        except TimeoutError:
            found = f"no answer in {DATABASE_WAIT_S:.0f} seconds"
        self._known = (time.monotonic(), found)
        return found

    def last(self) -> str:
        """What was found last, at once; has somebody look again meanwhile."""
        if time.monotonic() - self._known[0] >= KNOWN_S:
            self._looked().add_done_callback(self._keep)
        waited_s = time.monotonic() - self._began
        if self._looking is not None and not self._looking.done() and waited_s > DATABASE_WAIT_S:
            return f"no answer in {waited_s:.0f} seconds"
        return self._known[1]

    def _looked(self) -> asyncio.Future[str]:
        if self._looking is None or self._looking.done():
            loop = asyncio.get_running_loop()
            self._began = time.monotonic()
            self._looking = loop.run_in_executor(self._thread, self._look)
        return self._looking

    def _keep(self, looked: asyncio.Future[str]) -> None:
        if not looked.cancelled() and looked.exception() is None:
            self._known = (time.monotonic(), looked.result())


class LastCall:
    """How the last call to Amazon Connect ended, and when."""

    def __init__(self) -> None:
        self._last: tuple[float, str] | None = None

    def note(self, operation: str, _seconds: float, error: Exception | None) -> None:
        """A call has ended. Any thread."""
        outcome = f"{type(error).__name__} at {operation}" if error else "ok"
        self._last = (time.monotonic(), outcome)

    def told(self) -> str:
        """For the body of ``/readyz``."""
        if self._last is None:
            return "not asked yet"
        at, outcome = self._last
        return f"{outcome}, {time.monotonic() - at:.0f} s ago"


last_call = LastCall()


class Health:
    """ASGI application: ``/healthz`` and ``/readyz``; everything else is for ``application``."""

    def __init__(
        self,
        application: App,
        *,
        database: Callable[[], str] | None = None,
        redis: Callable[[], str] | None = None,
    ) -> None:
        self._application = application
        self._database = Watched(database or look_at_database, "database")
        self._redis = Watched(redis or look_at_redis, "redis")

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
        checks: Body = {
            "database": await self._database.found(),
            "draining": lifespan.stopping,
            "upstream": last_call.told(),
            "links": len(hub.session_ids()) if hub else 0,
            "tabs": hub.tab_count if hub else 0,
        }
        if settings.REDIS_URL:
            checks["redis"] = self._redis.last()
        is_ready = checks["database"] == "ok" and not lifespan.stopping
        status = "ready" if is_ready else "not ready"
        await _answer(scope, send, {"status": status, **checks}, 200 if is_ready else 503)


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
