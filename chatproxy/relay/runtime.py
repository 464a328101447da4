"""The one hub of this process, and its start and stop on the serving loop."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from chatproxy.relay.handover import hand_over
from chatproxy.relay.housekeeping import hear_control, keep_house
from chatproxy.relay.hub import Hub, Place
from chatproxy.sessions import control
from chatproxy.sessions.transcript import Transcript

_hub: Hub | None = None
_chores: list[asyncio.Task[None]] = []


def hub() -> Hub:
    """The running hub.

    Raises:
        RuntimeError: nothing is serving in this process.
    """
    if _hub is None:
        raise RuntimeError("the relay is not running in this process")
    return _hub


def running_hub() -> Hub | None:
    """The hub, or ``None`` where nothing is serving (commands, tests without a server)."""
    return _hub


def place(session_id: str) -> Place | None:
    """The session's place, if this process serves and holds one. From any thread."""
    return _hub.place(session_id) if _hub is not None else None


def transcript(session_id: str) -> Transcript | None:
    """All that was said in a chat, if this process knows it. From any thread."""
    found = place(session_id)
    return found.transcript if found is not None else None


async def start() -> None:
    """Make the hub on the running loop and begin its chores. A start hook."""
    global _hub
    _hub = Hub()
    control.attach(asyncio.get_running_loop())
    await _hub.start()
    _chores.extend([asyncio.create_task(keep_house(_hub)), asyncio.create_task(hear_control(_hub))])


async def stop(deadline_s: float) -> None:
    """Hand over what the hub holds, and end it. A stop hook."""
    global _hub
    if _hub is None:
        return
    end = _hub.loop.time() + deadline_s
    await hand_over(_hub, deadline_s)
    for chore in _chores:
        chore.cancel()
    for chore in _chores:
        with suppress(asyncio.CancelledError):
            await chore
    _chores.clear()
    await _hub.drain(max(0.0, end - _hub.loop.time()))
    control.attach(None)
    _hub = None
