"""The Participant Service's door: eleven operations on the center, in the service's wire shape.

Each function takes a ``Call`` and returns the output members. What the models can check, ``wire`` has
checked before; what only the service knows is checked here.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from chatproxy.sandbox import transcript
from chatproxy.sandbox.center import Center
from chatproxy.sandbox.clock import as_instant
from chatproxy.sandbox.contacts import Contact, Item, Participant, Wire, new_id
from chatproxy.sandbox.limits import check_message
from chatproxy.sandbox.tokens import ConnectionGrant, ParticipantGrant
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import (
    RECEIPT_EVENT_TYPES,
    SENDABLE_EVENT_TYPES,
    ConnectionType,
    EventType,
    Operation,
    ParticipantRole,
)

# Who counts for "receipts only between two": people and custom bots, not the flow's own voice.
_PARTIES = (
    ParticipantRole.CUSTOMER,
    ParticipantRole.AGENT,
    ParticipantRole.SUPERVISOR,
    ParticipantRole.CUSTOM_BOT,
)


@dataclass
class Call:
    """One authorised call: whose it is and what it says."""

    center: Center
    grant: ParticipantGrant | ConnectionGrant
    members: dict[str, Any]

    @property
    def contact(self) -> Contact:
        return self.grant.contact

    @property
    def participant(self) -> Participant:
        return self.grant.participant


def create_participant_connection(call: Call) -> Wire:
    grant = call.grant
    if not isinstance(grant, ParticipantGrant):
        raise ServiceError("AccessDeniedException", "Access denied")
    center, contact = call.center, call.contact
    kinds = call.members.get("Type", [])
    connects = call.members.get("ConnectParticipant", False)
    if not kinds and not connects:
        raise ServiceError("ValidationException", "Type or ConnectParticipant is required")
    if ConnectionType.WEBRTC_CONNECTION in kinds:
        raise ServiceError("ValidationException", "WEBRTC_CONNECTION is not available for chats")
    is_customer = call.participant is contact.customer
    if connects and is_customer and not contact.is_streaming:
        raise ServiceError("ValidationException", "Streaming is not started for this contact")
    if is_customer:
        contact.requested_connection_at = contact.requested_connection_at or center.clock.now()
    output: Wire = {}
    if ConnectionType.WEBSOCKET in kinds:
        url, expires_at = center.tokens.issue_socket(grant)
        output["Websocket"] = {"Url": url, "ConnectionExpiry": as_instant(expires_at)}
    if ConnectionType.CONNECTION_CREDENTIALS in kinds:
        token, expires_at = center.tokens.issue_connection(grant)
        output["ConnectionCredentials"] = {
            "ConnectionToken": token,
            "Expiry": as_instant(expires_at),
        }
    if connects and is_customer:
        center.customer_connected(contact)
    return output


def send_message(call: Call) -> Wire:
    content_type, content = call.members["ContentType"], call.members["Content"]
    is_customer = call.participant is call.contact.customer
    allowed = call.contact.content_types if is_customer else None
    check_message(call.center.options, content_type, content, allowed)
    item = call.center.post_message(call.contact, call.participant, content, content_type)
    output = _accepted(item)
    if item.processing_status:
        output["MessageMetadata"] = {"MessageProcessingStatus": item.processing_status}
    return output


def send_event(call: Call) -> Wire:
    content_type = call.members["ContentType"]
    if content_type not in SENDABLE_EVENT_TYPES:
        raise ServiceError("ValidationException", "ContentType is not supported for SendEvent")
    if content_type in RECEIPT_EVENT_TYPES:
        return _receipt(call, is_read=content_type == EventType.MESSAGE_READ)
    if content_type == EventType.TYPING:
        return _accepted(call.center.typing(call.contact, call.participant))
    # connection.acknowledged is retired: taken, and nothing comes of it.
    return _moment(call)


def _receipt(call: Call, *, is_read: bool) -> Wire:
    if len(call.contact.active_participants(*_PARTIES)) > 2:
        raise ServiceError(
            "ConflictException", "Receipts need a chat of no more than two participants"
        )
    message_id = _receipt_target(call.members.get("Content"))
    try:
        call.center.receipt(call.contact, call.participant, message_id, is_read=is_read)
    except KeyError:
        raise ServiceError("ValidationException", "messageId is not in this chat") from None
    return _moment(call)


def _receipt_target(content: str | None) -> str:
    try:
        value = json.loads(content or "")
    except (ValueError, RecursionError):
        value = None
    message_id = value.get("messageId") if isinstance(value, dict) else None
    if not isinstance(message_id, str):
        raise ServiceError("ValidationException", "Content must be JSON with a messageId")
    return message_id


def get_transcript(call: Call) -> Wire:
    contact_id = call.members.get("ContactId")
    if contact_id and call.center.contacts.get(contact_id) is not call.contact:
        raise ServiceError("ValidationException", "ContactId is not of this chat")
    try:
        return transcript.page(call.contact, call.members)
    except transcript.BadPosition as err:
        raise ServiceError("ValidationException", str(err)) from None


def disconnect_participant(call: Call) -> Wire:
    call.center.leave(call.contact, call.participant)
    return {}


def _accepted(item: Item) -> Wire:
    return {"Id": item.id, "AbsoluteTime": as_instant(item.absolute_time)}


def _moment(call: Call) -> Wire:
    return {"Id": new_id(), "AbsoluteTime": as_instant(call.center.clock.now())}


Handler = Callable[[Call], Wire]

OPERATIONS: dict[Operation, Handler] = {
    Operation.CREATE_PARTICIPANT_CONNECTION: create_participant_connection,
    Operation.SEND_MESSAGE: send_message,
    Operation.SEND_EVENT: send_event,
    Operation.GET_TRANSCRIPT: get_transcript,
    Operation.DISCONNECT_PARTICIPANT: disconnect_participant,
}

# Answered again, without acting again, when the same connection repeats a ClientToken.
_IDEMPOTENT = frozenset(
    {
        Operation.SEND_MESSAGE,
        Operation.SEND_EVENT,
        Operation.DISCONNECT_PARTICIPANT,
        Operation.START_ATTACHMENT_UPLOAD,
        Operation.COMPLETE_ATTACHMENT_UPLOAD,
    }
)


def perform(operation: Operation, call: Call) -> Wire:
    """Do it once per ClientToken and connection; a repeat gets the first answer."""
    client_token = call.members.get("ClientToken")
    act = partial(OPERATIONS[operation], call)
    if not client_token or operation not in _IDEMPOTENT:
        return act()
    grant = call.grant
    assert isinstance(grant, ConnectionGrant)
    key = (str(operation), client_token)
    if key not in grant.answers:
        grant.answers[key] = act()
    answer: Wire = grant.answers[key]
    return answer
