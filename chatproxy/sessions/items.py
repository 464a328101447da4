"""The item store: every item that passes is kept, sealed, in its newest version.

Written in batches by the relay, off the hot path; read for the download, the admin, and a relay
that takes a session over. With ``CHAT_RETENTION_DAYS=0`` the relay writes nothing here.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from chatproxy.sessions.models import State, StoredItem, aware
from chatproxy.sessions.transcript import as_entry
from chatproxy.sessions.vault import seal, unseal
from chatproxy.upstream.chatframes import ChatFrame

Wire = dict[str, Any]


#: (session id, one item to store); a plain frame is decoded when it is stored.
Kept = tuple[str, Wire | ChatFrame]


def append(batch: Iterable[Kept]) -> None:
    """Write a batch in one transaction: of each item its newest version, which comes last."""
    newest = {}
    for session_id, said in batch:
        item = as_entry(said.item.wire) if isinstance(said, ChatFrame) else said
        newest[session_id, str(item["Id"])] = item
    with transaction.atomic():
        StoredItem.objects.bulk_create(
            [_row(session_id, item) for (session_id, _), item in newest.items()],
            update_conflicts=True,
            unique_fields=["session", "item_id"],
            update_fields=["sealed", "content_type"],
        )


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
