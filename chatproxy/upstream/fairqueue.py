"""Who is next: by priority, then sessions in turn, then in the order a session asked.

A session that asks for much waits behind its own requests, not in front of everybody else's.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items waiting, each with a priority (0 is first) and the session it belongs to."""

    def __init__(self, priorities: int) -> None:
        self._lines: list[OrderedDict[str, deque[T]]] = [OrderedDict() for _ in range(priorities)]

    def add(self, priority: int, session_id: str, item: T) -> None:
        self._lines[priority].setdefault(session_id, deque()).append(item)

    def first(self) -> tuple[int, T] | None:
        """Priority and item of who is next, or None."""
        for priority, line in enumerate(self._lines):
            if line:
                return priority, next(iter(line.values()))[0]
        return None

    def pop(self) -> T:
        """Take who is next out; its session goes to the end of its line."""
        line = next(line for line in self._lines if line)
        session_id, items = line.popitem(last=False)
        item = items.popleft()
        if items:
            line[session_id] = items
        return item

    def remove(self, priority: int, session_id: str, item: T) -> bool:
        """Take ``item`` out, wherever it waits; False when it is not there (any more)."""
        line = self._lines[priority]
        items = line.get(session_id)
        if items is None or item not in items:
            return False
        items.remove(item)
        if not items:
            del line[session_id]
        return True

    def blocks(self, priority: int) -> bool:
        """Whether somebody of this or a higher priority waits."""
        return any(self._lines[: priority + 1])

    def ahead_of(self, priority: int) -> int:
        """How many of this or a higher priority wait."""
        return sum(len(items) for line in self._lines[: priority + 1] for items in line.values())

    def of_session(self, session_id: str) -> int:
        return sum(len(line.get(session_id, ())) for line in self._lines)

    def lengths(self) -> list[int]:
        """How many wait, by priority."""
        return [sum(len(items) for items in line.values()) for line in self._lines]
