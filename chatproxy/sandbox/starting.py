"""The Connect service's door: StartChatContact and StopContact, enough to begin and end chats."""

import re
from collections.abc import Callable
from typing import Any

from chatproxy.sandbox.center import Center
from chatproxy.sandbox.contacts import Contact, Participant, Wire
from chatproxy.sandbox.limits import check_message
from chatproxy.sandbox.tokens import credentials, websocket
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import (
    ATTRIBUTES_MAX_BYTES,
    CHAT_DURATION_DEFAULT_MINUTES,
    ConnectionType,
    MessageType,
    Operation,
    ParticipantRole,
    RehydrationType,
    ResponseMode,
)

_ATTRIBUTE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_CONTENT_TYPES = frozenset(MessageType)
_GUIDE_TYPES = frozenset({MessageType.INTERACTIVE, MessageType.INTERACTIVE_RESPONSE})
_CONNECTIONS = frozenset({ConnectionType.WEBSOCKET, ConnectionType.CONNECTION_CREDENTIALS})


def start_chat_contact(center: Center, members: dict[str, Any]) -> Wire:
    """Begin a chat, once per instance and ClientToken."""
    client_token = members.get("ClientToken")
    if not client_token:
        return _started(center, members)
    key = (members["InstanceId"], client_token)
    if key not in center.starts:
        center.starts[key] = _started(center, members)
    return center.starts[key]


def _started(center: Center, members: dict[str, Any]) -> Wire:
    _check_place(center, members)
    _check_attributes(members.get("Attributes", {}))
    _check_connection_types(members.get("ConnectionTypes", []))
    content_types = _content_types(members)
    _check_guide(members, content_types)
    source = _source(center, members)
    first = members.get("InitialMessage")
    if first is not None:
        _check_first_message(center, first, content_types)
    now = center.clock.now()
    minutes = members.get("ChatDurationInMinutes", CHAT_DURATION_DEFAULT_MINUTES)
    mode = members.get("ParticipantConfiguration", {}).get("ResponseMode", ResponseMode.COMPLETE)
    name = members["ParticipantDetails"]["DisplayName"]
    contact = Contact(
        instance_id=members["InstanceId"],
        contact_flow_id=members["ContactFlowId"],
        customer=Participant(ParticipantRole.CUSTOMER, name),
        started_at=now,
        ends_at=now + minutes * 60,
        attributes=members.get("Attributes", {}),
        content_types=content_types,
        response_mode=ResponseMode(mode),
        segment_attributes=members.get("SegmentAttributes", {}),
        related_contact_id=members.get("RelatedContactId"),
        customer_id=members.get("CustomerId"),
        drops_agent_on_exit="AGENT" in members.get("DisconnectOnCustomerExit", []),
        is_streaming="ChatStreamingConfiguration" in members,
        past=[*source.past, source] if source else [],
    )
    center.start(contact, first and (first["ContentType"], first["Content"]))
    return _answer(center, contact, members, source)


def _answer(
    center: Center, contact: Contact, members: dict[str, Any], source: Contact | None
) -> Wire:
    token = center.tokens.issue_participant(contact, contact.customer)
    output: Wire = {
        "ContactId": contact.contact_id,
        "ParticipantId": contact.customer.participant_id,
        "ParticipantToken": token,
        "ContinuedFromContactId": source.contact_id if source else None,
    }
    grant = center.tokens.participant(token)
    assert grant is not None
    wanted = members.get("ConnectionTypes", [])
    if wanted:
        contact.asked_to_connect_at = contact.started_at
    if ConnectionType.WEBSOCKET in wanted:
        output["Websocket"] = websocket(center.tokens, grant)
    if ConnectionType.CONNECTION_CREDENTIALS in wanted:
        output["ConnectionCredentials"] = credentials(center.tokens, grant)
    return output


