"""What must happen when a process starts and when it is told to stop, whatever server runs it.

Parts of the application register hooks; the server's launcher runs them: `serve.py` on daphne,
which knows no lifespan protocol, or any other ASGI server through `Lifespan.app`. What the hooks do
(open the hub, tell tabs when to come back, flush the item store) is theirs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

from chatproxy.exchange import Receive, Send

logger = logging.getLogger(__name__)

StartHook = Callable[[], Awaitable[None]]
StopHook = Callable[[float], Awaitable[None]]

#: Seconds a process may take to hand over its chats; orchestrators kill after 30.
DRAIN_DEADLINE_S = 25.0


class Lifespan:
    """Hooks of one process. Start hooks run in the order given, stop hooks in the reverse."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self.stopping = False
        self._clock = clock
        self._start_hooks: list[StartHook] = []
        self._stop_hooks: list[StopHook] = []

    def on_start(self, hook: StartHook) -> StartHook:
        """Await ``hook()`` on the event loop before the process calls itself ready."""
        self._start_hooks.append(hook)
        return hook

    def on_stop(self, hook: StopHook) -> StopHook:
        """Await ``hook(seconds_left)`` when the process is told to stop.

        A hook that takes longer than what is left is cancelled; the next ones still run, with no
        time left, so that each can do what needs no waiting.
        """
        self._stop_hooks.append(hook)
        return hook

    async def start(self) -> None:
        """Run the start hooks; what they raise ends the start."""
        for hook in self._start_hooks:
            await hook()

    async def stop(self, deadline_s: float = DRAIN_DEADLINE_S) -> None:
        """Run the stop hooks within ``deadline_s`` altogether. A second call does nothing."""
        if self.stopping:
            return
        self.stopping = True
        end = self._clock() + deadline_s
        for hook in reversed(self._stop_hooks):
            await self._stop_one(hook, max(0.0, end - self._clock()))

    async def _stop_one(self, hook: StopHook, left_s: float) -> None:
        try:
            # A second more than the hook is told, so that one that keeps its deadline ends itself.
            async with asyncio.timeout(left_s + 1):
                await hook(left_s)
        except TimeoutError:
            logger.warning("A stop hook ran out of time", extra={"hook": _name(hook)})
        except Exception:
            logger.exception("A stop hook failed", extra={"hook": _name(hook)})

    async def app(self, scope: Any, receive: Receive, send: Send) -> None:
        """ASGI application for lifespan scopes, for servers that speak the protocol."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                try:
                    await self.start()
                except Exception as err:
                    logger.exception("The start failed")
                    await send({"type": "lifespan.startup.failed", "message": type(err).__name__})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _name(hook: Callable[..., object]) -> str:
    return getattr(hook, "__qualname__", type(hook).__name__)


#: The process's own; `asgi.py` registers what it wires together.
lifespan = Lifespan()
