"""Why a browser's socket is closed by us: docs/socket.md tells these codes to whoever connects.

4100 to 4499: come back. 4500 to 4999: do not.
"""

from __future__ import annotations

from collections import Counter
from enum import IntEnum


class Close(IntEnum):
    """A websocket's close code (RFC 6455, 7.4)."""

    NORMAL = 1000
    RESTARTING = 1012
    COME_BACK = 4100
    SLOW = 4400
    TOO_MANY_TABS = 4500
    ENDED = 4501
    REVOKED = 4502
    BAD_FRAME = 4503
    FLOODING = 4504


#: How often this process closed with each; for metrics. Changed on the event loop alone.
closed: Counter[int] = Counter()
