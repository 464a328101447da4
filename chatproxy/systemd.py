"""Tell systemd when the process is ready, and from then on that its event loop turns.

A unit with ``Type=notify`` and ``WatchdogSec=`` asks for it through the environment (sd_notify(3));
without them nothing happens. A process whose loop has hung, or that was stopped, is so replaced
without anybody looking: no thread could say in its place that all is well.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress

BEATS = 3
"""How often in the time after which systemd takes the process for hung."""


async def start() -> None:
    """Begin on the running loop, and go on for as long as it runs. A start hook."""
    say = _notifier(os.environ)
    if say is None:
        return
    say(b"READY=1")
    if interval_s := _interval_s(os.environ):
        _beat(say, interval_s)


def _beat(say: Callable[[bytes], None], interval_s: float) -> None:
    say(b"WATCHDOG=1")
    asyncio.get_running_loop().call_later(interval_s, _beat, say, interval_s)


def _notifier(environ: Mapping[str, str]) -> Callable[[bytes], None] | None:
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return None
    if address.startswith("@"):  # in the abstract namespace
        address = "\0" + address[1:]
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    channel.setblocking(False)

    def say(state: bytes) -> None:
        with suppress(OSError):  # what systemd does not hear, it acts on
            channel.sendto(state, address)

    return say


def _interval_s(environ: Mapping[str, str]) -> float:
    """Seconds between two beats, or 0 if none are asked for, or those of another process."""
    asked, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
    if not asked.isdigit() or pid not in ("", str(os.getpid())):
        return 0.0
    return int(asked) / 1_000_000 / BEATS
