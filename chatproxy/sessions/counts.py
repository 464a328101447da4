"""How much was said in each session, as the admin lists it.

A link counts what its chat holds in all, not what it adds: what is counted twice, by two processes
or by one that has read the chat anew after a restart, is then the same number, and writing it again
changes nothing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from chatproxy.sessions.models import ChatSession
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

# Never less than before: a link that is still reading its chat has not seen all of it.
_RAISE = (
    f"UPDATE {ChatSession._meta.db_table} SET"  # noqa: S608
    " messages_in = CASE WHEN messages_in < %s THEN %s ELSE messages_in END,"
    " messages_out = CASE WHEN messages_out < %s THEN %s ELSE messages_out END,"
    " last_activity_at = %s WHERE id = %s"
)


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

    One statement for all of them, which with the ORM would be one each. In order of their ids, so
    that two processes never wait for each other's rows.
    """
    pk = ChatSession._meta.pk
    now = ChatSession._meta.get_field("last_activity_at").get_db_prep_value(
        timezone.now(), connection
    )
    rows = [
        (
            *(tally.incoming, tally.incoming),
            *(tally.outgoing, tally.outgoing),
            *(now, pk.get_db_prep_value(uuid.UUID(tally.session_id), connection)),
        )
        for tally in sorted(tallies, key=lambda tally: tally.session_id)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_RAISE, rows)
