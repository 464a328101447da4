"""What the console shows of a chat, as JSON for its page. Items keep the service's own names."""

import json
from itertools import islice
from typing import Any

from chatproxy.sandbox.agents import AgentDesk, State, lines
from chatproxy.sandbox.bot.answers import TO_A_PERSON
from chatproxy.sandbox.clock import as_instant
from chatproxy.sandbox.contacts import Contact, Item
from chatproxy.upstream.vocabulary import ItemType, MessageType, ParticipantRole

PREVIEW_MAX = 140
ENDED_MAX = 30
LIVE_MAX = 300
ASKS_FOR_PERSON = ("agent", TO_A_PERSON.lower())


def summary(desk: AgentDesk, contact: Contact) -> dict[str, Any]:
    """One row of the list: who, where it stands, what was said last."""
    seat = desk.seat(contact)
    agent = desk.agent_in(contact)
    return {
        # Survives transfers, unlike the ContactId.
        "id": contact.initial_contact_id,
        "contactId": contact.contact_id,
        "customer": contact.customer.display_name,
        "customerId": contact.customer.participant_id,
        "state": str(desk.state(contact)),
        "since": as_instant(seat.since or contact.started_at),
        "startedAt": as_instant(contact.started_at),
        "agentId": seat.agent and seat.agent.participant_id,
        "isMine": agent is not None,
        "unread": desk.unread(contact),
        "endedBy": contact.ended_by,
        "preview": _preview(_telling_line(desk, contact)),
    }


def detail(desk: AgentDesk, contact: Contact) -> dict[str, Any]:
    """A chat with everything in it; items as GetTranscript lists them, oldest first."""
    return {
        "chat": summary(desk, contact),
        "items": [
            *(item.entry(is_past=True) for past in contact.past for item in past.items),
            *(item.entry() for item in contact.items),
        ],
        "about": {
            "contactId": contact.contact_id,
            "initialContactId": contact.initial_contact_id,
            "contactFlowId": contact.contact_flow_id,
            "attributes": contact.attributes,
            "contentTypes": sorted(str(each) for each in contact.content_types),
            "responseMode": str(contact.response_mode),
            "participants": [
                {"name": each.display_name, "role": str(each.role)}
                for each in contact.active_participants()
            ],
        },
    }


def overview(desk: AgentDesk) -> dict[str, Any]:
    """Everything the page needs to start: live chats, and the latest of those that ended."""
    chats = list(dict.fromkeys(desk.center.contacts.values()))
    ended = [each for each in chats if each.is_over][-ENDED_MAX:]
    live = [each for each in chats if not each.is_over][-LIVE_MAX:]
    shown = [each for each in (*ended, *live) if desk.state(each) is not State.STARTING]
    return {"name": desk.name, "chats": [summary(desk, each) for each in shown]}


def _telling_line(desk: AgentDesk, contact: Contact) -> Item | None:
    """What was said last; of a chat in line, what the customer said before asking for a person."""
    said = list(islice(lines(contact), 20))
    if desk.state(contact) is State.WAITING:
        theirs = [item for item in said if item.speaker is contact.customer]
        telling = [each for each in theirs if (each.content or "").lower() not in ASKS_FOR_PERSON]
        return next(iter(telling or theirs or said), None)
    return next(iter(said), None)


def _preview(item: Item | None) -> dict[str, str] | None:
    if item is None:
        return None
    role = item.speaker.role if item.speaker else ParticipantRole.SYSTEM
    return {"text": _line(item), "role": str(role), "at": as_instant(item.absolute_time)}


def _line(item: Item) -> str:
    if item.type == ItemType.ATTACHMENT:
        return ", ".join(each.name for each in item.attachments)
    content = item.content or ""
    if item.content_type == MessageType.INTERACTIVE:
        content = _title(content)
    elif item.content_type == MessageType.INTERACTIVE_RESPONSE:
        content = "Answered a form"
    return content if len(content) <= PREVIEW_MAX else f"{content[:PREVIEW_MAX]}…"


def _title(content: str) -> str:
    """The title of an interactive message; customers' clients may not send one, but be lenient."""
    try:
        data = json.loads(content)["data"]["content"]
        return str(data.get("title") or "Form")
    except (ValueError, LookupError, TypeError, AttributeError):
        return "Interactive message"
