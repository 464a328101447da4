"""How much was said in each session, as the admin lists it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.utils import timezone

from chatproxy.sessions.models import ChatSession
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

_ADD = (
    f"UPDATE {ChatSession._meta.db_table} SET messages_in = messages_in + %s,"  # noqa: S608
    " messages_out = messages_out + %s, last_activity_at = %s WHERE id = %s"
)


class Said(NamedTuple):
    """Messages and files of one session: the customer's, and those of everybody else."""

    incoming: int = 0
    outgoing: int = 0

    def __add__(self, more: tuple[int, ...]) -> Said:  # type: ignore[override]
        return Said(self.incoming + more[0], self.outgoing + more[1])


NOTHING, FROM_CUSTOMER, TO_CUSTOMER = Said(), Said(1, 0), Said(0, 1)


def said_by(item: Mapping[str, Any]) -> Said:
    """What one new item adds."""
    if item.get("Type") not in (ItemType.MESSAGE, ItemType.ATTACHMENT):
        return NOTHING
    is_customers = item.get("ParticipantRole") == ParticipantRole.CUSTOMER
    return FROM_CUSTOMER if is_customers else TO_CUSTOMER


def add(counts: Mapping[str, Said]) -> None:
    """Add to the counts of sessions, and note that something happened in each.

    One statement for all of them, which with the ORM would be one each. In order of their ids, so
    that two processes never wait for each other's rows.
    """
    pk = ChatSession._meta.pk
    now = ChatSession._meta.get_field("last_activity_at").get_db_prep_value(
        timezone.now(), connection
    )
    rows = [
        (incoming, outgoing, now, pk.get_db_prep_value(uuid.UUID(session_id), connection))
        for session_id, (incoming, outgoing) in sorted(counts.items())
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.executemany(_ADD, rows)
