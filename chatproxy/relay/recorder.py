"""Hands what passed to the item store in batches, off the hot path.

Items wait in memory in their newest version and are written a few times a second. A database that
is away costs delay, not items: what could not be written is kept and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import islice
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from chatproxy.relay.gateway import Gateway
from chatproxy.sessions import items, lifecycle
from chatproxy.sessions.items import Kept

logger = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.2
RETRY_AFTER_S = 2.0
BATCH = 500


class Recorder:
    """Collects on the loop, writes on a database thread. Start ``run`` as a task."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._items: dict[tuple[str, str], Kept] = {}
        self._notes: list[tuple[str, str, dict[str, Any]]] = []
        self._filled = asyncio.Event()
        self._writing = asyncio.Lock()

    def keep(self, session_id: str, item: dict[str, Any], is_new: bool) -> None:
        """Remember an item's newest version until it is written."""
        place = (session_id, str(item["Id"]))
        waiting = self._items.get(place)
        self._items[place] = Kept(
            session_id, item, is_new or (waiting is not None and waiting.is_new)
        )
        self._filled.set()

    def note(self, session_id: str, kind: str, **detail: Any) -> None:
        """A line for the session's technical timeline."""
        self._notes.append((session_id, kind, detail))
        self._filled.set()

    @property
    def waiting(self) -> int:
        """Items and notes that are not written yet."""
        return len(self._items) + len(self._notes)

    async def run(self) -> None:
        """Write for ever."""
        while True:
            await self._filled.wait()
            await asyncio.sleep(FLUSH_EVERY_S)
            if not await self.flush():
                await asyncio.sleep(RETRY_AFTER_S)

    async def flush(self) -> bool:
        """Write everything that waits now.

        Returns:
            Whether it was written; if not, it is still here.
        """
        async with self._writing:
            self._filled.clear()
            while self._items or self._notes:
                batch = list(islice(self._items.items(), BATCH))
                notes, self._notes = self._notes[:BATCH], self._notes[BATCH:]
                for place, _ in batch:
                    del self._items[place]
                try:
                    await self._gateway.database(_write, [kept for _, kept in batch], notes)
                except Exception as err:
                    self._put_back(batch, notes)
                    logger.warning(
                        "items not stored yet",
                        extra={"cause": type(err).__name__, "waiting": len(self._items)},
                    )
                    return False
        return True

    def _put_back(
        self,
        batch: list[tuple[tuple[str, str], Kept]],
        notes: list[tuple[str, str, dict[str, Any]]],
    ) -> None:
        # In front of what came meanwhile: items of the same instant keep the order they came in.
        came, self._items = self._items, dict(batch)
        for place, newer in came.items():
            older = self._items.get(place)
            is_new = newer.is_new or (older is not None and older.is_new)
            self._items[place] = Kept(newer.session_id, newer.item, is_new)
        self._notes[:0] = notes
        self._filled.set()


def _write(batch: list[Kept], notes: list[tuple[str, str, dict[str, Any]]]) -> None:
    try:
        _write_together(batch, notes)
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: all of it later
    except Exception:
        # Something in the batch can't be stored, ever; the rest must not wait behind it.
        logger.exception("a batch does not fit the store; writing one by one")
        for kept in batch:
            _write_alone([kept], [])
        for line in notes:
            _write_alone([], [line])


def _write_together(batch: list[Kept], notes: list[tuple[str, str, dict[str, Any]]]) -> None:
    with transaction.atomic():
        if batch:
            items.append(batch)
        for session_id, kind, detail in notes:
            lifecycle.note(session_id, kind, **detail)


def _write_alone(batch: list[Kept], notes: list[tuple[str, str, dict[str, Any]]]) -> None:
    try:
        _write_together(batch, notes)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        session_ids = [kept.session_id for kept in batch] + [line[0] for line in notes]
        logger.exception("not stored, given up", extra={"session": session_ids})
