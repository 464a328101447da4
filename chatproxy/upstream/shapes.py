"""What the service answers, as types: items, connections, addresses, pages.

Each class has a ``parse`` that takes decoded JSON and either returns a whole value or raises
`BadShape`, which the client turns into `UpstreamShapeError`; nothing half-read gets further.
Members we do not know stay in ``wire``, the service's own JSON, which travels on to browsers.
Tokens and websocket URLs are the secrets of ``tokens.py`` and appear in no ``wire``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self, TypeVar

from chatproxy.upstream.items import Item
from chatproxy.upstream.reading import BadShape, Json, member, parse_time, web_address, wire_time
from chatproxy.upstream.tokens import ConnectionToken, ParticipantToken, Secret, WebsocketUrl

__all__ = [
    "Accepted",
    "AttachmentAddress",
    "AuthenticationAddress",
    "BadShape",
    "Connection",
    "ConnectionCredentials",
    "ConnectionToken",
    "Item",
    "ParticipantToken",
    "StartedChat",
    "TranscriptPage",
    "UploadAddress",
    "View",
    "Websocket",
    "WebsocketUrl",
    "parse_time",
    "wire_time",
]

S = TypeVar("S", bound=Secret)
P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Websocket:
    """Where to dial, within 100 s, and until when the socket may live."""

    url: WebsocketUrl
    connection_expiry: datetime


@dataclass(frozen=True, slots=True)
class ConnectionCredentials:
    """The token for the other operations, and until when it is good."""

    token: ConnectionToken
    expiry: datetime


@dataclass(frozen=True, slots=True)
class Connection:
    """CreateParticipantConnection's answer; only what was asked for is there.

    The four properties are for callers who did ask; they raise `LookupError` otherwise.
    """

    websocket: Websocket | None = None
    credentials: ConnectionCredentials | None = None

    @property
    def url(self) -> WebsocketUrl:
        """Where to dial, once."""
        return _asked_for(self.websocket).url

    @property
    def connection_expiry(self) -> datetime:
        """Until when the socket may live."""
        return _asked_for(self.websocket).connection_expiry

    @property
    def token(self) -> ConnectionToken:
        """What the other ten operations take."""
        return _asked_for(self.credentials).token

    @property
    def token_expiry(self) -> datetime:
        """Until when the token is good, unless the chat ends before."""
        return _asked_for(self.credentials).expiry

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON."""
        socket = body.get("Websocket")
        credentials = body.get("ConnectionCredentials")
        return cls(
            _websocket(socket) if socket is not None else None,
            _credentials(credentials) if credentials is not None else None,
        )


def _asked_for(part: P | None) -> P:
    if part is None:
        raise LookupError("this part of the connection was not asked for")
    return part


def _websocket(body: Json) -> Websocket:
    url = _secret(WebsocketUrl, member(body, "Url", str))
    if url.scheme not in {"ws", "wss"} or not url.host:
        raise BadShape("Websocket.Url is not a websocket address")
    return Websocket(url, parse_time(member(body, "ConnectionExpiry", str)))


def _credentials(body: Json) -> ConnectionCredentials:
    token = _secret(ConnectionToken, member(body, "ConnectionToken", str))
    return ConnectionCredentials(token, parse_time(member(body, "Expiry", str)))


def _secret(kind: type[S], value: str) -> S:
    try:
        return kind(value)
    except ValueError as err:
        raise BadShape(str(err)) from None


@dataclass(frozen=True, slots=True)
class Accepted:
    """SendMessage's and SendEvent's answer: the item's id and when the service took it."""

    id: str
    absolute_time: datetime
    wire: Json = field(repr=False)

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON."""
        return cls(member(body, "Id", str), parse_time(member(body, "AbsoluteTime", str)), body)


@dataclass(frozen=True, slots=True)
class TranscriptPage:
    """GetTranscript's answer. ``next_token`` is None on the last page."""

    initial_contact_id: str
    items: tuple[Item, ...]
    next_token: str | None = field(repr=False)

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON; an entry that is no object is an error, not skipped."""
        next_token = body.get("NextToken")
        if next_token is not None and not isinstance(next_token, str):
            raise BadShape("NextToken is not a str")
        items = tuple(map(Item.parse, member(body, "Transcript", list)))
        return cls(member(body, "InitialContactId", str), items, next_token or None)


@dataclass(frozen=True, slots=True)
class UploadAddress:
    """StartAttachmentUpload's answer: PUT the bytes to ``url`` with exactly these headers."""

    attachment_id: str
    url: str = field(repr=False)
    url_expiry: datetime
    headers: Mapping[str, str] = field(repr=False)
    wire: Json = field(repr=False)

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON."""
        metadata = member(body, "UploadMetadata", dict)
        headers = metadata.get("HeadersToInclude") or {}
        if not isinstance(headers, dict) or not all(isinstance(v, str) for v in headers.values()):
            raise BadShape("HeadersToInclude is not a map of strings")
        return cls(
            member(body, "AttachmentId", str),
            web_address(metadata, "Url"),
            parse_time(member(metadata, "UrlExpiry", str)),
            headers,
            body,
        )


@dataclass(frozen=True, slots=True)
class AttachmentAddress:
    """GetAttachment's answer: where one file can be read for a short time."""

    url: str = field(repr=False)
    url_expiry: datetime
    size_bytes: int | None
    wire: Json = field(repr=False)

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON; older services leave the size out."""
        size = body.get("AttachmentSizeInBytes")
        size_bytes = None if size is None else member(body, "AttachmentSizeInBytes", int)
        expiry = parse_time(member(body, "UrlExpiry", str))
        return cls(web_address(body, "Url"), expiry, size_bytes, body)


@dataclass(frozen=True, slots=True)
class View:
    """DescribeView's answer; ``wire`` is the whole of it, ``{"View": …}``."""

    id: str
    name: str
    wire: Json = field(repr=False)

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON."""
        view = member(body, "View", dict)
        return cls(member(view, "Id", str), view.get("Name") or "", body)


@dataclass(frozen=True, slots=True)
class AuthenticationAddress:
    """GetAuthenticationUrl's answer: where the customer signs in."""

    url: str = field(repr=False)
    wire: Json = field(repr=False)

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON."""
        return cls(web_address(body, "AuthenticationUrl"), body)


@dataclass(frozen=True, slots=True)
class StartedChat:
    """StartChatContact's answer. ``continued_from_contact_id``: persistent chats only."""

    contact_id: str
    participant_id: str
    participant_token: ParticipantToken
    continued_from_contact_id: str | None = None

    @classmethod
    def parse(cls, body: Json) -> Self:
        """From the answer's JSON."""
        return cls(
            member(body, "ContactId", str),
            member(body, "ParticipantId", str),
            _secret(ParticipantToken, member(body, "ParticipantToken", str)),
            body.get("ContinuedFromContactId") or None,
        )
