"""The words of Amazon Connect chat: content types, roles, statuses, operations, limits.

For everyone who reads or writes the service's JSON, the sandbox included: nothing here knows how
a call is made. Spelling is exactly the service's. An enum names what *we* act on; the service may
send more, so what comes from the wire stays a string and is compared with these.

Sources: service models connectparticipant 2018-09-07 and connect 2017-08-08 ("model"); the Connect
Administrator Guide, "Quotas" and "Feature specifications" ("guide"); ChatJS 5.0 ("ChatJS").
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

BEARER_HEADER: Final = "X-Amz-Bearer"
ERROR_TYPE_HEADER: Final = "x-amzn-ErrorType"
REQUEST_ID_HEADER: Final = "x-amzn-RequestId"


class EventType(StrEnum):
    """Content types of events, ``application/vnd.amazonaws.connect.event.…`` (model, ChatJS)."""

    TYPING = "application/vnd.amazonaws.connect.event.typing"
    MESSAGE_DELIVERED = "application/vnd.amazonaws.connect.event.message.delivered"
    MESSAGE_READ = "application/vnd.amazonaws.connect.event.message.read"
    MESSAGE_METADATA = "application/vnd.amazonaws.connect.event.message.metadata"
    CONNECTION_ACKNOWLEDGED = "application/vnd.amazonaws.connect.event.connection.acknowledged"
    PARTICIPANT_JOINED = "application/vnd.amazonaws.connect.event.participant.joined"
    PARTICIPANT_LEFT = "application/vnd.amazonaws.connect.event.participant.left"
    PARTICIPANT_INVITED = "application/vnd.amazonaws.connect.event.participant.invited"
    PARTICIPANT_ACTIVE = "application/vnd.amazonaws.connect.event.participant.active"
    PARTICIPANT_INACTIVE = "application/vnd.amazonaws.connect.event.participant.inactive"
    PARTICIPANT_IDLE = "application/vnd.amazonaws.connect.event.participant.idle"
    PARTICIPANT_RETURNED = "application/vnd.amazonaws.connect.event.participant.returned"
    PARTICIPANT_AUTODISCONNECTION = (
        "application/vnd.amazonaws.connect.event.participant.autodisconnection"
    )
    PARTICIPANT_DISPLAYNAME_UPDATED = (
        "application/vnd.amazonaws.connect.event.participant.displayname.updated"
    )
    TRANSFER_SUCCEEDED = "application/vnd.amazonaws.connect.event.transfer.succeeded"
    TRANSFER_FAILED = "application/vnd.amazonaws.connect.event.transfer.failed"
    CHAT_ENDED = "application/vnd.amazonaws.connect.event.chat.ended"
    CHAT_REHYDRATED = "application/vnd.amazonaws.connect.event.chat.rehydrated"
    AUTHENTICATION_INITIATED = "application/vnd.amazonaws.connect.event.authentication.initiated"
    AUTHENTICATION_SUCCEEDED = "application/vnd.amazonaws.connect.event.authentication.succeeded"
    AUTHENTICATION_FAILED = "application/vnd.amazonaws.connect.event.authentication.failed"
    AUTHENTICATION_TIMEOUT = "application/vnd.amazonaws.connect.event.authentication.timeout"
    AUTHENTICATION_EXPIRED = "application/vnd.amazonaws.connect.event.authentication.expired"
    AUTHENTICATION_CANCELLED = "application/vnd.amazonaws.connect.event.authentication.cancelled"
    WORKFLOW_CANCELLED = "application/vnd.amazonaws.connect.event.workflow.cancelled"


class MessageType(StrEnum):
    """Content types of messages (model). INTERACTIVE is only ever received by a customer."""

    PLAIN = "text/plain"
    MARKDOWN = "text/markdown"
    JSON = "application/json"
    INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"
    INTERACTIVE_RESPONSE = "application/vnd.amazonaws.connect.message.interactive.response"


class ItemType(StrEnum):
    """``Type`` of an item on the websocket and in the transcript (ChatJS; the model is older)."""

    MESSAGE = "MESSAGE"
    EVENT = "EVENT"
    ATTACHMENT = "ATTACHMENT"
    MESSAGE_METADATA = "MESSAGEMETADATA"


class ParticipantRole(StrEnum):
    """Who speaks (model). Flow prompts and Lex bots are SYSTEM."""

    CUSTOMER = "CUSTOMER"
    AGENT = "AGENT"
    SUPERVISOR = "SUPERVISOR"
    CUSTOM_BOT = "CUSTOM_BOT"
    SYSTEM = "SYSTEM"


class AttachmentStatus(StrEnum):
    """``Attachments[].Status`` (model): scanned, refused by the scanner, or being scanned."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    IN_PROGRESS = "IN_PROGRESS"


