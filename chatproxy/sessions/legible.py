"""The item store for those who read a chat: what opens, and something in place of what does not.

A key taken out of ``CHAT_VAULT_KEYS`` too early, or one damaged row, must not take the rest of the
chat along. The relay, which can ask the service instead, reads with ``items.read``.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from chatproxy.sessions import items
from chatproxy.sessions.models import StoredItem
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream.shapes import wire_time
from chatproxy.upstream.vocabulary import ItemType, MessageType

logger = logging.getLogger(__name__)

Wire = dict[str, Any]

UNREADABLE = "(This message cannot be read any more.)"


def read(session_id: str) -> list[Wire]:
    """All stored items of a session, oldest first.

    One that does not open is there as far as its row tells in clear, marked ``Unreadable``. An
    event still says what happened; a message or file has become a text that says so.
    """
    rows = StoredItem.objects.filter(session=UUID(session_id)).order_by("absolute_time", "id")
    found = [_opened(row) for row in rows]
    unreadable = sum("Unreadable" in item for item in found)
    if unreadable:
        facts = {"session": session_id, "unreadable": unreadable}
        logger.warning("stored items do not open with CHAT_VAULT_KEYS", extra=facts)
    return found


def _opened(row: StoredItem) -> Wire:
    try:
        return items.opened(row)
    except SealBroken:
        return _in_place_of(row)


def _in_place_of(row: StoredItem) -> Wire:
    known = {
        "Id": row.item_id,
        "AbsoluteTime": wire_time(row.absolute_time),
        "ParticipantRole": row.participant_role,
        "Unreadable": True,
    }
    if row.type == ItemType.EVENT:
        return {**known, "Type": row.type, "ContentType": row.content_type}
    plain = str(MessageType.PLAIN)
    return {**known, "Type": str(ItemType.MESSAGE), "ContentType": plain, "Content": UNREADABLE}
