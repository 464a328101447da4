"""What other processes must hear: a session ended, keys revoked, a link to let go.

Published here, heard by the relay. This is a message of convenience, never of record: everything it
says stands in the database too, where each process looks every few seconds, so one that is lost
only makes things a little later. The channel layer carries control and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
from enum import StrEnum
from typing import Any

from channels.layers import get_channel_layer

logger = logging.getLogger(__name__)

GROUP = "chatproxy.control"


class Control(StrEnum):
    ENDED = "ended"
    REVOKED = "revoked"
    LET_GO = "let_go"


_loop: asyncio.AbstractEventLoop | None = None


def attach(loop: asyncio.AbstractEventLoop | None) -> None:
    """Name the event loop this process serves on (``None``: no longer)."""
    global _loop
    _loop = loop


def publish(kind: Control, session_id: str, **detail: Any) -> None:
    """Tell every process. Never blocks, never raises; without a serving loop it does nothing."""
    layer, loop = get_channel_layer(), _loop
    if layer is None or loop is None or loop.is_closed():
        return
    message = {"type": "control", "kind": str(kind), "session": session_id, **detail}
    future = asyncio.run_coroutine_threadsafe(layer.group_send(GROUP, message), loop)
    future.add_done_callback(_log_failure)


def _log_failure(future: Any) -> None:
    if not future.cancelled() and future.exception() is not None:
        logger.warning(
            "control message not sent", extra={"cause": type(future.exception()).__name__}
        )
