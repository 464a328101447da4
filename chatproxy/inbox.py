"""What a client has sent and its application has not asked for yet, in order."""

from __future__ import annotations

from typing import Any

from chatproxy.flag import Flag, any_set


class Inbox:
    """`asyncio.Queue` without bounds and joins, at a fraction of its three kilobytes."""

    __slots__ = ("_has_some", "_messages")

    def __init__(self) -> None:
        self._messages: list[dict[str, Any]] = []
        self._has_some = Flag()

    def put_nowait(self, message: dict[str, Any]) -> None:
        """Add one; whoever waits may have it."""
        self._messages.append(message)
        self._has_some.set()

    async def get(self) -> dict[str, Any]:
        """The next one, when there is one."""
        while not self._messages:
            self._has_some.clear()
            await any_set(self._has_some)
        return self._messages.pop(0)