def _check_place(center: Center, members: dict[str, Any]) -> None:
    instance_id, options = members["InstanceId"], center.options
    if options.instance_ids is not None and instance_id not in options.instance_ids:
        raise ServiceError("ResourceNotFoundException", "The instance was not found")
    flows = options.contact_flow_ids
    if flows is not None and members["ContactFlowId"] not in flows:
        raise ServiceError("ResourceNotFoundException", "The flow was not found")
    active = sum(each.instance_id == instance_id for each in center.live_contacts())
    if active >= options.concurrent_chats:
        raise ServiceError(
            "LimitExceededException", "The instance has reached its number of active chats"
        )


def _check_attributes(attributes: dict[str, str]) -> None:
    if not all(_ATTRIBUTE_KEY.fullmatch(key) for key in attributes):
        raise _invalid("Attribute keys hold only letters, digits, dashes and underscores")
    size = sum(len(text.encode()) for pair in attributes.items() for text in pair)
    if size > ATTRIBUTES_MAX_BYTES:
        raise _invalid(f"Attributes hold no more than {ATTRIBUTES_MAX_BYTES} bytes")


def _check_connection_types(wanted: list[str]) -> None:
    if not _CONNECTIONS.issuperset(wanted):
        raise _invalid("ConnectionTypes holds a type this sandbox does not serve")


def _content_types(members: dict[str, Any]) -> frozenset[str]:
    given = members.get("SupportedMessagingContentTypes")
    if not given:
        return frozenset({MessageType.PLAIN})
    if MessageType.PLAIN not in given:
        raise _invalid("SupportedMessagingContentTypes must hold text/plain")
    unknown = set(given) - _CONTENT_TYPES
    if unknown:
        raise _invalid(f"SupportedMessagingContentTypes holds {', '.join(sorted(unknown))}")
    return frozenset(given)


def _check_guide(members: dict[str, Any], content_types: frozenset[str]) -> None:
    subtype = members.get("SegmentAttributes", {}).get("connect:Subtype", {})
    is_guide = isinstance(subtype, dict) and subtype.get("ValueString") == "connect:Guide"
    if is_guide and not content_types >= _GUIDE_TYPES:
        raise _invalid("A guide needs both interactive types in SupportedMessagingContentTypes")


def _check_first_message(center: Center, first: Wire, content_types: frozenset[str]) -> None:
    try:
        check_message(center.options, first["ContentType"], first["Content"], content_types)
    except ServiceError as error:
        raise _invalid(f"InitialMessage: {error.message}") from None


def _source(center: Center, members: dict[str, Any]) -> Contact | None:
    """The ended chat that a persistent one continues."""
    persistent = members.get("PersistentChat")
    if persistent is None:
        return None
    if members.get("RelatedContactId"):
        raise _invalid("PersistentChat and RelatedContactId exclude each other")
    source_id = persistent.get("SourceContactId")
    source = center.contacts.get(source_id or "")
    if source is None:
        raise ServiceError("ResourceNotFoundException", "SourceContactId was not found")
    is_whole = persistent.get("RehydrationType") == RehydrationType.ENTIRE_PAST_SESSION
    if is_whole and source.initial_contact_id != source_id:
        raise _invalid("ENTIRE_PAST_SESSION takes the initial contact of the past session")
    if not source.is_over:
        raise _invalid("SourceContactId is of a chat that has not ended")
    return source


def stop_contact(center: Center, members: dict[str, Any]) -> Wire:
    contact = center.contacts.get(members["ContactId"])
    if contact is None or contact.instance_id != members["InstanceId"]:
        raise ServiceError("ResourceNotFoundException", "The contact was not found")
    if contact.is_over:
        raise ServiceError("ContactNotFoundException", "The contact has ended")
    center.end(contact, ended_by="api")
    return {}


def _invalid(message: str) -> ServiceError:
    return ServiceError("InvalidRequestException", message)


OPERATIONS: dict[Operation, Callable[[Center, dict[str, Any]], Wire]] = {
    Operation.START_CHAT_CONTACT: start_chat_contact,
    Operation.STOP_CONTACT: stop_contact,
}
