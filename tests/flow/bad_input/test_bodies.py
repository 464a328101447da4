"""Bodies that are broken, too long or out of bounds are refused in one shape, with a way out."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.flow.bad_input.calls import CONNECTED, INVALID, raw, start
from tests.flow.client import Visitor
from tests.flow.problem import assert_problem
from tests.processes import RunningDemo

BROKEN = {
    "cut off": '{"ContentType":',
    "a list": "[]",
    "a number": "1",
    "text": "hello",
    "no UTF-8": b'{"Content":"\xff\xfe"}',
    "deep": "[" * 100_000,
    "deep and closed": '{"a":' * 20_000 + "1" + "}" * 20_000,
    "not a number": '{"Content": NaN}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_start_that_is_no_json_object_is_refused(demo: RunningDemo, body: str | bytes) -> None:
    answer = raw(demo, "/api/v1/sessions", body)
    is_object = body in (BROKEN["deep and closed"], BROKEN["not a number"])
    if is_object and answer.status_code == 422:
        assert_problem(answer, 422, "invalid-fields", INVALID)
    else:
        assert_problem(answer, 400, "malformed-body", INVALID, says="Send a JSON object")


@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null", "", "{"])
def test_what_is_no_object_says_what_to_send(
    demo: RunningDemo, visitor: Visitor, body: str
) -> None:
    rating = requests.put(
        f"{demo.url}/api/v1/session/rating",
        data=body,
        headers={"X-Amz-Bearer": visitor.key, "Content-Type": "application/json"},
        timeout=20,
    )
    for answer, needed in ((raw(demo, "/api/v1/sessions", body), "widget"), (rating, "score")):
        assert_problem(answer, 400, "malformed-body", INVALID, says="Send a JSON object")
        assert body == "{" or f"with {needed}." in answer.json()["detail"]


@pytest.mark.parametrize("score", ["5", True, 4.5, None, [5]])
def test_a_score_is_a_whole_number_and_nothing_like_one(
    demo: RunningDemo, visitor: Visitor, score: object
) -> None:
    answer = requests.put(
        f"{demo.url}/api/v1/session/rating",
        json={"score": score},
        headers={"X-Amz-Bearer": visitor.key},
        timeout=20,
    )
    assert_problem(answer, 422, "invalid-fields", INVALID, says="/score: it is not a whole number")


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_message_that_is_no_json_object_is_refused(visitor: Visitor, body: str | bytes) -> None:
    answer = raw(visitor, "/participant/message", body, visitor.connection_key)  # type: ignore[arg-type]
    kind = answer.json()["type"].partition("#")[2]
    assert kind in ("malformed-body", "message-refused")
    assert_problem(answer, 400, kind, INVALID)


@pytest.mark.parametrize("operation", CONNECTED)
def test_every_operation_refuses_malformed_json(
    demo: RunningDemo, visitor: Visitor, operation: str
) -> None:
    answer = raw(demo, f"/participant/{operation}", '{"a": ', visitor.connection_key)
    assert_problem(answer, 400, "malformed-body", INVALID, says="JSON")


def test_a_connection_refuses_malformed_json(demo: RunningDemo, visitor: Visitor) -> None:
    answer = raw(demo, "/participant/connection", '{"Type": [', visitor.key)
    assert_problem(answer, 400, "malformed-body", INVALID, says="JSON")


def test_a_rating_of_the_wrong_size_is_pointed_at(demo: RunningDemo, visitor: Visitor) -> None:
    answer = requests.put(
        f"{demo.url}/api/v1/session/rating",
        json={"score": 6, "comment": "x" * 2001},
        headers={"X-Amz-Bearer": visitor.key},
        timeout=20,
    )
    assert_problem(answer, 422, "invalid-fields", INVALID, says="/score")
    assert {each["pointer"] for each in answer.json()["errors"]} == {"/score", "/comment"}


def test_unknown_fields_of_a_start_are_pointed_at(demo: RunningDemo) -> None:
    answer = start(demo, {"widget": "demo", "dispayName": "Ada"})
    assert_problem(answer, 422, "invalid-fields", INVALID, says="/dispayName")
    assert answer.json()["errors"] == [
        {
            "pointer": "/dispayName",
            "detail": "There is no such field. Remove it; there are attributes, challenge, "
            "clientToken, continue, displayName, identity, initialMessage and widget.",
        }
    ]


def test_a_pointer_to_a_strange_name_is_one_that_can_be_followed(demo: RunningDemo) -> None:
    answer = start(demo, {"widget": "demo", "attributes": {"a/b~c": "x"}})
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/attributes/a~1b~0c"]


def test_unknown_fields_under_participant_are_ignored_as_the_service_does(
    visitor: Visitor,
) -> None:
    answer = visitor.call(
        "message", {"ContentType": "text/plain", "Content": "hi", "Colour": "blue"}
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("displayName", "x" * 257),
        ("displayName", "a\0b"),
        ("displayName", "half a pair: \ud800"),
        ("initialMessage", "x" * 1025),
        ("attributes", {"not-allowed": "x"}),
        ("attributes", {"x": 1}),
        ("attributes", "x"),
        ("clientToken", "short"),
        ("identity", "somebody"),
        ("continue", "x" * 201),
        ("widget", 7),
        ("widget", None),
    ],
)
def test_a_field_of_a_start_out_of_bounds_is_pointed_at(
    demo: RunningDemo, field: str, value: object
) -> None:
    answer = start(demo, {"widget": "demo", field: value})
    assert_problem(answer, 422, "invalid-fields", INVALID, says=f"/{field}")
    (error,) = answer.json()["errors"]
    assert error["pointer"].startswith(f"/{field}")
    # What is wrong, and what to do: two sentences of ours, none of the library's.
    assert error["detail"].count(".") >= 2
    assert ".." not in error["detail"]
    assert "alue error" not in error["detail"]


def test_a_start_without_a_widget_says_so(demo: RunningDemo) -> None:
    assert_problem(start(demo, {}), 422, "invalid-fields", INVALID, says="/widget")


@pytest.mark.parametrize(
    "body",
    [
        {"ContentType": "text/plain"},
        {"Content": "hi"},
        {"ContentType": "text/plain", "Content": ""},
        {"ContentType": "text/plain", "Content": 7},
        {"ContentType": "text/plain", "Content": "x" * 16_385},
        {"ContentType": "text/plain", "Content": "é" * 8_200},
        {"ContentType": "text/html", "Content": "<b>hi</b>"},
        {"ContentType": "text/plain; charset=utf-8", "Content": "hi"},
        {"ContentType": "x" * 101, "Content": "hi"},
        {"ContentType": "text/plain", "Content": "hi", "ClientToken": "x" * 501},
        {"ContentType": "application/vnd.amazonaws.connect.message.interactive", "Content": "{}"},
    ],
)
def test_a_message_out_of_bounds_is_refused(visitor: Visitor, body: dict[str, Any]) -> None:
    assert_problem(visitor.call("message", body), 400, "message-refused", INVALID)


@pytest.mark.parametrize(
    "body",
    [
        {"ContentType": "application/vnd.amazonaws.connect.event.chat.ended"},
        {"ContentType": "typing"},
        {"ContentType": "application/vnd.amazonaws.connect.event.message.read"},
        {
            "ContentType": "application/vnd.amazonaws.connect.event.message.read",
            "Content": "not json",
        },
        {
            "ContentType": "application/vnd.amazonaws.connect.event.message.read",
            "Content": '{"messageId": ""}',
        },
    ],
)
def test_an_event_that_nobody_may_send_is_refused(visitor: Visitor, body: dict[str, Any]) -> None:
    assert_problem(visitor.call("event", body), 400, "message-refused", INVALID)


@pytest.mark.parametrize(
    "body",
    [
        {"MaxResults": 101},
        {"MaxResults": "ten"},
        {"NextToken": "made up"},
        {"SortOrder": "SIDEWAYS"},
        {"ScanDirection": "UP"},
        {"StartPosition": {"MostRecent": 101}},
        {"StartPosition": "first"},
    ],
)
def test_a_transcript_query_out_of_bounds_is_refused(
    visitor: Visitor, body: dict[str, Any]
) -> None:
    assert_problem(visitor.call("transcript", body), 400, "message-refused", INVALID)


@pytest.mark.parametrize("body", [{}, {"Type": []}, {"Type": ["TELEX"]}, {"Type": "WEBSOCKET"}])
def test_a_connection_of_no_kind_is_refused(visitor: Visitor, body: dict[str, Any]) -> None:
    assert_problem(visitor.call("connection", body, visitor.key), 400, "message-refused", INVALID)


def test_a_webrtc_connection_is_refused_with_the_reason(visitor: Visitor) -> None:
    answer = visitor.call("connection", {"Type": ["WEBRTC_CONNECTION"]}, visitor.key)
    assert_problem(answer, 400, "message-refused", INVALID, says="WEBRTC_CONNECTION")


def test_a_huge_body_is_refused_before_it_is_read(demo: RunningDemo, visitor: Visitor) -> None:
    huge = b'{"ContentType":"text/plain","Content":"' + b"x" * 300_000 + b'"}'
    answer = raw(demo, "/participant/message", huge, visitor.connection_key)
    assert_problem(answer, 400, "body-too-large", INVALID, says="262144")
    answer = raw(demo, "/api/v1/sessions", huge)
    assert_problem(answer, 413, "body-too-large", INVALID, says="262144")
