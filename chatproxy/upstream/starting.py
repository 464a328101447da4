"""What can be asked of StartChatContact, with the model's bounds and its rules in words.

Source: Amazon Connect 2017-08-08; the guide for the size of attributes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from chatproxy.upstream.fields import (
    Check,
    Request,
    integer,
    list_of,
    one_of,
    text,
    wire,
)
from chatproxy.upstream.inputs import client_token
from chatproxy.upstream.vocabulary import (
    ATTRIBUTES_MAX_BYTES,
    CHAT_DURATION_MAX_MINUTES,
    CHAT_DURATION_MIN_MINUTES,
    CONTACT_FLOW_ID_MAX,
    CONTACT_ID_MAX,
    CONTENT_MAX,
    CUSTOMER_ID_MAX,
    DISPLAY_NAME_MAX,
    INSTANCE_ID_MAX,
    SENDABLE_MESSAGE_TYPES,
    MessageType,
    Operation,
    RehydrationType,
    ResponseMode,
)


def attributes_check(value: Any) -> str | None:
    """Contact attributes: names of letters, digits, ``-`` and ``_``; 32 kB together."""
    if not isinstance(value, Mapping):
        return "must be an object"
    size_bytes = 0
    for name, content in value.items():
        if not name or not name.isascii() or not name.replace("-", "").replace("_", "a").isalnum():
            return "may only have names made of letters, digits, - and _"
        if text(0, ATTRIBUTES_MAX_BYTES)(content):
            return "must map names to strings"
        size_bytes += len(name) + len(content.encode())
    return (
        f"must be at most {ATTRIBUTES_MAX_BYTES} bytes together, names included"
        if size_bytes > ATTRIBUTES_MAX_BYTES
        else None
    )


def object_of(**members: Check) -> Check:
    """An object with these members, all required."""

    def check(value: Any) -> str | None:
        if not isinstance(value, Mapping):
            return "must be an object"
        for name, rule in members.items():
            if complaint := rule(value.get(name)):
                return f"has a {name} that {complaint}"
        return None

    return check


@dataclass(frozen=True, slots=True)
class InitialMessage:
    """The customer's first words, said for them when the chat starts."""

    content: str = field(repr=False)
    content_type: str = MessageType.PLAIN


@dataclass(frozen=True, slots=True)
class PersistentChat:
    """Which ended contact a new chat goes on from."""

    source_contact_id: str
    rehydration_type: RehydrationType = RehydrationType.ENTIRE_PAST_SESSION


@dataclass(frozen=True, slots=True)
class ChatStart(Request):
    """StartChatContact. ``client_token`` repeated means: the same contact, started once."""

    operation: ClassVar[Operation] = Operation.START_CHAT_CONTACT

    instance_id: str = wire("InstanceId", text(1, INSTANCE_ID_MAX))
    contact_flow_id: str = wire("ContactFlowId", text(1, CONTACT_FLOW_ID_MAX))
    display_name: str = wire(
        "ParticipantDetails",
        object_of(DisplayName=text(1, DISPLAY_NAME_MAX)),
        show=False,
        read=lambda given: given["DisplayName"],
        write=lambda name: {"DisplayName": name},
    )
    attributes: Mapping[str, str] | None = wire(
        "Attributes", attributes_check, default=None, show=False, write=dict
    )
    initial_message: InitialMessage | None = wire(
        "InitialMessage",
        object_of(ContentType=one_of(SENDABLE_MESSAGE_TYPES), Content=text(1, CONTENT_MAX)),
        default=None,
        read=lambda given: InitialMessage(given["Content"], given["ContentType"]),
        write=lambda said: {"ContentType": str(said.content_type), "Content": said.content},
    )
    supported_content_types: tuple[str, ...] | None = wire(
        "SupportedMessagingContentTypes",
        list_of(one_of(MessageType), 1),
        default=None,
        read=tuple,
        write=lambda types: [str(each) for each in types],
    )
    chat_duration_minutes: int | None = wire(
        "ChatDurationInMinutes",
        integer(CHAT_DURATION_MIN_MINUTES, CHAT_DURATION_MAX_MINUTES),
        default=None,
    )
    persistent_chat: PersistentChat | None = wire(
        "PersistentChat",
        object_of(SourceContactId=text(1, CONTACT_ID_MAX), RehydrationType=one_of(RehydrationType)),
        default=None,
        read=lambda given: PersistentChat(
            given["SourceContactId"], RehydrationType(given["RehydrationType"])
        ),
        write=lambda past: {
            "SourceContactId": past.source_contact_id,
            "RehydrationType": str(past.rehydration_type),
        },
    )
    related_contact_id: str | None = wire("RelatedContactId", text(1, CONTACT_ID_MAX), default=None)
    customer_id: str | None = wire("CustomerId", text(1, CUSTOMER_ID_MAX), default=None, show=False)
    response_mode: ResponseMode | None = wire(
        "ParticipantConfiguration",
        object_of(ResponseMode=one_of(ResponseMode)),
        default=None,
        read=lambda given: ResponseMode(given["ResponseMode"]),
        write=lambda mode: {"ResponseMode": str(mode)},
    )
    agent_leaves_with_customer: bool | None = wire(
        "DisconnectOnCustomerExit",
        list_of(one_of(frozenset({"AGENT"})), 1, 1),
        default=None,
        read=bool,
        write=lambda leaves: ["AGENT"] if leaves else None,
    )
    client_token: str = client_token()

    def more_complaints(self) -> list[str]:
        """What the service's model says in words only."""
        wrong = []
        types = self.supported_content_types
        if types is not None and MessageType.PLAIN not in types:
            wrong.append("SupportedMessagingContentTypes must include text/plain.")
        if self.persistent_chat and self.related_contact_id:
            wrong.append("PersistentChat and RelatedContactId exclude each other.")
        return wrong
