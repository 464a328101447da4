"""Frames as browsers get them: the service's own, with a position, and one topic more of ours.

Pure; each is encoded once, however many tabs get it.
"""

from __future__ import annotations

import json
from typing import Any

from chatproxy.relay.fastpath import pack
from chatproxy.upstream.versions import STAMPS
from chatproxy.upstream.vocabulary import EventType, ItemType, Topic

Wire = dict[str, Any]

SESSION_TOPIC = "chatproxy/session"


def session_frame(content: Wire) -> str:
    """A frame of our own topic."""
    return json.dumps({"topic": SESSION_TOPIC, "content": content})


def chat_frame(inner: Wire) -> bytes:
    """An item as the service would send it on the websocket."""
    outer = {
        "content": json.dumps(inner),
        "contentType": "application/json",
        "topic": str(Topic.CHAT),
    }
    return json.dumps(outer).encode()


def frames_of(wire: Wire, contact_id: str) -> list[Wire]:
    """A transcript item as the inner objects of frames: the item, then one for each receipt.

    Clients drop frames without their contact's id, and read only the first receipt of a frame.
    """
    metadata = dict(wire.get("MessageMetadata") or {})
    receipts = metadata.pop("Receipts", None) or []
    inner = {key: value for key, value in wire.items() if key != "MessageMetadata"}
    # A message's metadata is its Id and receipts; without these, nothing is left to say.
    if set(metadata) - {"MessageId"}:
        inner["MessageMetadata"] = metadata
    inner.setdefault("InitialContactId", contact_id)
    inner.setdefault("ContactId", contact_id)
    return [inner, *(_receipt_frame(str(wire.get("Id")), receipt) for receipt in receipts)]


def _receipt_frame(message_id: str, receipt: Wire) -> Wire:
    stamps = [receipt[stamp] for stamp in STAMPS if isinstance(receipt.get(stamp), str)]
    return {
        "AbsoluteTime": max(stamps, default=""),
        "ContentType": str(EventType.MESSAGE_METADATA),
        "Id": message_id,
        "Type": str(ItemType.MESSAGE_METADATA),
        "MessageMetadata": {"MessageId": message_id, "Receipts": [receipt]},
    }


def packed_with_position(payload: bytes, position: bytes) -> bytes:
    """A chat frame, packed, with where it stands in its session's history."""
    return pack(payload[: payload.rindex(b"}")], b',"position":"%b"}' % position)
