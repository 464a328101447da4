"""The item store: every item that passes is kept, sealed, in its newest version.

Written in batches by the relay, off the hot path; read for the download, the admin, and a relay
that takes a session over. With ``CHAT_RETENTION_DAYS=0`` the relay writes nothing here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from typing import Any

from django.db import connection, transaction
from django.db.models import Field
from django.utils import timezone

from chatproxy.sessions.models import State, StoredItem, aware
from chatproxy.sessions.transcript import as_entry
from chatproxy.sessions.vault import seal, unseal
from chatproxy.upstream.chatframes import ChatFrame, encoded

Wire = dict[str, Any]

# Seven values each: SQLite takes 999 in one statement, if it is an old one.
ROWS_AT_ONCE = 100


#: (session id, one item to store); a plain frame is decoded when it is stored.
Kept = tuple[str, Wire | ChatFrame]


def append(batch: Iterable[Kept]) -> None:
    """Write a batch in one transaction: of each item its newest version, which comes last.

    Rows are made and written here, without the ORM, which would cost more than sealing them.
    """
    newest = {}
    for session_id, said in batch:
        item = as_entry(said.peek().wire) if isinstance(said, ChatFrame) else said
        newest[session_id, str(item["Id"])] = item
    # By session, so that two processes never wait for each other's rows; within one as they came.
    of_sessions = sorted(newest.items(), key=lambda each: each[0][0])
    rows = [_row(session_id, item_id, item) for (session_id, item_id), item in of_sessions]
    with transaction.atomic(), connection.cursor() as cursor:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            some = rows[start : start + ROWS_AT_ONCE]
            cursor.execute(_upsert(len(some)), [value for row in some for value in row])


_FIELDS: dict[str, Field[Any, Any]] = {
    name: StoredItem._meta.get_field(name)  # type: ignore[misc]
    for name in (
        "session",
        "item_id",
        "absolute_time",
        "type",
        "content_type",
        "participant_role",
        "sealed",
    )
}


@lru_cache(maxsize=ROWS_AT_ONCE)
def _upsert(count: int) -> str:
    columns = ", ".join(str(field.column) for field in _FIELDS.values())
    row = f"({', '.join(['%s'] * len(_FIELDS))})"
    return (
        f"INSERT INTO {StoredItem._meta.db_table} ({columns})"  # noqa: S608 - names of our own
        f" VALUES {', '.join([row] * count)} ON CONFLICT (session_id, item_id) DO UPDATE"
        " SET sealed = excluded.sealed, content_type = excluded.content_type"
    )


def _row(session_id: str, item_id: str, item: Wire) -> tuple[Any, ...]:
    return (
        _column_of(session_id, connection.vendor),
        item_id,
        connection.ops.adapt_datetimefield_value(aware(str(item["AbsoluteTime"]))),
        str(item.get("Type", ""))[:40],
        str(item.get("ContentType", ""))[:128],
        str(item.get("ParticipantRole", ""))[:20],
        seal(encoded(item), bound_to=f"{session_id}:item:{item_id}"),
    )


@lru_cache(maxsize=2000)
def _column_of(session_id: str, _vendor: str) -> Any:
    return _FIELDS["session"].get_db_prep_value(uuid.UUID(session_id), connection)


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