class MessageProcessingStatus(StrEnum):
    """``MessageMetadata.MessageProcessingStatus`` when messages are processed in flight (model)."""

    PROCESSING = "PROCESSING"
    FAILED = "FAILED"
    REJECTED = "REJECTED"


class ConnectionType(StrEnum):
    """What CreateParticipantConnection can hand out (model)."""

    WEBSOCKET = "WEBSOCKET"
    CONNECTION_CREDENTIALS = "CONNECTION_CREDENTIALS"
    WEBRTC_CONNECTION = "WEBRTC_CONNECTION"


class ScanDirection(StrEnum):
    """Which way GetTranscript walks from its start position (model)."""

    FORWARD = "FORWARD"
    BACKWARD = "BACKWARD"


class SortOrder(StrEnum):
    """Order of the items inside one page of GetTranscript (model)."""

    ASCENDING = "ASCENDING"
    DESCENDING = "DESCENDING"


class RehydrationType(StrEnum):
    """How StartChatContact finds the past chat of a persistent one (model)."""

    ENTIRE_PAST_SESSION = "ENTIRE_PAST_SESSION"
    FROM_SEGMENT = "FROM_SEGMENT"


class ResponseMode(StrEnum):
    """Whether a bot's answer may come in chunks (model)."""

    INCREMENTAL = "INCREMENTAL"
    COMPLETE = "COMPLETE"


class ContentDisposition(StrEnum):
    """How a browser should treat a downloaded attachment (model)."""

    INLINE = "INLINE"
    ATTACHMENT = "ATTACHMENT"


class Topic(StrEnum):
    """Topics of websocket frames, both directions (ChatJS)."""

    SUBSCRIBE = "aws/subscribe"
    PING = "aws/ping"
    HEARTBEAT = "aws/heartbeat"
    CHAT = "aws/chat"


class TokenKind(StrEnum):
    """Which token an operation takes in its bearer header; the other kind is answered 403."""

    PARTICIPANT = "participant"
    CONNECTION = "connection"


class Operation(StrEnum):
    """Every operation we call or serve, by the name the API reference gives it."""

    CREATE_PARTICIPANT_CONNECTION = "CreateParticipantConnection"
    SEND_MESSAGE = "SendMessage"
    SEND_EVENT = "SendEvent"
    GET_TRANSCRIPT = "GetTranscript"
    DISCONNECT_PARTICIPANT = "DisconnectParticipant"
    START_ATTACHMENT_UPLOAD = "StartAttachmentUpload"
    COMPLETE_ATTACHMENT_UPLOAD = "CompleteAttachmentUpload"
    GET_ATTACHMENT = "GetAttachment"
    DESCRIBE_VIEW = "DescribeView"
    GET_AUTHENTICATION_URL = "GetAuthenticationUrl"
    CANCEL_PARTICIPANT_AUTHENTICATION = "CancelParticipantAuthentication"
    START_CHAT_CONTACT = "StartChatContact"
    STOP_CONTACT = "StopContact"


@dataclass(frozen=True, slots=True)
class Route:
    """Where an operation of the Participant Service lives. ``path`` may hold ``{ViewToken}``."""

    method: str
    path: str
    token: TokenKind


def _post(path: str, token: TokenKind = TokenKind.CONNECTION) -> Route:
    return Route("POST", f"/participant/{path}", token)


