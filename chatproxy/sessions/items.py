"""The item store: every item that passes is kept, sealed, in its newest version.

Written in batches by the relay, off the hot path; read for the download, the admin, and a relay
that takes a session over. With ``CHAT_RETENTION_DAYS=0`` nothing is written but the counts.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.models import DateTimeField, UUIDField
from django.utils import timezone

from chatproxy.conf import conf
from chatproxy.sessions.models import ChatSession, State, StoredItem, aware
from chatproxy.sessions.vault import seal, unseal
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

Wire = dict[str, Any]

_ADD_COUNTS = (
    f"UPDATE {ChatSession._meta.db_table} SET messages_in = messages_in + %s,"  # noqa: S608
    " messages_out = messages_out + %s, last_activity_at = %s WHERE id = %s"
)


class Kept(NamedTuple):
    """One item as it now is; ``is_new``: its Id was not known before."""

    session_id: str
    item: Wire
    is_new: bool


def append(batch: Iterable[Kept]) -> None:
    """Write a batch in one transaction: newest version of each item, and the sessions' counts."""
    entries = list(batch)
    newest = {(kept.session_id, str(kept.item["Id"])): kept.item for kept in entries}
    with transaction.atomic():
        if conf.retention_days > 0:
            StoredItem.objects.bulk_create(
                [_row(session_id, item) for (session_id, _), item in newest.items()],
                update_conflicts=True,
                unique_fields=["session", "item_id"],
                update_fields=["sealed", "content_type"],
            )
        _count(entries)


def _row(session_id: str, item: Wire) -> StoredItem:
    item_id = str(item["Id"])
    return StoredItem(
        session_id=uuid.UUID(session_id),
        item_id=item_id,
        absolute_time=aware(str(item["AbsoluteTime"])),
        type=str(item.get("Type", ""))[:40],
        content_type=str(item.get("ContentType", ""))[:128],
        participant_role=str(item.get("ParticipantRole", ""))[:20],
        sealed=seal(json.dumps(item), bound_to=f"{session_id}:item:{item_id}"),
    )


def _count(entries: list[Kept]) -> None:
    incoming: Counter[str] = Counter()
    outgoing: Counter[str] = Counter()
    for kept in entries:
        if kept.is_new and kept.item.get("Type") in (ItemType.MESSAGE, ItemType.ATTACHMENT):
            is_customers = kept.item.get("ParticipantRole") == ParticipantRole.CUSTOMER
            (incoming if is_customers else outgoing)[kept.session_id] += 1
    _add_counts(sorted({kept.session_id for kept in entries}), incoming, outgoing)


def _add_counts(
    session_ids: list[str], incoming: Mapping[str, int], outgoing: Mapping[str, int]
) -> None:
    """One statement for all sessions: with the ORM, counting costs more than the items themselves.

    In order of their ids, so that two processes never wait for each other's rows.
    """
    now = DateTimeField().get_db_prep_value(timezone.now(), connection)
    rows = [
        (incoming[each], outgoing[each], now, UUIDField().get_db_prep_value(each, connection))
        for each in session_ids
    ]
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_COUNTS, rows)


def read(session_id: str) -> list[Wire]:
    """All stored items of a session, oldest first."""
    rows = StoredItem.objects.filter(session=uuid.UUID(session_id)).order_by("absolute_time", "id")
    return [opened(row) for row in rows]


def opened(row: StoredItem) -> Wire:
    """The item a row holds, as GetTranscript spells it."""
    text = unseal(row.sealed, bound_to=f"{row.session_id}:item:{row.item_id}")
    found: Wire = json.loads(text)
    return found


def prunable(days: int) -> int:
    """How many items ``prune`` would delete."""
    return int(_outdated(days).count())


def prune(days: int) -> int:
    """Delete the items of chats that ended more than ``days`` days ago, in small transactions.

    Returns:
        How many were deleted.
    """
    deleted = 0
    while True:
        ids = list(_outdated(days).values_list("pk", flat=True)[:1000])
        if not ids:
            return deleted
        deleted += int(StoredItem.objects.filter(pk__in=ids).delete()[0])


def _outdated(days: int) -> Any:
    horizon = timezone.now() - timedelta(days=days)
    over = (State.ENDED, State.FAILED, State.EXPIRED)
    return StoredItem.objects.filter(session__state__in=over, session__ended_at__lt=horizon)
