"""Run the application on daphne: one ready line, bounds, and an orderly way out.

``manage.py serve`` calls `run`. On SIGTERM or SIGINT the stop hooks (`lifespan.py`) hand over what
the process holds, requests in progress are answered, and the process ends, at the latest at its
deadline; a second signal ends it at once. What differs from daphne's own server is in
`webserver.py`.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chatproxy.lifespan import DRAIN_DEADLINE_S, Lifespan
from chatproxy.webserver import ChatServer, log_access

logger = logging.getLogger(__name__)

EXIT_CANNOT_LISTEN = 2
EXIT_START_FAILED = 1

#: Seconds that threads still at work when everything else has ended are given.
THREADS_GRACE_S = 3.0


@dataclass(frozen=True)
class Limits:
    """Bounds of one server process; times in seconds, sizes in bytes."""

    #: What a browser may send in one frame.
    websocket_frame_bytes: int = 65_536
    #: Both directions. A message of 16,384 characters, escaped twice on its way, has 230 kB.
    websocket_message_bytes: int = 1_048_576
    websocket_handshake_s: int = 10
    #: A half-open tab is noticed after at most the two together, and two seconds of looking.
    ping_interval_s: int = 10
    ping_timeout_s: int = 10
    http_s: int = 60
    #: Daphne cancels an application this long after its client has gone.
    application_close_s: int = 10
    body_bytes: int = 2_621_440
    backlog: int = 1024


def run(
    application: Any,
    *,
    host: str,
    port: int,
    lifespan: Lifespan,
    limits: Limits | None = None,
    drain_s: float = DRAIN_DEADLINE_S,
    access: bool = False,
) -> int:
    """Serve ``application`` until told to stop.

    Returns:
        Exit code: 0 after an orderly end, 1 when a start hook failed, 2 when the port cannot be had
        (said in one sentence on stderr).
    """
    launcher = _Launcher(application, host, port, lifespan, limits or Limits(), drain_s, access)
    return launcher.run()


class _Launcher:
    """One run of a server: start hooks, signals, drain, exit code."""

    def __init__(
        self,
        application: Any,
        host: str,
        port: int,
        lifespan: Lifespan,
        limits: Limits,
        drain_s: float,
        access: bool,
    ) -> None:
        self.host = host
        self.port = port
        self.lifespan = lifespan
        self.drain_s = drain_s
        self.exit_code = 0
        self._task: asyncio.Task[None] | None = None
        self._stop_asked = False
        self.server = ChatServer(
            application=application,
            endpoints=[_endpoint(host, port, limits.backlog)],
            on_running=self._on_running,
            max_body_bytes=limits.body_bytes,
            action_logger=log_access if access else None,
            http_timeout=limits.http_s,
            request_buffer_size=65_536,
            websocket_timeout=-1,  # a chat lasts up to seven days, its sockets as long
            websocket_connect_timeout=limits.websocket_handshake_s,
            websocket_handshake_timeout=limits.websocket_handshake_s,
            websocket_max_message_size=limits.websocket_message_bytes,
            websocket_max_frame_size=limits.websocket_frame_bytes,
            ping_interval=limits.ping_interval_s,
            ping_timeout=limits.ping_timeout_s,
            application_close_timeout=limits.application_close_s,
            server_name="",
            verbosity=1,
        )

    def run(self) -> int:
        self.server.run()
        if self.server.failure is not None:
            print(self._cannot_listen(self.server.failure), file=sys.stderr)  # noqa: T201
            return EXIT_CANNOT_LISTEN
        _end_with_threads(THREADS_GRACE_S, self.exit_code)
        return self.exit_code

    def _on_running(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            self.server.loop.add_signal_handler(number, self._told_to_stop)
        self._task = self.server.loop.create_task(self._start())

    async def _start(self) -> None:
        try:
            await self.lifespan.start()
        except Exception:
            logger.exception("The start failed")
            self.exit_code = EXIT_START_FAILED
            self.server.stop()
            return
        _calm_collector()
        _, port = self.server.listening_addresses[0]
        url_host = f"[{self.host}]" if ":" in self.host else self.host
        print(f"chatproxy is ready on http://{url_host}:{port}", flush=True)  # noqa: T201

    def _told_to_stop(self) -> None:
        if self._stop_asked:
            self.server.stop()
            return
        self._stop_asked = True
        self.server.refuse_connections()
        if self._task is not None:
            self._task.cancel()
        self._task = self.server.loop.create_task(self._stop())

    async def _stop(self) -> None:
        end = self.server.loop.time() + self.drain_s
        try:
            await self.lifespan.stop(self.drain_s)
            # Daphne tells nobody when a request ends, so this looks.
            while self.server.requests_running() and self.server.loop.time() < end:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        finally:
            self.server.stop()

    def _cannot_listen(self, failure: BaseException) -> str:
        reason = getattr(failure, "socketError", failure)
        if getattr(reason, "errno", None) == errno.EADDRINUSE:
            return (
                f"Port {self.port} on {self.host} is taken: stop what listens there, or choose "
                "another one with --port."
            )
        return f"Cannot listen on {self.host} port {self.port}: {reason}"


def _calm_collector() -> None:
    """Look for garbage less often, and never again among what was loaded at the start.

    Each relayed frame leaves a few objects behind that stay; at its defaults the collector walks
    through them, and through all of Django, again and again: a seventh of the relay's CPU.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _endpoint(host: str, port: int, backlog: int) -> str:
    """Twisted's description of where to listen."""
    kind, interface = ("tcp6", host.replace(":", r"\:")) if ":" in host else ("tcp", host)
    return f"{kind}:port={port}:interface={interface}:backlog={backlog}"


def _end_with_threads(grace_s: float, code: int, leave: Callable[[int], object] = os._exit) -> None:
    """See that the process ends although threads still wait for an upstream that hangs.

    Python joins pool threads when it exits; what they would answer has nobody to go to any more.
    """

    def end() -> None:
        logging.shutdown()
        leave(code)

    timer = threading.Timer(grace_s, end)
    timer.daemon = True
    timer.start()
