"""What the sandbox remembers of a chat: contact, participants, items, receipts. Data only.

``center`` changes these; ``transcript`` reads them in pages. An item has two shapes on the
wire, which differ in small ways the clients depend on: the *frame* (websocket) names both
contact ids, the *entry* (GetTranscript) only the contact it belongs to, by one of two names.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from chatproxy.sandbox.clock import as_instant
from chatproxy.upstream.vocabulary import (
    AttachmentStatus,
    EventType,
    ItemType,
    MessageType,
    ParticipantRole,
    ResponseMode,
)

Wire = dict[str, Any]


def new_id() -> str:
    return str(uuid4())


@dataclass(eq=False)
class Participant:
    """A party of one contact. ``participant_id`` stays, whatever happens to the contact's id."""

    role: ParticipantRole
    display_name: str
    participant_id: str = field(default_factory=new_id)
    # Has joined: for a customer, when the first connection became live.
    joined_at: float | None = None
    left_at: float | None = None

    @property
    def is_active(self) -> bool:
        return self.joined_at is not None and self.left_at is None


@dataclass
class Receipt:
    """When one recipient got and read one message, epoch seconds."""

    recipient_id: str
    delivered_at: float | None = None
    read_at: float | None = None

    def wire(self) -> Wire:
        return _present(
            DeliveredTimestamp=self.delivered_at and as_instant(self.delivered_at),
            ReadTimestamp=self.read_at and as_instant(self.read_at),
            RecipientParticipantId=self.recipient_id,
        )


@dataclass
class Attachment:
    """One uploaded file as items show it; the bytes are in ``storage``."""

    attachment_id: str
    name: str
    content_type: str
    status: AttachmentStatus

    def wire(self) -> Wire:
        return {
            "ContentType": self.content_type,
            "AttachmentId": self.attachment_id,
            "AttachmentName": self.name,
            "Status": str(self.status),
        }


@dataclass(eq=False)
class Item:
    """One entry of a chat. Bare service events have no ``speaker``."""

    type: ItemType
    absolute_time: float
    contact_id: str
    content_type: str | None = None
    content: str | None = None
    speaker: Participant | None = None
    display_name: str | None = None
    attachments: list[Attachment] = field(default_factory=list)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    processing_status: str | None = None
    id: str = field(default_factory=new_id)

    def _common(self) -> Wire:
        speaker = self.speaker
        return _present(
            AbsoluteTime=as_instant(self.absolute_time),
            Content=self.content,
            ContentType=self.content_type,
            Id=self.id,
            Type=str(self.type),
            ParticipantId=speaker and speaker.participant_id,
            DisplayName=self.display_name,
            ParticipantRole=speaker and str(speaker.role),
            Attachments=[each.wire() for each in self.attachments] or None,
        )

    def frame(self, contact: "Contact", metadata: Wire | None = None) -> Wire:
        """As the websocket carries it."""
        wire = self._common()
        wire["InitialContactId"] = contact.initial_contact_id
        wire["ContactId"] = contact.contact_id
        if metadata or self.processing_status:
            status = _present(MessageProcessingStatus=self.processing_status)
            wire["MessageMetadata"] = {"MessageId": self.id} | status | (metadata or {})
        return wire

    def receipt_frame(self, receipt: Receipt, at: float) -> Wire:
        """One receipt as the websocket carries it: clients read index 0 and no contact ids."""
        return {
            "AbsoluteTime": as_instant(at),
            "ContentType": str(EventType.MESSAGE_METADATA),
            "Id": self.id,
            "Type": str(ItemType.MESSAGE_METADATA),
            "MessageMetadata": {"MessageId": self.id, "Receipts": [receipt.wire()]},
        }

    def status_frame(self, at: float) -> Wire:
        """That processing refused the message, as the websocket carries it."""
        return {
            "AbsoluteTime": as_instant(at),
            "ContentType": str(EventType.MESSAGE_METADATA),
            "Id": self.id,
            "Type": str(ItemType.MESSAGE_METADATA),
            "MessageMetadata": {
                "MessageId": self.id,
                "MessageProcessingStatus": self.processing_status,
            },
        }

    def entry(self, *, is_past: bool = False) -> Wire:
        """As GetTranscript lists it; ``is_past`` when it is of an earlier chat of the chain."""
        wire = self._common()
        wire["RelatedContactId" if is_past else "ContactId"] = self.contact_id
        metadata = _present(
            Receipts=[each.wire() for each in self.receipts.values()] or None,
            MessageProcessingStatus=self.processing_status,
        )
        if metadata:
            wire["MessageMetadata"] = {"MessageId": self.id} | metadata
        return wire


@dataclass(eq=False)
class Authentication:
    """A sign-in the flow asked for; open until it has an outcome."""

    session_id: str
    initiated_at: float
    outcome: EventType | None = None


@dataclass(eq=False)
class Contact:
    """One chat. ``items`` holds what the transcript keeps, oldest first."""

    instance_id: str
    contact_flow_id: str
    customer: Participant
    started_at: float
    ends_at: float
    attributes: dict[str, str] = field(default_factory=dict)
    content_types: frozenset[str] = frozenset({MessageType.PLAIN})
    response_mode: ResponseMode = ResponseMode.COMPLETE
    segment_attributes: Wire = field(default_factory=dict)
    related_contact_id: str | None = None
    customer_id: str | None = None
    drops_agent_on_exit: bool = False
    is_streaming: bool = False
    # Ended chats this one continues, oldest first.
    past: list["Contact"] = field(default_factory=list)
    contact_id: str = field(default_factory=new_id)
    initial_contact_id: str = ""
    participants: dict[str, Participant] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    by_id: dict[str, Item] = field(default_factory=dict)
    authentications: dict[str, Authentication] = field(default_factory=dict)
    attachments_used: int = 0
    asked_to_connect_at: float | None = None
    connected_at: float | None = None
    ended_at: float | None = None
    ended_by: str | None = None
    # Whatever a bot or console wants to remember with the chat.
    notes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.initial_contact_id = self.initial_contact_id or self.contact_id
        self.participants[self.customer.participant_id] = self.customer

    @property
    def is_over(self) -> bool:
        return self.ended_at is not None

    def attachment(self, attachment_id: str) -> Attachment | None:
        """An attachment shared in this chat."""
        return next(
            (
                each
                for item in self.items
                for each in item.attachments
                if each.attachment_id == attachment_id
            ),
            None,
        )

    def active_participants(self, *roles: ParticipantRole) -> list[Participant]:
        """Those in the chat now, of the given roles or all."""
        return [
            each
            for each in self.participants.values()
            if each.is_active and (not roles or each.role in roles)
        ]


def json_content(value: Wire) -> str:
    """A JSON string as the service writes it into ``Content``."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _present(**members: Any) -> Wire:
    return {name: value for name, value in members.items() if value is not None}
