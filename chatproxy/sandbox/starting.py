"""The Connect service's door: StartChatContact and StopContact, enough to begin and end chats with boto3."""

from collections.abc import Callable
from typing import Any

from chatproxy.sandbox.center import Center
from chatproxy.sandbox.contacts import Contact, Participant, Wire
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import (
    CHAT_DURATION_DEFAULT_MINUTES,
    MessageType,
    Operation,
    ParticipantRole,
    ResponseMode,
)


def start_chat_contact(center: Center, members: dict[str, Any]) -> Wire:
    minutes = members.get("ChatDurationInMinutes", CHAT_DURATION_DEFAULT_MINUTES)
    now = center.clock.now()
    contact = Contact(
        instance_id=members["InstanceId"],
        contact_flow_id=members["ContactFlowId"],
        customer=Participant(
            ParticipantRole.CUSTOMER, members["ParticipantDetails"]["DisplayName"]
        ),
        started_at=now,
        ends_at=now + minutes * 60,
        attributes=members.get("Attributes", {}),
        content_types=frozenset(members.get("SupportedMessagingContentTypes", [MessageType.PLAIN])),
        response_mode=ResponseMode(
            members.get("ParticipantConfiguration", {}).get("ResponseMode", ResponseMode.COMPLETE)
        ),
    )
    first = members.get("InitialMessage")
    center.start(contact, first and (first["ContentType"], first["Content"]))
    return {
        "ContactId": contact.contact_id,
        "ParticipantId": contact.customer.participant_id,
        "ParticipantToken": center.tokens.issue_participant(contact, contact.customer),
    }


def stop_contact(center: Center, members: dict[str, Any]) -> Wire:
    contact = center.contacts.get(members["ContactId"])
    if contact is None or contact.is_over:
        raise ServiceError("ContactNotFoundException", "The contact does not exist or has ended")
    center.end(contact, ended_by="api")
    return {}


Handler = Callable[[Center, dict[str, Any]], Wire]

OPERATIONS: dict[Operation, Handler] = {
    Operation.START_CHAT_CONTACT: start_chat_contact,
    Operation.STOP_CONTACT: stop_contact,
}
