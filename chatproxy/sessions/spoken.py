"""What was said, in words: items of the service as lines for people to read.

For the admin's transcript and the visitor's download. Everything is text; whoever makes HTML of it
escapes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatproxy.upstream.vocabulary import EventType, ItemType, MessageType, ParticipantRole

Wire = dict[str, Any]

EVENTS: dict[str, str] = {
    EventType.PARTICIPANT_JOINED: "joined",
    EventType.PARTICIPANT_LEFT: "left",
    EventType.PARTICIPANT_INVITED: "was invited",
    EventType.TRANSFER_SUCCEEDED: "transferred the chat",
    EventType.TRANSFER_FAILED: "could not transfer the chat",
    EventType.CHAT_ENDED: "The chat ended",
}
TYPES: dict[str, str] = {MessageType.JSON: "JSON"}
KINDS = {
    "ListPicker": "List",
    "TimePicker": "Times to choose from",
    "Panel": "Panel",
    "QuickReply": "Quick replies",
    "Carousel": "Carousel",
    "ViewResource": "Form or page",
}


# What people send as JSON may be anything, and nested deeper than Python's reader goes.
_NOT_AS_EXPECTED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Spoken:
    """One item as a line of the transcript. ``kind`` is what it was, if not plain text."""

    time: str
    who: str
    side: str
    kind: str
    text: str
    receipt: str


def spoken(item: Wire) -> Spoken:
    """An item as GetTranscript spells it, for a person."""
    role = str(item.get("ParticipantRole", ""))
    side = "customer" if role == ParticipantRole.CUSTOMER else "other"
    is_event = item.get("Type") == ItemType.EVENT
    kind, text = _said(item)
    return Spoken(
        time=str(item.get("AbsoluteTime", "")),
        who=str(item.get("DisplayName") or role.replace("_", " ").capitalize()),
        side="event" if is_event else side,
        kind=kind,
        text=text,
        receipt=_receipt(item),
    )


def _said(item: Wire) -> tuple[str, str]:
    content_type = str(item.get("ContentType", ""))
    content = str(item.get("Content", ""))
    if item.get("Type") == ItemType.ATTACHMENT:
        return "File", "\n".join(_file(file) for file in item.get("Attachments") or [])
    if item.get("Type") == ItemType.EVENT:
        return "", EVENTS.get(content_type, spaced(content_type))
    if content_type == MessageType.INTERACTIVE:
        return _interactive(content)
    if content_type == MessageType.INTERACTIVE_RESPONSE:
        return "Answer to a message with choices", _answer(content)
    return TYPES.get(content_type, ""), content


def _file(file: Any) -> str:
    name = str(file.get("AttachmentName", "?"))
    state = str(file.get("Status", ""))
    return name if state in {"", "APPROVED"} else f"{name} ({state.replace('_', ' ').lower()})"


def _interactive(content: str) -> tuple[str, str]:
    """Kind and title of a message with choices, the choices' titles below."""
    try:
        message = json.loads(content)
        kind = KINDS.get(str(message["templateType"]), str(message["templateType"]))
        body = message["data"]["content"]
        lines = [str(body.get("title", "")), str(body.get("subtitle", ""))]
        lines += [f"- {title}" for title in _choices(body)]
        # Of a view there is only where it can be had; what it showed is its answer's to tell.
        if kind == KINDS["ViewResource"]:
            lines.append("(shown in the chat)")
    except _NOT_AS_EXPECTED:
        return "Message with choices", "(not in a shape we know)"
    return kind, "\n".join(filter(None, lines))


def _choices(body: Wire) -> list[str]:
    elements = [one for one in body.get("elements") or [] if isinstance(one, dict)]
    # A carousel's elements are messages themselves; their title is inside.
    inner = [(one.get("data") or {}).get("content") or one for one in elements]
    slots = [_slot(str(slot.get("date", ""))) for slot in body.get("timeslots") or []]
    return [str(one.get("title", "")) for one in inner if one.get("title")] + slots


def _slot(date: str) -> str:
    """A time slot as people read it, in the zone it was offered in."""
    try:
        at = datetime.fromisoformat(date)
    except ValueError:
        return date
    return f"{at:%Y-%m-%d %H:%M} {at.tzname() or ''}".rstrip()


def _answer(content: str) -> str:
    try:
        answer = json.loads(content)
        return str(answer.get("action") or answer["data"])
    except _NOT_AS_EXPECTED:
        return content


def _receipt(item: Wire) -> str:
    receipts = (item.get("MessageMetadata") or {}).get("Receipts") or []
    if any(one.get("ReadTimestamp") for one in receipts):
        return "read"
    return "delivered" if any(one.get("DeliveredTimestamp") for one in receipts) else ""


def spaced(name: str) -> str:
    """A name in the service's spelling or ours as words: ``link_up`` is "Link up"."""
    return name.rpartition("event.")[2].replace("_", " ").replace(".", " ").capitalize()
