"""Requests against the service's models: found by path, read, checked; answers shaped by them."""

import json
from typing import Any

import pytest

from chatproxy.sandbox.web import Request
from chatproxy.sandbox.wire import (
    CONNECT_SERVICE,
    PARTICIPANT_SERVICE,
    InvalidInput,
    ServiceError,
    answer,
    error_answer,
    matches,
    operation,
    read_input,
)


def request(method: str, path: str, body: object = None, **headers: str) -> Request:
    text = b"" if body is None else json.dumps(body).encode()
    return Request(method, path, {}, {"x-amz-bearer": "token"} | headers, text)


def test_an_operation_is_found_by_method_and_path() -> None:
    view = operation(PARTICIPANT_SERVICE, "DescribeView")
    assert matches(view, request("GET", "/participant/views/a%2Fb"))
    assert not matches(view, request("POST", "/participant/views/a%2Fb"))
    assert not matches(view, request("GET", "/participant/views/a/b"))


def test_members_come_from_path_header_and_body() -> None:
    view = operation(PARTICIPANT_SERVICE, "DescribeView")
    members = read_input(view, request("GET", "/participant/views/a%2Fb%2B%3D"))
    assert members == {"ViewToken": "a/b+=", "ConnectionToken": "token"}
    event = operation(PARTICIPANT_SERVICE, "SendEvent")
    body = {"ContentType": "x", "ClientToken": None, "Unknown": 1}
    members = read_input(event, request("POST", "/participant/event", body))
    assert members == {"ContentType": "x", "ConnectionToken": "token"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "'ContentType' must not be null"),
        ({"ContentType": 1}, "'ContentType' must be of type string"),
        ({"ContentType": ""}, "greater than or equal to 1"),
        ({"ContentType": "x" * 101}, "less than or equal to 100"),
    ],
)
def test_what_does_not_fit_is_said(body: dict[str, Any], says: str) -> None:
    event = operation(PARTICIPANT_SERVICE, "SendEvent")
    with pytest.raises(InvalidInput, match=says):
        read_input(event, request("POST", "/participant/event", body))


def test_lists_maps_and_nested_members_are_checked() -> None:
    start = operation(CONNECT_SERVICE, "StartChatContact")
    body: dict[str, Any] = {
        "InstanceId": "i",
        "ContactFlowId": "f",
        "ParticipantDetails": {"DisplayName": "x"},
    }
    read_input(start, request("PUT", "/contact/chat", body))
    for spoilt in (
        {"ParticipantDetails": {}},
        {"ParticipantDetails": {"DisplayName": True}},
        {"Attributes": {"a": 1}},
        {"SupportedMessagingContentTypes": ["text/plain", ""]},
        {"SegmentAttributes": {"": {}}},
    ):
        with pytest.raises(InvalidInput):
            read_input(start, request("PUT", "/contact/chat", body | spoilt))


def test_an_answer_holds_what_the_model_knows_and_no_nulls() -> None:
    send = operation(PARTICIPANT_SERVICE, "SendMessage")
    made = answer(send, {"Id": "1", "AbsoluteTime": None, "Stray": 2})
    assert json.loads(made.body) == {"Id": "1"}
    assert answer(operation(PARTICIPANT_SERVICE, "DisconnectParticipant"), {}).body == b"{}"


def test_errors_have_the_models_status_and_the_services_shape() -> None:
    made = error_answer(PARTICIPANT_SERVICE, ServiceError("ServiceQuotaExceededException", "Full"))
    assert (made.status, made.headers["x-amzn-ErrorType"]) == (402, "ServiceQuotaExceededException")
    assert json.loads(made.body)["message"] == "Full"
    made = error_answer(CONNECT_SERVICE, ServiceError("ContactNotFoundException", "Gone"))
    assert made.status == 410