PARTICIPANT_ROUTES: Final = MappingProxyType(
    {
        Operation.CREATE_PARTICIPANT_CONNECTION: _post("connection", TokenKind.PARTICIPANT),
        Operation.SEND_MESSAGE: _post("message"),
        Operation.SEND_EVENT: _post("event"),
        Operation.GET_TRANSCRIPT: _post("transcript"),
        Operation.DISCONNECT_PARTICIPANT: _post("disconnect"),
        Operation.START_ATTACHMENT_UPLOAD: _post("start-attachment-upload"),
        Operation.COMPLETE_ATTACHMENT_UPLOAD: _post("complete-attachment-upload"),
        Operation.GET_ATTACHMENT: _post("attachment"),
        Operation.DESCRIBE_VIEW: Route(
            "GET", "/participant/views/{ViewToken}", TokenKind.CONNECTION
        ),
        Operation.GET_AUTHENTICATION_URL: _post("authentication-url"),
        Operation.CANCEL_PARTICIPANT_AUTHENTICATION: _post("cancel-authentication"),
    }
)

# What a participant may send with SendMessage and SendEvent; anything else is 400 (model).
SENDABLE_MESSAGE_TYPES: Final = frozenset(
    {
        MessageType.PLAIN,
        MessageType.MARKDOWN,
        MessageType.JSON,
        MessageType.INTERACTIVE_RESPONSE,
    }
)
SENDABLE_EVENT_TYPES: Final = frozenset(
    {
        EventType.TYPING,
        EventType.CONNECTION_ACKNOWLEDGED,
        EventType.MESSAGE_DELIVERED,
        EventType.MESSAGE_READ,
    }
)
# Kept in the transcript; every other event is only seen by who is connected (model, GetTranscript).
KEPT_EVENT_TYPES: Final = frozenset(
    {
        EventType.PARTICIPANT_INVITED,
        EventType.PARTICIPANT_JOINED,
        EventType.PARTICIPANT_LEFT,
        EventType.CHAT_ENDED,
        EventType.TRANSFER_SUCCEEDED,
        EventType.TRANSFER_FAILED,
    }
)
RECEIPT_EVENT_TYPES: Final = frozenset({EventType.MESSAGE_DELIVERED, EventType.MESSAGE_READ})

# Sizes, in characters where nothing else is said. The service has counted bytes and characters at
# different times; which of them it is now, its answer tells.
CONTENT_MAX: Final = 16_384  # model: shape maximum of Content; guide: bytes, every message type
LEX_CONTENT_MAX: Final = 1_024  # guide: what a Lex bot takes from a customer
# The older, smaller set still printed in the model's own documentation.
CONTENT_MAX_BY_TYPE_2023: Final = MappingProxyType(
    {
        MessageType.PLAIN: 1_024,
        MessageType.MARKDOWN: 1_024,
        MessageType.JSON: 12_000,
        MessageType.INTERACTIVE_RESPONSE: 12_288,
    }
)
CONTENT_TYPE_MAX: Final = 100  # model
CLIENT_TOKEN_MAX: Final = 500  # model
BEARER_TOKEN_MAX: Final = 1_000  # model
CONTACT_ID_MAX: Final = 256  # model
NEXT_TOKEN_MAX: Final = 1_000  # model
TRANSCRIPT_MAX_RESULTS: Final = 100  # model
TRANSCRIPT_DEFAULT_RESULTS: Final = 10  # API reference
VIEW_TOKEN_MAX: Final = 1_000  # model
SESSION_ID_LENGTH: Final = 36  # model: GetAuthenticationUrl, CancelParticipantAuthentication
REDIRECT_URI_MAX: Final = 1_024  # model
AUTHENTICATION_URL_MAX: Final = 2_083  # model
PRESIGNED_URL_MAX: Final = 2_000  # model: websocket and upload URLs

# Attachments.
ATTACHMENT_ID_MAX: Final = 256  # model
ATTACHMENT_NAME_MAX: Final = 256  # model
ATTACHMENT_CONTENT_TYPE_MAX: Final = 255  # model
ATTACHMENT_MAX_BYTES: Final = 20 * 1024 * 1024  # guide: default; an administrator may set 1-100 MB
ATTACHMENTS_PER_CHAT: Final = 35  # guide
ATTACHMENT_IDS_PER_REQUEST: Final = 1  # model
ATTACHMENT_URL_EXPIRY_MIN_S: Final = 5  # model
ATTACHMENT_URL_EXPIRY_MAX_S: Final = 300  # model

