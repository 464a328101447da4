"""Requests: refused here in the service's words, before they cost a call."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.fields import Request
from chatproxy.upstream.inputs import (
    AttachmentRequest,
    AuthenticationCancellation,
    AuthenticationUrlRequest,
    ConnectionRequest,
    Disconnection,
    OutgoingEvent,
    OutgoingMessage,
    StartPosition,
    TranscriptQuery,
    UploadCompletion,
    UploadStart,
    ViewRequest,
)
from chatproxy.upstream.starting import ChatStart
from chatproxy.upstream.vocabulary import ConnectionType, EventType, ScanDirection

READ = EventType.MESSAGE_READ.value
MESSAGE = {"ContentType": "text/plain", "Content": "hi"}
UPLOAD = {
    "ContentType": "image/png",
    "AttachmentSizeInBytes": 1,
    "AttachmentName": "a.png",
    "ClientToken": "t",
}
START = {"InstanceId": "i", "ContactFlowId": "f", "ParticipantDetails": {"DisplayName": "Ann"}}
SESSION = {"SessionId": "1" * 36}

REFUSED: list[tuple[type[Request], Any, str]] = [
    (OutgoingMessage, [], "The request body must be a JSON object."),
    (OutgoingMessage, {}, "ContentType is required. Content is required."),
    (OutgoingMessage, {**MESSAGE, "Content": None}, "Content is required."),
    (OutgoingMessage, {**MESSAGE, "Content": 5}, "Content must be a string."),
    (
        OutgoingMessage,
        {**MESSAGE, "Content": ""},
        "Content must be 1 to 16384 characters long; it has 0.",
    ),
    (
        OutgoingMessage,
        {**MESSAGE, "Content": "x" * 16385},
        "Content must be 1 to 16384 characters long; it has 16385.",
    ),
    (
        OutgoingMessage,
        {**MESSAGE, "Content": "\ud83d"},
        "Content holds half of a surrogate pair, which is not text.",
    ),
    (
        OutgoingMessage,
        {**MESSAGE, "ContentType": "text/html"},
        "ContentType must be one of application/json, "
        "application/vnd.amazonaws.connect.message.interactive.response, text/markdown, "
        "text/plain.",
    ),
    (
        OutgoingMessage,
        {**MESSAGE, "ClientToken": "x" * 501},
        "ClientToken must be 0 to 500 characters long; it has 501.",
    ),
    (
        OutgoingEvent,
        {"ContentType": READ},
        "Content is required for a receipt: a JSON string with a messageId.",
    ),
    (
        OutgoingEvent,
        {"ContentType": READ, "Content": {"messageId": "m"}},
        "Content must be a string.",
    ),
    (ConnectionRequest, {"Type": []}, "Type must hold at least 1 values; it holds 0."),
    (
        ConnectionRequest,
        {"Type": ["WEBSOCKET", "X"]},
        "Type holds a value that must be one of CONNECTION_CREDENTIALS, WEBRTC_CONNECTION, "
        "WEBSOCKET.",
    ),
    (ConnectionRequest, {"ConnectParticipant": 1}, "ConnectParticipant must be true or false."),
    (TranscriptQuery, {"MaxResults": 101}, "MaxResults must be from 0 to 100."),
    (TranscriptQuery, {"MaxResults": True}, "MaxResults must be a whole number."),
    (TranscriptQuery, {"MaxResults": "10"}, "MaxResults must be a whole number."),
    (
        TranscriptQuery,
        {"ScanDirection": "UP"},
        "ScanDirection must be one of BACKWARD, FORWARD.",
    ),
    (TranscriptQuery, {"StartPosition": "m1"}, "StartPosition must be an object."),
    (
        TranscriptQuery,
        {"StartPosition": {"Id": "m1", "MostRecent": 5}},
        "StartPosition may hold only one of Id, MostRecent.",
    ),
    (
        TranscriptQuery,
        {"StartPosition": {"MostRecent": 500}},
        "StartPosition has a wrong MostRecent, which must be from 0 to 100.",
    ),
    (
        UploadStart,
        {**UPLOAD, "AttachmentSizeInBytes": 0},
        "AttachmentSizeInBytes must be at least 1.",
    ),
    (
        UploadStart,
        {**UPLOAD, "ClientToken": ""},
        "ClientToken must be 1 to 500 characters long; it has 0.",
    ),
    (
        UploadCompletion,
        {"AttachmentIds": ["a", "b"], "ClientToken": "t"},
        "AttachmentIds must hold exactly 1 values; it holds 2.",
    ),
    (
        AttachmentRequest,
        {"AttachmentId": "a", "UrlExpiryInSeconds": 301},
        "UrlExpiryInSeconds must be from 5 to 300.",
    ),
    (ViewRequest, {"ViewToken": ".."}, "ViewToken is not a token."),
    (
        AuthenticationCancellation,
        {"SessionId": "short"},
        "SessionId must be exactly 36 characters long; it has 5.",
    ),
    (
        AuthenticationUrlRequest,
        {**SESSION, "RedirectUri": ""},
        "RedirectUri must be 1 to 1024 characters long; it has 0.",
    ),
    (ChatStart, {**START, "ParticipantDetails": {}}, "ParticipantDetails has a DisplayName that"),
    (ChatStart, {**START, "Attributes": {"a b": "c"}}, "Attributes may only have names made of"),
    (ChatStart, {**START, "Attributes": {"a": 5}}, "Attributes must map names to strings."),
    (
        ChatStart,
        {**START, "Attributes": {"a": "ü" * 16384}},
        "Attributes must be at most 32768 bytes",
    ),
    (
        ChatStart,
        {**START, "ChatDurationInMinutes": 30},
        "ChatDurationInMinutes must be from 60 to 10080.",
    ),
    (
        ChatStart,
        {**START, "SupportedMessagingContentTypes": ["text/markdown"]},
        "SupportedMessagingContentTypes must include text/plain.",
    ),
    (
        ChatStart,
        {
            **START,
            "PersistentChat": {"SourceContactId": "c", "RehydrationType": "FROM_SEGMENT"},
            "RelatedContactId": "r",
        },
        "PersistentChat and RelatedContactId exclude each other.",
    ),
    (
        ChatStart,
        {**START, "PersistentChat": {"SourceContactId": "c"}},
        "PersistentChat has a RehydrationType that must be one of ENTIRE_PAST_SESSION",
    ),
    (
        ChatStart,
        {**START, "InitialMessage": {"Content": "", "ContentType": "text/plain"}},
        "InitialMessage has a Content that must be 1 to 16384 characters",
    ),
]


@pytest.mark.parametrize(("kind", "body", "sentence"), REFUSED)
def test_body_is_refused_in_a_sentence(kind: type[Request], body: Any, sentence: str) -> None:
    with pytest.raises(ValidationException) as caught:
        kind.from_wire(body)
    assert caught.value.message.startswith(sentence)
    assert caught.value.status_code == 400
    assert caught.value.operation == kind.operation
    assert caught.value.request_id is None


ACCEPTED: list[tuple[type[Request], dict[str, Any]]] = [
    (OutgoingMessage, {**MESSAGE, "ClientToken": "t"}),
    (OutgoingMessage, {**MESSAGE, "Content": "x" * 16384, "ClientToken": "t"}),
    # Bytes are the service's to count: it has changed its mind about them once.
    (OutgoingMessage, {**MESSAGE, "Content": "👋" * 16384, "ClientToken": "t"}),
    (OutgoingEvent, {"ContentType": EventType.TYPING.value, "ClientToken": "t"}),
    (OutgoingEvent, {"ContentType": READ, "Content": '{"messageId":"m"}', "ClientToken": "t"}),
    (ConnectionRequest, {"Type": ["WEBSOCKET"], "ConnectParticipant": True}),
    (ConnectionRequest, {}),
    (TranscriptQuery, {}),
    (TranscriptQuery, {"MaxResults": 0, "StartPosition": {"MostRecent": 0}}),
    (TranscriptQuery, {"StartPosition": {}, "SortOrder": "DESCENDING"}),
    (Disconnection, {"ClientToken": "t"}),
    (UploadStart, UPLOAD),
    (UploadCompletion, {"AttachmentIds": ["a"], "ClientToken": "t"}),
    (AttachmentRequest, {"AttachmentId": "a", "UrlExpiryInSeconds": 5}),
    (ViewRequest, {"ViewToken": "a/b.."}),
    (AuthenticationUrlRequest, {**SESSION, "RedirectUri": "https://x"}),
    (AuthenticationCancellation, SESSION),
    (
        ChatStart,
        {
            **START,
            "Attributes": {"order-id_1": "7"},
            "InitialMessage": {"ContentType": "text/markdown", "Content": "**hi**"},
            "SupportedMessagingContentTypes": ["text/plain", "text/markdown"],
            "ChatDurationInMinutes": 60,
            "PersistentChat": {"SourceContactId": "c", "RehydrationType": "FROM_SEGMENT"},
            "CustomerId": "7",
            "ParticipantConfiguration": {"ResponseMode": "INCREMENTAL"},
            "DisconnectOnCustomerExit": ["AGENT"],
            "ClientToken": "t",
        },
    ),
]


@pytest.mark.parametrize(("kind", "body"), ACCEPTED)
def test_what_is_read_is_written_again(kind: type[Request], body: dict[str, Any]) -> None:
    request = kind.from_wire(body)
    assert request.body() == body
    assert request.validate() is request


def test_members_nobody_knows_are_ignored() -> None:
    assert OutgoingMessage.from_wire({**MESSAGE, "FromTheFuture": {}}).content == "hi"


@pytest.mark.parametrize("given", [{}, {"ClientToken": ""}, {"ClientToken": None}])
def test_missing_client_token_is_made(given: dict[str, Any]) -> None:
    made = [OutgoingMessage.from_wire({**MESSAGE, **given}).client_token for _ in range(2)]
    assert all(made)
    assert made[0] != made[1]


def test_nothing_asked_for_stays_nothing() -> None:
    """``{"ConnectParticipant":true}`` alone is answered ``{}``."""
    assert ConnectionRequest.from_wire({"ConnectParticipant": True}).types is None


def test_words_are_read_as_enums() -> None:
    query = TranscriptQuery.from_wire({"ScanDirection": "FORWARD", "StartPosition": {"Id": "m"}})
    assert query.scan_direction is ScanDirection.FORWARD
    assert query.start_position == StartPosition(id="m")
    connection = ConnectionRequest.from_wire({"Type": ["WEBSOCKET"]})
    assert connection.types == (ConnectionType.WEBSOCKET,)


def test_empty_start_position_is_none() -> None:
    position = TranscriptQuery.from_wire({"StartPosition": {}}).start_position
    assert position is not None
    assert position.is_empty


def test_what_people_write_is_not_in_repr() -> None:
    secret = "what the customer wrote"
    requests: list[Request] = [
        OutgoingMessage("text/plain", secret),
        OutgoingEvent(READ, secret),
        UploadStart("image/png", 1, secret),
        ViewRequest(secret),
        ChatStart("i", "f", secret, {"name": secret}, customer_id=secret),
    ]
    assert all(secret not in repr(request) for request in requests)


@pytest.mark.parametrize(
    "make",
    [
        lambda: OutgoingMessage("text/html", "x").validate(),
        lambda: AttachmentRequest("a", 1).validate(),
        lambda: TranscriptQuery(start_position=StartPosition("m", most_recent=1)).validate(),
        lambda: ChatStart("i", "f", "n", supported_content_types=("text/markdown",)).validate(),
    ],
)
def test_request_made_in_code_can_be_checked_too(make: Callable[[], Request]) -> None:
    with pytest.raises(ValidationException):
        make()


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)
KINDS = sorted({kind for kind, _ in ACCEPTED}, key=lambda kind: kind.__name__)


@given(st.data())
def test_any_json_is_read_or_refused(data: st.DataObject) -> None:
    kind, good = data.draw(st.sampled_from(ACCEPTED))
    replaced = data.draw(st.dictionaries(st.sampled_from([*good, "Content", "Type"]), json_values))
    with contextlib.suppress(ValidationException):
        kind.from_wire({**good, **replaced})
