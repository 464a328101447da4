"""Every operation refuses what it must, in the service's error shape; preflights are answered."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.contract.ground import TYPING, Chat, Ground, assert_refused, differs

SESSION_ID = "11111111-2222-4333-8444-555555555555"


@dataclass(frozen=True)
class Operation:
    """A call that is well-formed, and ways to spoil it."""

    path: str
    body: dict[str, Any] = field(default_factory=dict)
    takes_participant_token: bool = False

    def right_token(self, chat: Chat) -> str:
        return chat.started.participant_token if self.takes_participant_token else chat.token

    def wrong_token(self, chat: Chat) -> str:
        return chat.token if self.takes_participant_token else chat.started.participant_token


UPLOAD = {
    "ContentType": "text/plain",
    "AttachmentSizeInBytes": 1,
    "AttachmentName": "a.txt",
    "ClientToken": "t",
}
OPERATIONS = {
    "CreateParticipantConnection": Operation("connection", {"Type": ["WEBSOCKET"]}, True),
    "SendMessage": Operation("message", {"ContentType": "text/plain", "Content": "x"}),
    "SendEvent": Operation("event", {"ContentType": TYPING}),
    "GetTranscript": Operation("transcript"),
    "DisconnectParticipant": Operation("disconnect"),
    "StartAttachmentUpload": Operation("start-attachment-upload", UPLOAD),
    "CompleteAttachmentUpload": Operation(
        "complete-attachment-upload", {"AttachmentIds": ["x"], "ClientToken": "t"}
    ),
    "GetAttachment": Operation("attachment", {"AttachmentId": "x"}),
    "GetAuthenticationUrl": Operation(
        "authentication-url", {"SessionId": SESSION_ID, "RedirectUri": "https://shop.example/"}
    ),
    "CancelParticipantAuthentication": Operation(
        "cancel-authentication", {"SessionId": SESSION_ID}
    ),
}
WE_MAKE_IT = differs("proxy", "a ClientToken the client left out is made by the proxy")
each_operation = pytest.mark.parametrize("name", OPERATIONS)


@pytest.fixture
def chat(ground: Ground) -> Chat:
    chat = ground.start()
    chat.connect()
    return chat


@each_operation
def test_an_operation_without_its_token_is_denied(chat: Chat, name: str) -> None:
    operation = OPERATIONS[name]
    for token in ("", "made-up", "x" * 1001, operation.wrong_token(chat)):
        answer = chat.post(operation.path, operation.body, token)
        assert_refused(answer, 403, "AccessDeniedException")


@each_operation
def test_an_operation_refuses_a_body_that_is_no_json_object(chat: Chat, name: str) -> None:
    operation = OPERATIONS[name]
    for body in ("{", "[]", '"text"', "1", "\xff", "[" * 100_000):
        answer = chat.post(operation.path, body.encode("latin-1"), operation.right_token(chat))
        assert_refused(answer, 400, "ValidationException")


@pytest.mark.parametrize(
    ("name", "spoilt"),
    [
        ("CreateParticipantConnection", {"Type": []}),
        ("CreateParticipantConnection", {"Type": ["SMOKE_SIGNAL"]}),
        ("CreateParticipantConnection", {"Type": "WEBSOCKET"}),
        ("CreateParticipantConnection", {"Type": ["WEBRTC_CONNECTION"]}),
        ("CreateParticipantConnection", {"ConnectParticipant": "yes"}),
        ("SendMessage", {"Content": None}),
        ("SendMessage", {"Content": ""}),
        ("SendMessage", {"Content": 5}),
        ("SendMessage", {"Content": "x" * 16_385}),
        ("SendMessage", {"Content": "é" * 8_193}),
        ("SendMessage", {"ContentType": None}),
        ("SendMessage", {"ContentType": ""}),
        ("SendMessage", {"ContentType": "x" * 101}),
        ("SendMessage", {"ContentType": "text/html"}),
        ("SendMessage", {"ClientToken": "x" * 501}),
        ("SendEvent", {"ContentType": None}),
        ("SendEvent", {"ContentType": TYPING, "Content": ""}),
        ("SendEvent", {"ContentType": TYPING, "ClientToken": "x" * 501}),
        ("SendEvent", {"ContentType": TYPING, "Content": {"an": "object"}}),
        ("GetTranscript", {"ContactId": ""}),
        ("GetTranscript", {"ContactId": "x" * 257}),
        ("GetTranscript", {"ContactId": "somebody-elses"}),
        ("GetTranscript", {"MaxResults": -1}),
        ("GetTranscript", {"MaxResults": 101}),
        ("GetTranscript", {"MaxResults": "10"}),
        ("GetTranscript", {"MaxResults": True}),
        ("GetTranscript", {"MaxResults": 1.5}),
        ("GetTranscript", {"NextToken": "x" * 1001}),
        ("GetTranscript", {"NextToken": "made-up"}),
        ("GetTranscript", {"ScanDirection": "SIDEWAYS"}),
        ("GetTranscript", {"SortOrder": "RANDOM"}),
        ("GetTranscript", {"StartPosition": []}),
        ("GetTranscript", {"StartPosition": {"MostRecent": 101}}),
        ("GetTranscript", {"StartPosition": {"Id": ""}}),
        ("GetTranscript", {"StartPosition": {"Id": "made-up"}}),
        ("GetTranscript", {"StartPosition": {"AbsoluteTime": "yesterday"}}),
        ("GetTranscript", {"StartPosition": {"MostRecent": 1, "Id": "x"}}),
        ("DisconnectParticipant", {"ClientToken": "x" * 501}),
        ("StartAttachmentUpload", {"ContentType": None}),
        ("StartAttachmentUpload", {"AttachmentSizeInBytes": 0}),
        ("StartAttachmentUpload", {"AttachmentSizeInBytes": "1"}),
        ("StartAttachmentUpload", {"AttachmentName": ""}),
        ("StartAttachmentUpload", {"AttachmentName": "x" * 257}),
        pytest.param("StartAttachmentUpload", {"ClientToken": None}, marks=WE_MAKE_IT),
        ("StartAttachmentUpload", {"ClientToken": ""}),
        ("CompleteAttachmentUpload", {"AttachmentIds": []}),
        ("CompleteAttachmentUpload", {"AttachmentIds": ["x", "y"]}),
        ("CompleteAttachmentUpload", {"AttachmentIds": ["made-up"]}),
        pytest.param("CompleteAttachmentUpload", {"ClientToken": None}, marks=WE_MAKE_IT),
        ("GetAttachment", {"AttachmentId": None}),
        ("GetAttachment", {"AttachmentId": "x" * 257}),
        ("GetAttachment", {"AttachmentId": "made-up"}),
        ("GetAttachment", {"UrlExpiryInSeconds": 4}),
        ("GetAttachment", {"UrlExpiryInSeconds": 301}),
        ("GetAuthenticationUrl", {"SessionId": "short"}),
        ("GetAuthenticationUrl", {"SessionId": SESSION_ID}),
        ("GetAuthenticationUrl", {"RedirectUri": None}),
        ("GetAuthenticationUrl", {"RedirectUri": "https://shop.example/" + "x" * 1024}),
        ("CancelParticipantAuthentication", {"SessionId": None}),
        ("CancelParticipantAuthentication", {"SessionId": SESSION_ID}),
    ],
)
def test_a_spoilt_member_is_a_validation_error(
    chat: Chat, name: str, spoilt: dict[str, Any]
) -> None:
    operation = OPERATIONS[name]
    body = {key: value for key, value in (operation.body | spoilt).items() if value is not None}
    answer = chat.post(operation.path, body, operation.right_token(chat))
    assert_refused(answer, 400, "ValidationException")


@each_operation
def test_null_and_unknown_members_are_passed_over(chat: Chat, name: str) -> None:
    operation = OPERATIONS[name]
    optional = {"ClientToken": None} if "ClientToken" not in operation.body else {}
    more = optional | {"SomethingNewer": {"nested": [1]}}
    plain = chat.post(operation.path, operation.body, operation.right_token(chat))
    token = chat.started.participant_token if operation.takes_participant_token else chat.token
    if name == "DisconnectParticipant":
        assert plain.status_code == 200
        return  # it works once
    answer = chat.post(operation.path, operation.body | more, token)
    assert answer.status_code == plain.status_code


def test_half_a_surrogate_pair_is_no_text(chat: Chat) -> None:
    body = r'{"ContentType":"text/plain","Content":"half \ud83d"}'
    assert_refused(chat.post("message", body), 400, "ValidationException")
    body = r'{"ContentType":"text/plain","Content":"whole \ud83d\ude42"}'
    assert chat.post("message", body).status_code == 200
    assert chat.entries()[-1]["Content"] == "whole 🙂"


def test_an_empty_body_counts_as_no_members(chat: Chat) -> None:
    assert chat.post("transcript", "").status_code == 200
    assert_refused(chat.post("message", ""), 400, "ValidationException")


def test_errors_reach_boto3_as_the_models_exceptions(ground: Ground, chat: Chat) -> None:
    boto = ground.boto()
    with pytest.raises(boto.exceptions.ValidationException) as refused:
        boto.send_message(ContentType="text/html", Content="x", ConnectionToken=chat.token)
    assert refused.value.response["Error"]["Message"]
    assert refused.value.response["ResponseMetadata"]["RequestId"]
    with pytest.raises(boto.exceptions.ResourceNotFoundException):
        boto.describe_view(ViewToken="made/up+==", ConnectionToken=chat.token)


@pytest.mark.parametrize("path", ["connection", "message", "views/a%2Fb"])
def test_a_page_of_another_origin_may_call(ground: Ground, path: str) -> None:
    asked = {
        "Origin": ground.page_origin,
        "Access-Control-Request-Method": "GET" if path.startswith("views") else "POST",
        "Access-Control-Request-Headers": (
            "amz-sdk-invocation-id,amz-sdk-request,authorization,content-type,"
            "x-amz-bearer,x-amz-content-sha256,x-amz-date,x-amz-user-agent"
        ),
    }
    url = f"{ground.url}/participant/{path}"
    preflight = requests.options(url, headers=asked, timeout=10)
    assert preflight.status_code in (200, 204)
    allowed = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert "authorization" in allowed
    assert "x-amz-bearer" in allowed or "*" in allowed
    assert preflight.headers["Access-Control-Allow-Origin"] in ("*", asked["Origin"])
    assert (
        asked["Access-Control-Request-Method"] in preflight.headers["Access-Control-Allow-Methods"]
    )


def test_a_page_may_read_the_errors_name(ground: Ground, chat: Chat) -> None:
    answer = requests.post(
        f"{ground.url}/participant/message",
        json={},
        headers={"Origin": ground.page_origin, "X-Amz-Bearer": chat.token},
        timeout=10,
    )
    assert answer.headers["Access-Control-Allow-Origin"] in ("*", ground.page_origin)
    exposed = answer.headers["Access-Control-Expose-Headers"].lower()
    assert "x-amzn-errortype" in exposed
    assert "x-amzn-requestid" in exposed


def test_a_signature_of_empty_keys_is_passed_over(ground: Ground, chat: Chat) -> None:
    answer = requests.post(
        f"{ground.url}/participant/transcript",
        json={},
        headers={
            "X-Amz-Bearer": chat.token,
            "Authorization": "AWS4-HMAC-SHA256 Credential=/20260101/us-west-2/execute-api/x",
        },
        timeout=10,
    )
    assert answer.status_code == 200


@each_operation
def test_an_address_with_a_slash_behind_it_is_none(chat: Chat, name: str) -> None:
    operation = OPERATIONS[name]
    answer = chat.post(f"{operation.path}/", operation.body, operation.right_token(chat))
    assert answer.status_code == 404
