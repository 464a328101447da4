"""GetTranscript's paging: where to start, which way to walk, how to go on.

Positions are indexes into everything the customer may read, oldest first: items of earlier
chats of a persistent chain, then those of this chat. Both only ever grow at the end, so an
index stays true and a NextToken is an index with a direction and an end, signed.
"""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chatproxy.sandbox.contacts import Contact, Item, Wire
from chatproxy.upstream.vocabulary import (
    TRANSCRIPT_DEFAULT_RESULTS,
    ScanDirection,
    SortOrder,
)

_KEY = secrets.token_bytes(32)


class BadPosition(Exception):
    """A StartPosition or NextToken that points nowhere; the message is the sentence to answer."""


@dataclass(frozen=True)
class _Walk:
    """From ``index`` in ``direction``; this page not before ``floor``, no page before ``end``."""

    index: int
    direction: ScanDirection
    floor: int
    end: int


def page(contact: Contact, members: dict[str, Any]) -> Wire:
    """One page, as GetTranscript answers it.

    Args:
        members: the request's, already checked against the model.

    Raises:
        BadPosition: more than one start, an unknown item, a foreign or forged NextToken.
    """
    past = [item for earlier in contact.past for item in earlier.items]
    items = past + contact.items
    limit = members.get("MaxResults") or TRANSCRIPT_DEFAULT_RESULTS
    token = members.get("NextToken")
    walk = _resumed(contact, token) if token else _begun(contact, members, len(past))
    if walk.direction == ScanDirection.FORWARD:
        indexes = range(max(walk.index, walk.floor), min(walk.index + limit, len(items)))
        following = indexes.stop if indexes and indexes.stop < len(items) else None
    else:
        first = min(walk.index, len(items) - 1)
        indexes = range(max(first - limit + 1, walk.floor), first + 1)
        following = indexes.start - 1 if indexes.start > walk.end else None
    entries = [items[each].entry(is_past=each < len(past)) for each in indexes]
    if members.get("SortOrder", SortOrder.DESCENDING) == SortOrder.DESCENDING:
        entries.reverse()
    answer: Wire = {"InitialContactId": contact.initial_contact_id, "Transcript": entries}
    if following is not None:
        answer["NextToken"] = _sealed(contact, walk, following)
    return answer


def _begun(contact: Contact, members: dict[str, Any], boundary: int) -> _Walk:
    start = members.get("StartPosition", {})
    if len(start) > 1:
        raise BadPosition("StartPosition takes only one of Id, AbsoluteTime and MostRecent")
    newest = boundary + len(contact.items) - 1
    if not start:
        direction = ScanDirection(members.get("ScanDirection", ScanDirection.BACKWARD))
        # Forward from the newest item asks for the future.
        index = newest + 1 if direction == ScanDirection.FORWARD else newest
        return _Walk(index, direction, boundary, 0)
    direction = ScanDirection(members.get("ScanDirection", ScanDirection.FORWARD))
    # No way leads from a StartPosition into earlier chats.
    return _Walk(boundary + _start_index(contact, start, direction), direction, boundary, boundary)


def _start_index(contact: Contact, start: dict[str, Any], direction: ScanDirection) -> int:
    """Index among the contact's own items; the item there is part of the page."""
    items = contact.items
    if "Id" in start:
        for index, item in enumerate(items):
            if item.id == start["Id"]:
                return index
        raise BadPosition("StartPosition.Id is not an item of this chat")
    if "MostRecent" in start:
        index = max(0, len(items) - int(start["MostRecent"]))
        return index if direction == ScanDirection.FORWARD else min(index, len(items) - 1)
    wanted_ms = _milliseconds(start["AbsoluteTime"])
    if direction == ScanDirection.FORWARD:
        later = (i for i, item in enumerate(items) if _item_ms(item) >= wanted_ms)
        return next(later, len(items))
    earlier = [i for i, item in enumerate(items) if _item_ms(item) <= wanted_ms]
    return earlier[-1] if earlier else -1


def _milliseconds(instant: str) -> int:
    try:
        moment = datetime.fromisoformat(instant)
    except ValueError:
        raise BadPosition("StartPosition.AbsoluteTime must be yyyy-MM-ddThh:mm:ss.SSSZ") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _item_ms(item: Item) -> int:
    return int(item.absolute_time * 1000)


def _sealed(contact: Contact, walk: _Walk, index: int) -> str:
    body = json.dumps([contact.initial_contact_id, str(walk.direction), index, walk.end]).encode()
    return base64.urlsafe_b64encode(_signature(body) + body).decode()


def _resumed(contact: Contact, token: str) -> _Walk:
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except ValueError:
        raw = b""
    signature, body = raw[:16], raw[16:]
    if not hmac.compare_digest(signature, _signature(body)):
        raise BadPosition("NextToken is not valid")
    initial_contact_id, direction, index, end = json.loads(body)
    if initial_contact_id != contact.initial_contact_id:
        raise BadPosition("NextToken is not valid")
    return _Walk(index, ScanDirection(direction), end, end)


def _signature(body: bytes) -> bytes:
    return hmac.new(_KEY, body, hashlib.sha256).digest()[:16]
