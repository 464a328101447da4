"""Each operation on the wire: what is sent, what is made of the answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chatproxy.upstream.errors import (
    ClientShutDown,
    UpstreamShapeError,
    UpstreamUnreachable,
    ValidationException,
)
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
from chatproxy.upstream.participant import ParticipantClient
from chatproxy.upstream.tokens import ConnectionToken, ParticipantToken
from chatproxy.upstream.vocabulary import (
    ConnectionType,
    ContentDisposition,
    ScanDirection,
    SortOrder,
)
from tests.unit.upstream.scripted import ScriptedServer, answer, refusal

PARTICIPANT = ParticipantToken("the-participant-token")
CONNECTION = ConnectionToken("the-connection-token")
SESSION = "11111111-2222-3333-4444-555555555555"
CONNECTED = {
    "Websocket": {"Url": "wss://x.example/y?z=1", "ConnectionExpiry": "2026-11-22T10:00:00.000Z"},
    "ConnectionCredentials": {"ConnectionToken": "ct", "Expiry": "2026-11-23T09:00:00.000Z"},
}
ACCEPTED = {"Id": "m1", "AbsoluteTime": "2026-11-22T09:00:00.123Z"}
UPLOAD = {
    "AttachmentId": "a1",
    "UploadMetadata": {
        "Url": "https://files.example/put",
        "UrlExpiry": "2026-11-22T09:05:00.000Z",
        "HeadersToInclude": {"Content-Type": "image/png"},
    },
}
ADDRESS = {
    "Url": "https://files.example/get",
    "UrlExpiry": "2026-11-22T09:05:00.000Z",
    "AttachmentSizeInBytes": 12,
}

Call = Callable[[ParticipantClient], Any]
CALLS: dict[str, tuple[Call, str, dict[str, Any], Any]] = {
    "connection": (
        lambda c: c.create_participant_connection(PARTICIPANT),
        "/participant/connection",
        {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]},
        CONNECTED,
    ),
    "message": (
        lambda c: c.send_message(CONNECTION, OutgoingMessage("text/plain", "Grüße 👋", "t1")),
        "/participant/message",
        {"ContentType": "text/plain", "Content": "Grüße 👋", "ClientToken": "t1"},
        ACCEPTED,
    ),
    "event": (
        lambda c: c.send_event(
            CONNECTION,
            OutgoingEvent(
                "application/vnd.amazonaws.connect.event.message.read", '{"messageId":"m"}', "t2"
            ),
        ),
        "/participant/event",
        {
            "ContentType": "application/vnd.amazonaws.connect.event.message.read",
            "Content": '{"messageId":"m"}',
            "ClientToken": "t2",
        },
        ACCEPTED,
    ),
    "transcript": (
        lambda c: c.get_transcript(
            CONNECTION,
            TranscriptQuery(
                contact_id="c1",
                max_results=100,
                next_token="n",
                scan_direction=ScanDirection.FORWARD,
                sort_order=SortOrder.ASCENDING,
                start_position=StartPosition(id="m1"),
            ),
        ),
        "/participant/transcript",
        {
            "ContactId": "c1",
            "MaxResults": 100,
            "NextToken": "n",
            "ScanDirection": "FORWARD",
            "SortOrder": "ASCENDING",
            "StartPosition": {"Id": "m1"},
        },
        {"InitialContactId": "c1", "Transcript": [], "NextToken": "n2"},
    ),
    "disconnect": (
        lambda c: c.disconnect_participant(CONNECTION, Disconnection("t3")),
        "/participant/disconnect",
        {"ClientToken": "t3"},
        {},
    ),
    "start upload": (
        lambda c: c.start_attachment_upload(
            CONNECTION, UploadStart("image/png", 12, "shot.png", "t4")
        ),
        "/participant/start-attachment-upload",
        {
            "ContentType": "image/png",
            "AttachmentSizeInBytes": 12,
            "AttachmentName": "shot.png",
            "ClientToken": "t4",
        },
        UPLOAD,
    ),
    "complete upload": (
        lambda c: c.complete_attachment_upload(CONNECTION, UploadCompletion(("a1",), "t5")),
        "/participant/complete-attachment-upload",
        {"AttachmentIds": ["a1"], "ClientToken": "t5"},
        {},
    ),
    "attachment": (
        lambda c: c.get_attachment(
            CONNECTION, AttachmentRequest("a1", 60, ContentDisposition.INLINE)
        ),
        "/participant/attachment",
        {"AttachmentId": "a1", "UrlExpiryInSeconds": 60, "UrlContentDisposition": "INLINE"},
        ADDRESS,
    ),
    "authentication": (
        lambda c: c.get_authentication_url(
            CONNECTION, AuthenticationUrlRequest(SESSION, "https://shop.example/back")
        ),
        "/participant/authentication-url",
        {"SessionId": SESSION, "RedirectUri": "https://shop.example/back"},
        {"AuthenticationUrl": "https://login.example/"},
    ),
    "cancel authentication": (
        lambda c: c.cancel_participant_authentication(
            CONNECTION, AuthenticationCancellation(SESSION)
        ),
        "/participant/cancel-authentication",
        {"SessionId": SESSION},
        {},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_operation_sends_what_the_model_says(
    name: str, server: ScriptedServer, client: ParticipantClient
) -> None:
    call, path, body, reply = CALLS[name]
    server.will(answer(reply))
    call(client)
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.json) == ("POST", path, body)
    token = PARTICIPANT if name == "connection" else CONNECTION
    assert asked.headers["x-amz-bearer"] == token.reveal()
    assert asked.headers["content-type"] == "application/json"


def test_connection_has_url_and_token_with_their_expiries(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(CONNECTED))
    connection = client.create_participant_connection(PARTICIPANT)
    assert connection.url.reveal() == "wss://x.example/y?z=1"
    assert connection.connection_expiry == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert connection.token == ConnectionToken("ct")
    assert connection.token_expiry == datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_connection_gives_only_what_was_asked_for(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer({"ConnectionCredentials": CONNECTED["ConnectionCredentials"]}))
    wanted = ConnectionRequest(types=(ConnectionType.CONNECTION_CREDENTIALS,))
    connection = client.create_participant_connection(PARTICIPANT, wanted)
    assert connection.token == ConnectionToken("ct")
    with pytest.raises(LookupError):
        _ = connection.url


def test_connection_without_the_token_asked_for_is_nonsense(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer({"Websocket": CONNECTED["Websocket"]}))
    with pytest.raises(UpstreamShapeError, match="ConnectionCredentials is missing"):
        client.create_participant_connection(PARTICIPANT)


def test_accepted_message_has_id_and_utc_time(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer({**ACCEPTED, "MessageMetadata": {"MessageProcessingStatus": "PROCESSING"}}))
    accepted = client.send_message(CONNECTION, OutgoingMessage("text/plain", "hi"))
    assert accepted.id == "m1"
    assert accepted.absolute_time == datetime(2026, 11, 22, 9, 0, 0, 123000, tzinfo=UTC)
    assert accepted.wire["MessageMetadata"] == {"MessageProcessingStatus": "PROCESSING"}


def test_client_token_is_sent_even_if_nobody_made_one(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(ACCEPTED))
    message = OutgoingMessage("text/plain", "hi")
    client.send_message(CONNECTION, message)
    client.send_message(CONNECTION, message)
    first, second = (asked.json["ClientToken"] for asked in server.asked)
    assert first
    assert first == second == message.client_token


def test_transcript_page_keeps_the_services_own_json(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    wire = {"Id": "m1", "Type": "MESSAGE", "Content": "hi", "FromTheFuture": [1]}
    server.will(answer({"InitialContactId": "c1", "Transcript": [wire]}))
    page = client.get_transcript(CONNECTION)
    assert [item.wire for item in page.items] == [wire]
    assert page.next_token is None
    assert server.asked[0].json == {}


def test_upload_address_has_the_headers_to_include(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(UPLOAD))
    address = client.start_attachment_upload(CONNECTION, UploadStart("image/png", 12, "a.png"))
    assert address.attachment_id == "a1"
    assert address.url == "https://files.example/put"
    assert address.headers == {"Content-Type": "image/png"}


def test_attachment_of_an_older_service_has_no_size(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer({"Url": ADDRESS["Url"], "UrlExpiry": ADDRESS["UrlExpiry"]}))
    assert client.get_attachment(CONNECTION, AttachmentRequest("a1")).size_bytes is None


def test_view_token_is_escaped_into_the_path(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer({"View": {"Id": "v1", "Name": "Form", "Content": {}}}))
    view = client.describe_view(CONNECTION, ViewRequest("a/b+c=="))
    asked = server.asked[0]
    assert (asked.method, asked.path) == ("GET", "/participant/views/a%2Fb%2Bc%3D%3D")
    assert (asked.body, view.id, view.name) == (b"", "v1", "Form")


@pytest.mark.parametrize("view_token", [".", ".."])
def test_view_token_that_would_leave_its_place_is_not_sent(
    view_token: str, server: ScriptedServer, client: ParticipantClient
) -> None:
    with pytest.raises(ValidationException):
        client.describe_view(CONNECTION, ViewRequest(view_token))
    assert server.asked == []


def test_endpoint_keeps_its_path(server: ScriptedServer) -> None:
    server.will(answer({}))
    with ParticipantClient(server.url.replace("http", "HTTP") + "/api/bff/") as client:
        client.disconnect_participant(CONNECTION)
    assert server.asked[0].path == "/api/bff/participant/disconnect"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "participant.example",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "https://x/?q=1",
        "https://x/#f",
        "https://x:port",
        "https://x:0",
        "https://exämple",
        "https://x/a b",
        "https://x\r\nX-Evil: 1",
    ],
)
def test_endpoint_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="endpoint URL"):
        ParticipantClient(url)


def test_one_connection_serves_many_calls(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer({}), refusal("ThrottlingException", 429), answer({}))
    client.disconnect_participant(CONNECTION)
    with pytest.raises(Exception, match="Throttling"):
        client.disconnect_participant(CONNECTION)
    client.disconnect_participant(CONNECTION)
    assert {asked.connection for asked in server.asked} == {1}


def test_web_proxy_of_the_environment_is_not_used(
    server: ScriptedServer, client: ParticipantClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server.will(answer({}))
    client.disconnect_participant(CONNECTION)
    assert len(server.asked) == 1


def test_cookies_are_not_kept(server: ScriptedServer, client: ParticipantClient) -> None:
    server.will(answer({}, headers={"Set-Cookie": "a=b; Path=/"}))
    client.disconnect_participant(CONNECTION)
    client.disconnect_participant(CONNECTION)
    assert "cookie" not in server.asked[1].headers


def test_metadata_of_a_call_is_found_by_its_request(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(answer(ACCEPTED))
    message, other = OutgoingMessage("text/plain", "hi"), OutgoingMessage("text/plain", "hi")
    client.send_message(CONNECTION, message)
    metadata = client.get_cached_response_metadata(message)
    assert metadata is not None
    assert (metadata.operation, metadata.request_id) == ("SendMessage", "request-1")
    assert metadata.status_code == 200
    assert 0 <= metadata.duration_s < 5
    assert client.get_cached_response_metadata(other) is None


def test_metadata_is_kept_of_refused_calls_too(
    server: ScriptedServer, client: ParticipantClient
) -> None:
    server.will(refusal("ValidationException", 400))
    request = Disconnection()
    with pytest.raises(ValidationException):
        client.disconnect_participant(CONNECTION, request)
    metadata = client.get_cached_response_metadata(request)
    assert metadata is not None
    assert metadata.status_code == 400


def test_after_shutdown_nothing_is_sent(server: ScriptedServer, client: ParticipantClient) -> None:
    server.will(answer({}))
    request = Disconnection()
    client.disconnect_participant(CONNECTION, request)
    client.shutdown()
    client.shutdown()
    with pytest.raises(ClientShutDown, match="has been shut down") as caught:
        client.disconnect_participant(CONNECTION, request)
    assert isinstance(caught.value, UpstreamUnreachable)
    assert not caught.value.retryable
    assert client.get_cached_response_metadata(request) is None
    assert len(server.asked) == 1
