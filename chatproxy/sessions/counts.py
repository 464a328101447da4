"""How much was said in each session, as the admin lists it.

A link counts what its chat holds in all, not what it adds: what is counted twice, by two processes
or by one that has read the chat anew after a restart, is then the same number, and writing it again
changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chatproxy.sessions.models import ChatSession
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

ROWS_AT_ONCE = 300  # three values each; SQLite takes 999 in one statement, if it is an old one


class Tally:
    """Messages and files of one session so far: the customer's, and those of everybody else.

    ``is_waiting``: whoever writes tallies knows that this one has changed.
    """

    __slots__ = ("incoming", "is_waiting", "outgoing", "session_id")

    def __init__(self, session_id: str, incoming: int = 0, outgoing: int = 0) -> None:
        self.session_id = session_id
        self.incoming = incoming
        self.outgoing = outgoing
        self.is_waiting = False

    def count(self, item: Mapping[str, Any]) -> None:
        """Count an item, unless it is neither message nor file. Once for each Id."""
        if item.get("Type") not in (ItemType.MESSAGE, ItemType.ATTACHMENT):
            return
        if item.get("ParticipantRole") == ParticipantRole.CUSTOMER:
            self.incoming += 1
        else:
            self.outgoing += 1


def write(tallies: Iterable[Tally]) -> None:
    """Raise the counts of sessions, and note that something happened in each.

    One statement for hundreds of them. With the ORM it would be one each, and each lets go of the
    interpreter and has to get it back from the relay.
    """
    to_column = ChatSession._meta.pk.get_db_prep_value
    rows = [
        (to_column(uuid.UUID(tally.session_id), connection), tally.incoming, tally.outgoing)
        for tally in sorted(tallies, key=lambda tally: tally.session_id)
    ]
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with transaction.atomic(), connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            cursor.execute(_raise(len(some)), [now, *(value for row in some for value in row)])


@lru_cache(maxsize=ROWS_AT_ONCE)
def _raise(count: int) -> str:
    # Never less than before: a link that is still reading its chat has not seen all of it.
    # Both databases call the columns of VALUES column1, column2, …
    return (
        f"UPDATE {ChatSession._meta.db_table} SET"  # noqa: S608 - names of our own
        " messages_in = CASE WHEN messages_in < column2 THEN column2 ELSE messages_in END,"
        " messages_out = CASE WHEN messages_out < column3 THEN column3 ELSE messages_out END,"
        f" last_activity_at = %s FROM (VALUES {', '.join(['(%s, %s, %s)'] * count)}) AS told"
        " WHERE id = column1"
    )