# Starting a chat.
INSTANCE_ID_MAX: Final = 100  # model
CONTACT_FLOW_ID_MAX: Final = 500  # model
DISPLAY_NAME_MAX: Final = 256  # model
ATTRIBUTES_MAX_BYTES: Final = 32_768  # API reference: all keys and values together, UTF-8
CUSTOMER_ID_MAX: Final = 128  # model
CHAT_DURATION_MIN_MINUTES: Final = 60  # model
CHAT_DURATION_MAX_MINUTES: Final = 10_080  # model
CHAT_DURATION_DEFAULT_MINUTES: Final = 1_500  # API reference

# Lifetimes, seconds.
FIRST_CONNECTION_WITHIN_S: Final = 300  # API reference: CreateParticipantConnection after the start
WEBSOCKET_URL_LIFETIME_S: Final = 100  # API reference: an unused websocket URL
CONNECTION_TOKEN_LIFETIME_S: Final = 86_400  # API reference
WEBSOCKET_LIFETIME_S: Final = 3_600  # observed; ChatJS renews after 3540 s
AUTHENTICATION_URL_WITHIN_S: Final = 60  # API reference: after authentication.initiated
HEARTBEAT_INTERVAL_S: Final = 10  # ChatJS
SOCKETS_PER_PARTICIPANT: Final = 5  # guide

# File types an instance accepts unless its administrator adds more (guide), with the MIME names
# browsers and the mobile SDKs use for them.
ATTACHMENT_TYPES: Final = MappingProxyType(
    {
        "csv": ("text/csv",),
        "doc": ("application/msword",),
        "docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
        "heic": ("image/heic",),
        "jfif": ("image/jpeg",),
        "jpeg": ("image/jpeg",),
        "jpg": ("image/jpeg",),
        "mov": ("video/quicktime",),
        "mp4": ("video/mp4",),
        "pdf": ("application/pdf",),
        "png": ("image/png",),
        "ppt": ("application/vnd.ms-powerpoint",),
        "pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
        "rtf": ("application/rtf", "text/rtf"),
        "txt": ("text/plain",),
        "wav": ("audio/wav", "audio/x-wav", "audio/vnd.wave"),
        "xls": ("application/vnd.ms-excel",),
        "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    }
)
ATTACHMENT_MIME_TYPES: Final = frozenset(
    mime for names in ATTACHMENT_TYPES.values() for mime in names
)


@dataclass(frozen=True, slots=True)
class Quota:
    """A token bucket of the service: ``rate`` requests a second, ``burst`` at once."""

    rate: float
    burst: int


# Per instance, all chats together (guide). One bucket may serve two operations: SendMessage and
# SendEvent are listed as a pair, which we read as shared. Those not listed get the smallest.
PARTICIPANT_QUOTAS: Final = MappingProxyType(
    {
        Operation.CREATE_PARTICIPANT_CONNECTION: Quota(6, 9),
        Operation.SEND_MESSAGE: Quota(10, 15),
        Operation.SEND_EVENT: Quota(10, 15),
        Operation.GET_TRANSCRIPT: Quota(8, 12),
        Operation.GET_ATTACHMENT: Quota(8, 12),
        Operation.DISCONNECT_PARTICIPANT: Quota(3, 5),
        Operation.START_ATTACHMENT_UPLOAD: Quota(2, 5),
        Operation.COMPLETE_ATTACHMENT_UPLOAD: Quota(2, 5),
        Operation.DESCRIBE_VIEW: Quota(2, 5),
        Operation.GET_AUTHENTICATION_URL: Quota(2, 5),
        Operation.CANCEL_PARTICIPANT_AUTHENTICATION: Quota(2, 5),
    }
)
SHARED_BUCKETS: Final = (frozenset({Operation.SEND_MESSAGE, Operation.SEND_EVENT}),)
# Per account and region.
CONNECT_QUOTAS: Final = MappingProxyType(
    {
        Operation.START_CHAT_CONTACT: Quota(5, 8),
        Operation.STOP_CONTACT: Quota(2, 5),
    }
)
CONCURRENT_CHATS: Final = 500  # guide: per instance
