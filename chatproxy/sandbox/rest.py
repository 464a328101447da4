"""The Participant Service's operations on the center, in the service's wire shape.

Each function takes a ``Call`` and returns the output members. What the models can check,
``wire`` has checked before; what only the service knows is checked here. Attachments are in
``uploads``, views and sign-in in ``guidance``.
"""

import json
from collections.abc import Callable

from chatproxy.sandbox import guidance, transcript, uploads
from chatproxy.sandbox.calls import Call, invalid
from chatproxy.sandbox.clock import as_instant
from chatproxy.sandbox.contacts import Item, Wire, new_id
from chatproxy.sandbox.limits import check_message
from chatproxy.sandbox.tokens import ConnectionGrant, ParticipantGrant, credentials, websocket
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


def create_participant_connection(call: Call) -> Wire:
    grant, center = call.grant, call.center
    assert isinstance(grant, ParticipantGrant)
    kinds = call.members.get("Type", [])
    connects = call.members.get("ConnectParticipant", False)
    if not kinds and not connects:
        raise invalid("Type or ConnectParticipant is required")
    if ConnectionType.WEBRTC_CONNECTION in kinds:
        raise invalid("WEBRTC_CONNECTION is not available for chats")
    if connects and call.is_customer and not call.contact.is_streaming:
        raise invalid("ConnectParticipant needs message streaming on this contact")
    if call.is_customer:
        call.contact.asked_to_connect_at = call.contact.asked_to_connect_at or center.clock.now()
    output: Wire = {}
    if ConnectionType.WEBSOCKET in kinds:
        output["Websocket"] = websocket(center.tokens, grant)
    if ConnectionType.CONNECTION_CREDENTIALS in kinds:
        output["ConnectionCredentials"] = credentials(center.tokens, grant)
    if connects and call.is_customer:
        center.customer_connected(call.contact)
    return output


def send_message(call: Call) -> Wire:
    content_type, content = call.members["ContentType"], call.members["Content"]
    allowed = call.contact.content_types if call.is_customer else None
    check_message(call.center.options, content_type, content, allowed)
    item = call.center.post_message(call.contact, call.participant, content, content_type)
    output = _accepted(item)
    if item.processing_status:
        output["MessageMetadata"] = {"MessageProcessingStatus": item.processing_status}
    return output


def send_event(call: Call) -> Wire:
    content_type = call.members["ContentType"]
    if content_type not in SENDABLE_EVENT_TYPES:
        raise invalid("ContentType is not supported for SendEvent")
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
        raise invalid("messageId is not in this chat") from None
    return _moment(call)


def _receipt_target(content: str | None) -> str:
    try:
        value = json.loads(content or "")
    except (ValueError, RecursionError):
        value = None
    message_id = value.get("messageId") if isinstance(value, dict) else None
    if not isinstance(message_id, str):
        raise invalid("Content must be JSON with a messageId")
    return message_id


def get_transcript(call: Call) -> Wire:
    contact_id = call.members.get("ContactId")
    if contact_id and call.center.contacts.get(contact_id) is not call.contact:
        raise invalid("ContactId is not of this chat")
    try:
        return transcript.page(call.contact, call.members)
    except transcript.BadPosition as err:
        raise invalid(str(err)) from None


def disconnect_participant(call: Call) -> Wire:
    call.center.leave(call.contact, call.participant)
    return {}


def _accepted(item: Item) -> Wire:
    return {"Id": item.id, "AbsoluteTime": as_instant(item.absolute_time)}


def _moment(call: Call) -> Wire:
    return {"Id": new_id(), "AbsoluteTime": as_instant(call.center.clock.now())}


OPERATIONS: dict[Operation, Callable[[Call], Wire]] = {
    Operation.CREATE_PARTICIPANT_CONNECTION: create_participant_connection,
    Operation.SEND_MESSAGE: send_message,
    Operation.SEND_EVENT: send_event,
    Operation.GET_TRANSCRIPT: get_transcript,
    Operation.DISCONNECT_PARTICIPANT: disconnect_participant,
    Operation.START_ATTACHMENT_UPLOAD: uploads.start_attachment_upload,
    Operation.COMPLETE_ATTACHMENT_UPLOAD: uploads.complete_attachment_upload,
    Operation.GET_ATTACHMENT: uploads.get_attachment,
    Operation.DESCRIBE_VIEW: guidance.describe_view,
    Operation.GET_AUTHENTICATION_URL: guidance.get_authentication_url,
    Operation.CANCEL_PARTICIPANT_AUTHENTICATION: guidance.cancel_participant_authentication,
}

# Answered again, without acting again, when the same connection repeats a ClientToken.
# DisconnectParticipant takes one too, but its connection is gone after the first.
_IDEMPOTENT = frozenset(
    {
        Operation.SEND_MESSAGE,
        Operation.SEND_EVENT,
        Operation.START_ATTACHMENT_UPLOAD,
        Operation.COMPLETE_ATTACHMENT_UPLOAD,
    }
)


def perform(operation: Operation, call: Call) -> Wire:
    """Do it once per ClientToken and connection; a repeat gets the first answer."""
    act = OPERATIONS[operation]
    client_token, grant = call.members.get("ClientToken"), call.grant
    if not client_token or operation not in _IDEMPOTENT or not isinstance(grant, ConnectionGrant):
        return act(call)
    key = (str(operation), client_token)
    if key not in grant.answers:
        grant.answers[key] = act(call)
    return grant.answers[key]
