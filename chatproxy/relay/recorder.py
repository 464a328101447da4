"""Hands what passed to the item store in batches, off the hot path.

Items wait in memory and are written a few times a second, in their newest version; the sessions'
counts every few seconds. A database that is away costs delay, not items: what could not be written
is kept and tried again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import InterfaceError, OperationalError, transaction

from chatproxy.conf import conf
from chatproxy.relay.gateway import Gateway
from chatproxy.sessions import counts, items, lifecycle, sent
from chatproxy.sessions.counts import Tally
from chatproxy.sessions.items import Kept
from chatproxy.sessions.sent import Sent
from chatproxy.upstream.chatframes import ChatFrame

logger = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.2
COUNT_EVERY_S = 5.0
RETRY_AFTER_S = 2.0
BATCH = 500

Note = tuple[str, str, dict[str, Any]]


@dataclass
class Batch:
    """What is written in one transaction."""

    items: list[Kept] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)
    connected: set[str] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.items or self.notes or self.sent or self.tallies or self.connected)

    def parts(self) -> Iterator[Batch]:
        """The same in the smallest pieces that can fail alone."""
        yield Batch(tallies=self.tallies)
        yield Batch(connected=self.connected)
        for kept in self.items:
            yield Batch(items=[kept])
        for note in self.notes:
            yield Batch(notes=[note])
        for one in self.sent:
            yield Batch(sent=[one])


class Recorder:
    """Collects on the loop, writes on a database thread. Start ``run`` as a task."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._stores = conf.retention_days > 0
        self._items: list[Kept] = []
        self._notes: list[Note] = []
        self._sent: list[Sent] = []
        self._tallies: dict[str, Tally] = {}
        self._connected: set[str] = set()
        self._being_written = Batch()
        self._writing = asyncio.Lock()
        self._flushes: set[asyncio.Task[bool]] = set()

    def keep(self, tally: Tally, said: dict[str, Any] | ChatFrame) -> None:
        """Remember an item as it now is, or a new message as it came, and its session's tally."""
        if not tally.is_waiting:
            tally.is_waiting = True
            self._tallies[tally.session_id] = tally
        if self._stores:
            self._items.append((tally.session_id, said))

    def note(self, session_id: str, kind: str, **detail: Any) -> None:
        """A line for the session's technical timeline. From any thread."""
        self._notes.append((session_id, kind, detail))

    def remember(self, answered: Sent) -> None:
        """Which item a message became. From any thread."""
        self._sent.append(answered)

    def mark_connected(self, session_id: str) -> None:
        """The session has, or again has, a link."""
        self._connected.add(session_id)

    @property
    def waiting(self) -> int:
        """Items and notes that are not written yet."""
        batch = self._being_written
        return len(self._items) + len(self._notes) + len(batch.items) + len(batch.notes)

    async def run(self) -> None:
        """Write for ever."""
        now = asyncio.get_running_loop().time
        counted_at = now()
        while True:
            await asyncio.sleep(FLUSH_EVERY_S)
            counts_too = now() - counted_at >= COUNT_EVERY_S
            if counts_too:
                counted_at = now()
            if not await self.flush(counts_too=counts_too):
                await asyncio.sleep(RETRY_AFTER_S)

    async def flush(self, *, counts_too: bool = True) -> bool:
        """Write everything that waits now; a caller that is cancelled does not stop it.

        Returns:
            Whether it was written; if not, it is still here.
        """
        # What waits is everybody's, and a link may be let go while it says its goodbyes.
        flush = asyncio.create_task(self._flushed(counts_too))
        self._flushes.add(flush)
        flush.add_done_callback(self._flushes.discard)
        return await asyncio.shield(flush)

    async def _flushed(self, counts_too: bool) -> bool:
        async with self._writing:
            while batch := self._next_batch(counts_too=counts_too):
                self._being_written = batch
                try:
                    await self._gateway.database(_write, batch)
                except Exception as err:
                    self._being_written = Batch()
                    self._put_back(batch)
                    logger.warning(
                        "not stored yet",
                        extra={"cause": type(err).__name__, "waiting": self.waiting},
                    )
                    return False
                self._being_written = Batch()
        return True

    def _next_batch(self, *, counts_too: bool) -> Batch:
        batch = Batch(
            self._items[:BATCH], self._notes[:BATCH], self._sent[:BATCH], connected=self._connected
        )
        # By the number taken: other threads append meanwhile.
        del self._items[: len(batch.items)], self._notes[: len(batch.notes)]
        del self._sent[: len(batch.sent)]
        self._connected = set()
        if counts_too:
            batch.tallies, self._tallies = self._tallies, {}
            for tally in batch.tallies.values():
                tally.is_waiting = False
        return batch

    def _put_back(self, batch: Batch) -> None:
        # In front of what came meanwhile: of an item the last version is the one that stays.
        self._items[:0] = batch.items
        self._notes[:0] = batch.notes
        self._sent[:0] = batch.sent
        self._connected |= batch.connected
        # Where a session has another link by now, it is that one's tally that counts on.
        self._tallies = batch.tallies | self._tallies
        for tally in self._tallies.values():
            tally.is_waiting = True


def _write(batch: Batch) -> None:
    try:
        _write_together(batch)
    except (OperationalError, InterfaceError):
        raise  # the database is away or busy: all of it later
    except Exception:
        # Something in the batch can't be stored, ever; the rest must not wait behind it.
        logger.exception("a batch does not fit the store; writing one by one")
        for part in batch.parts():
            _write_alone(part)


def _write_together(batch: Batch) -> None:
    with transaction.atomic():
        if batch.items:
            items.append(batch.items)
        if batch.tallies:
            counts.write(batch.tallies.values())
        for session_id in sorted(batch.connected):
            lifecycle.mark_connected(session_id)
        for session_id, kind, detail in batch.notes:
            lifecycle.note(session_id, kind, **detail)
        if batch.sent:
            sent.keep(batch.sent)


def _write_alone(part: Batch) -> None:
    try:
        _write_together(part)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        sessions = {session_id for session_id, _ in part.items} | {note[0] for note in part.notes}
        sessions |= part.tallies.keys() | part.connected | {one.session_id for one in part.sent}
        logger.exception("not stored, given up", extra={"session": sorted(sessions)})
