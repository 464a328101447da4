"""What can be asked of the service: one frozen class per operation, with the model's bounds.

The same classes serve both sides. Our client sends their ``body()``; our own doors read a browser's
body with ``from_wire`` and refuse locally, in the service's words, what it would refuse anyway.
A ``client_token`` is made when none is given, so that every call that changes something can be
repeated safely.

Source of names and bounds: service models connectparticipant 2018-09-07 and connect 2017-08-08.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from chatproxy.upstream.fields import (
    Check,
    Request,
    boolean,
    integer,
    list_of,
    one_of,
    text,
    wire,
)
from chatproxy.upstream.vocabulary import (
    ATTACHMENT_CONTENT_TYPE_MAX,
    ATTACHMENT_ID_MAX,
    ATTACHMENT_IDS_PER_REQUEST,
    ATTACHMENT_NAME_MAX,
    ATTACHMENT_URL_EXPIRY_MAX_S,
    ATTACHMENT_URL_EXPIRY_MIN_S,
    CLIENT_TOKEN_MAX,
    CONTACT_ID_MAX,
    CONTENT_MAX,
    NEXT_TOKEN_MAX,
    RECEIPT_EVENT_TYPES,
    REDIRECT_URI_MAX,
    SENDABLE_EVENT_TYPES,
    SENDABLE_MESSAGE_TYPES,
    SESSION_ID_LENGTH,
    TRANSCRIPT_MAX_RESULTS,
    VIEW_TOKEN_MAX,
    ConnectionType,
    ContentDisposition,
    Operation,
    ScanDirection,
    SortOrder,
)


def new_client_token() -> str:
    """A fresh idempotency key."""
    return str(uuid4())


def client_token(least: int = 0) -> Any:
    """The field every changing request has. Where the model allows an empty one, it is as none."""
    return wire(
        "ClientToken",
        text(least, CLIENT_TOKEN_MAX),
        default_factory=new_client_token,
        read=lambda given: given or new_client_token(),
    )


@dataclass(frozen=True, slots=True)
class ConnectionRequest(Request):
    """CreateParticipantConnection: what is asked for, which may be nothing but to be connected."""

    operation: ClassVar[Operation] = Operation.CREATE_PARTICIPANT_CONNECTION

    types: tuple[ConnectionType, ...] | None = wire(
        "Type",
        list_of(one_of(ConnectionType), 1),
        default=None,
        read=lambda names: tuple(ConnectionType(name) for name in names),
        write=list,
    )
    connect_participant: bool | None = wire("ConnectParticipant", boolean, default=None)


@dataclass(frozen=True, slots=True)
class OutgoingMessage(Request):
    """SendMessage. ``content`` is characters; an interactive response is a JSON string."""

    operation: ClassVar[Operation] = Operation.SEND_MESSAGE

    content_type: str = wire("ContentType", one_of(SENDABLE_MESSAGE_TYPES))
    # Characters: whether bytes count too is for the service to say; it has changed its mind once.
    content: str = wire("Content", text(1, CONTENT_MAX), show=False)
    client_token: str = client_token()


@dataclass(frozen=True, slots=True)
class OutgoingEvent(Request):
    """SendEvent: typing, or a receipt whose ``content`` is a JSON string with a ``messageId``."""

    operation: ClassVar[Operation] = Operation.SEND_EVENT

    content_type: str = wire("ContentType", one_of(SENDABLE_EVENT_TYPES))
    content: str | None = wire("Content", text(1, CONTENT_MAX), default=None, show=False)
    client_token: str = client_token()

    def more_complaints(self) -> list[str]:
        """A receipt has to name its message."""
        if self.content_type in RECEIPT_EVENT_TYPES and self.content is None:
            return ["Content is required for a receipt: a JSON string with a messageId."]
        return []


@dataclass(frozen=True, slots=True)
class StartPosition:
    """Where GetTranscript begins; at most one member is set. Empty means: at the newest item."""

    id: str | None = None
    absolute_time: str | None = None
    most_recent: int | None = None

    @property
    def is_empty(self) -> bool:
        """No member is set, which is how ChatJS says "none"."""
        return self.id is None and self.absolute_time is None and self.most_recent is None


_POSITION_CHECKS: Mapping[str, Check] = {
    "Id": text(1, 256),
    "AbsoluteTime": text(1, 100),
    "MostRecent": integer(0, 100),
}


def _position(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be an object"
    given = {name: value[name] for name in _POSITION_CHECKS if value.get(name) is not None}
    if len(given) > 1:
        return f"may hold only one of {', '.join(given)}"
    for name, content in given.items():
        if complaint := _POSITION_CHECKS[name](content):
            return f"has a wrong {name}, which {complaint}"
    return None


def _read_position(value: Mapping[str, Any]) -> StartPosition:
    return StartPosition(value.get("Id"), value.get("AbsoluteTime"), value.get("MostRecent"))


def _write_position(position: StartPosition) -> dict[str, Any]:
    members = {
        "Id": position.id,
        "AbsoluteTime": position.absolute_time,
        "MostRecent": position.most_recent,
    }
    return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True, slots=True)
class TranscriptQuery(Request):
    """GetTranscript. Left out, the service scans BACKWARD from the newest item, 10 at a time."""

    operation: ClassVar[Operation] = Operation.GET_TRANSCRIPT

    contact_id: str | None = wire("ContactId", text(1, CONTACT_ID_MAX), default=None)
    max_results: int | None = wire("MaxResults", integer(0, TRANSCRIPT_MAX_RESULTS), default=None)
    next_token: str | None = wire("NextToken", text(1, NEXT_TOKEN_MAX), default=None, show=False)
    scan_direction: ScanDirection | None = wire(
        "ScanDirection", one_of(ScanDirection), default=None, read=ScanDirection
    )
    sort_order: SortOrder | None = wire(
        "SortOrder", one_of(SortOrder), default=None, read=SortOrder
    )
    start_position: StartPosition | None = wire(
        "StartPosition", _position, default=None, read=_read_position, write=_write_position
    )


@dataclass(frozen=True, slots=True)
class Disconnection(Request):
    """DisconnectParticipant: the customer leaves."""

    operation: ClassVar[Operation] = Operation.DISCONNECT_PARTICIPANT

    client_token: str = client_token()


@dataclass(frozen=True, slots=True)
class UploadStart(Request):
    """StartAttachmentUpload: asks where one file may be put."""

    operation: ClassVar[Operation] = Operation.START_ATTACHMENT_UPLOAD

    content_type: str = wire("ContentType", text(1, ATTACHMENT_CONTENT_TYPE_MAX))
    size_bytes: int = wire("AttachmentSizeInBytes", integer(1))
    name: str = wire("AttachmentName", text(1, ATTACHMENT_NAME_MAX), show=False)
    client_token: str = client_token(least=1)


@dataclass(frozen=True, slots=True)
class UploadCompletion(Request):
    """CompleteAttachmentUpload: the file is there, show it to everybody. Exactly one id."""

    operation: ClassVar[Operation] = Operation.COMPLETE_ATTACHMENT_UPLOAD

    attachment_ids: tuple[str, ...] = wire(
        "AttachmentIds",
        list_of(text(1, ATTACHMENT_ID_MAX), ATTACHMENT_IDS_PER_REQUEST, ATTACHMENT_IDS_PER_REQUEST),
        read=tuple,
        write=list,
    )
    client_token: str = client_token(least=1)


@dataclass(frozen=True, slots=True)
class AttachmentRequest(Request):
    """GetAttachment: a short-lived address to download one file from."""

    operation: ClassVar[Operation] = Operation.GET_ATTACHMENT

    attachment_id: str = wire("AttachmentId", text(1, ATTACHMENT_ID_MAX))
    url_expiry_s: int | None = wire(
        "UrlExpiryInSeconds",
        integer(ATTACHMENT_URL_EXPIRY_MIN_S, ATTACHMENT_URL_EXPIRY_MAX_S),
        default=None,
    )
    disposition: ContentDisposition | None = wire(
        "UrlContentDisposition",
        one_of(ContentDisposition),
        default=None,
        read=ContentDisposition,
    )


@dataclass(frozen=True, slots=True)
class ViewRequest(Request):
    """DescribeView. The token travels in the path, so ``body()`` is only for validation."""

    operation: ClassVar[Operation] = Operation.DESCRIBE_VIEW

    view_token: str = wire("ViewToken", text(1, VIEW_TOKEN_MAX), show=False)

    def more_complaints(self) -> list[str]:
        """A path of dots would lead to another operation."""
        return ["ViewToken is not a token."] if self.view_token in {".", ".."} else []


@dataclass(frozen=True, slots=True)
class AuthenticationUrlRequest(Request):
    """GetAuthenticationUrl; valid within a minute of ``authentication.initiated``."""

    operation: ClassVar[Operation] = Operation.GET_AUTHENTICATION_URL

    session_id: str = wire("SessionId", text(SESSION_ID_LENGTH, SESSION_ID_LENGTH))
    redirect_uri: str = wire("RedirectUri", text(1, REDIRECT_URI_MAX), show=False)


@dataclass(frozen=True, slots=True)
class AuthenticationCancellation(Request):
    """CancelParticipantAuthentication: the flow goes on as if the customer had declined."""

    operation: ClassVar[Operation] = Operation.CANCEL_PARTICIPANT_AUTHENTICATION

    session_id: str = wire("SessionId", text(SESSION_ID_LENGTH, SESSION_ID_LENGTH))
