"""Whatever a client does wrong is refused in one shape, at both doors, with a way out."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import requests
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.flow.client import Visitor, eventually
from tests.flow.problem import assert_no_secret, assert_problem
from tests.processes import RunningDemo

INVALID = "ValidationException"
DENIED = "AccessDeniedException"

CONNECTED = {
    "message": {"ContentType": "text/plain", "Content": "hi"},
    "event": {"ContentType": "application/vnd.amazonaws.connect.event.typing"},
    "transcript": {},
    "disconnect": {},
    "start-attachment-upload": {
        "ContentType": "text/plain",
        "AttachmentName": "a.txt",
        "AttachmentSizeInBytes": 3,
        "ClientToken": "a",
    },
    "complete-attachment-upload": {"AttachmentIds": ["a"], "ClientToken": "a"},
    "attachment": {"AttachmentId": "a"},
    "authentication-url": {"SessionId": str(uuid.UUID(int=1)), "RedirectUri": "https://a.test"},
    "cancel-authentication": {"SessionId": str(uuid.UUID(int=1))},
}
CONNECTION = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}


@pytest.fixture
def demo(demo: RunningDemo) -> RunningDemo:
    demo.sandbox.change(bot=False, quotas="off")
    return demo


@pytest.fixture
def visitor(demo: RunningDemo) -> Visitor:
    visitor = Visitor(demo.url)
    visitor.connect()
    return visitor


def raw(
    demo: RunningDemo, path: str, body: bytes | str, key: str = "", **headers: str
) -> requests.Response:
    return requests.post(
        f"{demo.url}{path}",
        data=body.encode() if isinstance(body, str) else body,
        headers={"Content-Type": "application/json", "X-Amz-Bearer": key, **headers},
        timeout=20,
    )


def start(demo: RunningDemo, body: dict[str, Any], **headers: str) -> requests.Response:
    return requests.post(f"{demo.url}/api/v1/sessions", json=body, headers=headers, timeout=20)


# --- bodies -------------------------------------------------------------------------------------

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
    assert answer.status_code in (400, 422)
    kind = {400: "malformed-body", 422: "invalid-fields"}[answer.status_code]
    assert_problem(answer, answer.status_code, kind, INVALID)


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
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/dispayName"]


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
    assert answer.json()["errors"][0]["pointer"].startswith(f"/{field}")


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


# --- addresses and methods ------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/participant/nothing", "/api/v1/nothing", "/api/v2/session"])
def test_an_unknown_address_points_to_the_reference(demo: RunningDemo, path: str) -> None:
    answer = requests.get(f"{demo.url}{path}", timeout=10)
    assert_problem(answer, 404, "not-found", "ResourceNotFoundException", says="/api/docs")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/participant/message", "POST"),
        ("DELETE", "/participant/connection", "POST"),
        ("POST", "/participant/views/x", "GET"),
        ("GET", "/api/v1/sessions", "POST"),
        ("PATCH", "/api/v1/session", "DELETE, GET"),
        ("POST", "/api/v1/widgets/demo", "GET"),
    ],
)
def test_a_wrong_method_is_told_which_there_are(
    demo: RunningDemo, method: str, path: str, allowed: str
) -> None:
    answer = requests.request(method, f"{demo.url}{path}", timeout=10)
    assert_problem(answer, 405, "method-not-allowed", INVALID)
    assert sorted(answer.headers["Allow"].split(", ")) == allowed.split(", ")


def test_a_transcript_in_an_unknown_format_names_those_there_are(visitor: Visitor) -> None:
    answer = visitor.get("session/transcript?format=pdf")
    assert_problem(answer, 422, "invalid-fields", INVALID, says="txt")


# --- widgets and origins --------------------------------------------------------------------------


def test_an_unknown_widget_is_named(demo: RunningDemo) -> None:
    assert_problem(start(demo, {"widget": "nope"}), 404, "widget-not-found", INVALID, says="nope")
    answer = requests.get(f"{demo.url}/api/v1/widgets/nope", timeout=10)
    assert_problem(answer, 404, "widget-not-found", INVALID, says="nope")


@pytest.mark.parametrize("key", ["%00", "a%00b", "%ff", "%2e%2e%2f", "x" * 5000])
def test_a_widget_key_that_is_none_is_unknown(demo: RunningDemo, key: str) -> None:
    answer = requests.get(f"{demo.url}/api/v1/widgets/{key}", timeout=10)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/sessions", "/participant/message"])
def test_a_strange_host_is_told_that_this_is_not_its_address(demo: RunningDemo, path: str) -> None:
    answer = raw(demo, path, "{}", Host="evil.example")
    assert_problem(answer, 400, "host-not-allowed", INVALID, says="CHAT_PUBLIC_URL")


def test_a_widget_that_is_switched_off_is_unknown(demo: RunningDemo) -> None:
    key = f"off-{uuid.uuid4().hex[:8]}"
    make = (
        "from chatproxy.widgets.models import Widget; "
        f"Widget.objects.create(key={key!r}, name='Off', enabled=False)"
    )
    demo.manage("shell", "-c", make)
    answer = start(demo, {"widget": key})
    assert_problem(answer, 404, "widget-not-found", INVALID, says="switched off")


#: Origins that look like the demo's own, ``http://127.0.0.1:{port}``.
FOREIGN = {
    "null": "null",
    "other host": "https://evil.example",
    "other port": "http://127.0.0.1:1{port}",
    "no port": "http://127.0.0.1",
    "https for http": "https://127.0.0.1:{port}",
    "look-alike": "http://127.0.0.1.evil.example:{port}",
    "prefix": "http://evil-127.0.0.1:{port}",
    "trailing dot": "http://127.0.0.1.:{port}",
    "trailing slash": "http://127.0.0.1:{port}/",
    "punycode": "http://xn--lcalhost-54a:{port}",
    "upper case": "HTTP://127.0.0.1:{port}",
    "user info": "http://127.0.0.1:{port}@evil.example",
    "two": "http://127.0.0.1:{port} https://evil.example",
}


@pytest.mark.parametrize("shape", FOREIGN.values(), ids=FOREIGN)
def test_a_page_that_is_not_on_the_list_is_refused_everywhere(
    demo: RunningDemo, visitor: Visitor, shape: str
) -> None:
    page = {"Origin": shape.format(port=demo.port)}
    refused = [
        (start(demo, {"widget": "demo"}, **page), 403),
        (
            requests.get(
                f"{demo.url}/api/v1/session",
                headers={"X-Amz-Bearer": visitor.key, **page},
                timeout=10,
            ),
            403,
        ),
        (raw(demo, "/participant/connection", json.dumps(CONNECTION), visitor.key, **page), 403),
        (
            raw(
                demo,
                "/participant/message",
                json.dumps(CONNECTED["message"]),
                visitor.connection_key,
                **page,
            ),
            403,
        ),
    ]
    for answer, status in refused:
        assert_problem(answer, status, "origin-not-allowed", DENIED, says="allowed origins")
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("shape", FOREIGN.values(), ids=FOREIGN)
def test_a_preflight_from_a_strange_page_is_not_granted(demo: RunningDemo, shape: str) -> None:
    answer = requests.options(
        f"{demo.url}/participant/message",
        headers={
            "Origin": shape.format(port=demo.port),
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-amz-bearer",
        },
        timeout=10,
    )
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "origin" in answer.headers["Vary"].lower()


def test_a_page_on_the_list_may_read_its_errors(demo: RunningDemo) -> None:
    answer = raw(demo, "/participant/message", "{}", "wrong", Origin=demo.url)
    assert_problem(answer, 403, "session-key-invalid", DENIED)
    assert answer.headers["Access-Control-Allow-Origin"] == demo.url
    exposed = answer.headers["Access-Control-Expose-Headers"].lower()
    assert {"x-amzn-errortype", "x-amzn-requestid", "retry-after"} <= set(exposed.split(", "))


# --- keys ---------------------------------------------------------------------------------------


def with_key(demo: RunningDemo, method: str, path: str, key: str | None) -> requests.Response:
    headers = {} if key is None else {"X-Amz-Bearer": key}
    return requests.request(
        method,
        f"{demo.url}{path}",
        json=None if method in ("GET", "DELETE") else {"score": 5},
        headers=headers,
        timeout=10,
    )


OWN = [
    ("GET", "/api/v1/session"),
    ("DELETE", "/api/v1/session"),
    ("GET", "/api/v1/session/transcript"),
    ("PUT", "/api/v1/session/rating"),
]


@pytest.mark.parametrize(("method", "path"), OWN)
def test_our_own_routes_want_a_session_key(
    demo: RunningDemo, visitor: Visitor, method: str, path: str
) -> None:
    other = str(uuid.uuid4())
    wrong = {
        "missing": None,
        "empty": "",
        "garbage": "garbage",
        "not ours": f"sk1.{visitor.session}.{'A' * 43}",
        "unknown session": f"sk1.{other}.{'A' * 43}",
        "another session's": visitor.key.replace(visitor.session, other),
        "of the other kind": visitor.connection_key,
        "very long": "x" * 5000,
    }
    for key in wrong.values():
        answer = with_key(demo, method, path, key)
        assert_problem(answer, 401, "session-key-invalid", DENIED)


@pytest.mark.parametrize("operation", CONNECTED)
def test_ten_operations_want_a_connection_key(
    demo: RunningDemo, visitor: Visitor, operation: str
) -> None:
    body = json.dumps(CONNECTED[operation])
    for key in ("", "garbage", visitor.key, visitor.connection_key[:-1] + "!"):
        answer = raw(demo, f"/participant/{operation}", body, key)
        assert_problem(answer, 403, "session-key-invalid", DENIED)


def test_a_view_wants_a_connection_key(demo: RunningDemo, visitor: Visitor) -> None:
    for key in (None, "garbage", visitor.key):
        answer = with_key(demo, "GET", "/participant/views/abc", key)
        assert_problem(answer, 403, "session-key-invalid", DENIED)


def test_a_connection_wants_the_session_key(demo: RunningDemo, visitor: Visitor) -> None:
    for key in ("", "garbage", visitor.connection_key):
        answer = raw(demo, "/participant/connection", json.dumps(CONNECTION), key)
        assert_problem(answer, 403, "session-key-invalid", DENIED)


def test_a_key_of_the_wrong_kind_is_told_which_is_wanted(visitor: Visitor) -> None:
    answer = visitor.call("message", CONNECTED["message"], visitor.key)
    assert_problem(answer, 403, "session-key-invalid", DENIED, says="CreateParticipantConnection")
    answer = visitor.call("connection", CONNECTION, visitor.connection_key)
    assert_problem(answer, 403, "session-key-invalid", DENIED, says="session key")


def test_a_connection_key_that_has_expired_asks_for_another(
    demo: RunningDemo, visitor: Visitor
) -> None:
    expired = demo.manage("shell", "-v", "0", "-c", _expired_key(visitor)).strip().split()[-1]
    answer = visitor.call("message", CONNECTED["message"], expired)
    assert_problem(answer, 403, "session-key-invalid", DENIED, says="expired")


def _expired_key(visitor: Visitor) -> str:
    _, _, generation, key_id, _, _ = visitor.connection_key.split(".")
    return (
        "from chatproxy.sessions.keys import new_connection_key; "
        f"print(new_connection_key({visitor.session!r}, {generation}, {key_id}, 1000))"
    )


def test_a_forged_expiry_is_not_ours(visitor: Visitor) -> None:
    parts = visitor.connection_key.split(".")
    parts[4] = str(int(parts[4]) + 86_400)
    answer = visitor.call("message", CONNECTED["message"], ".".join(parts))
    assert_problem(answer, 403, "session-key-invalid", DENIED, says="not one of ours")


def test_a_repeated_start_revokes_the_key_before(demo: RunningDemo) -> None:
    body = {"widget": "demo", "clientToken": str(uuid.uuid4())}
    first, second = start(demo, body).json(), start(demo, body).json()
    assert first["session"] == second["session"]
    answer = with_key(demo, "GET", "/api/v1/session", first["key"])
    assert_problem(answer, 401, "session-key-invalid", DENIED)
    assert with_key(demo, "GET", "/api/v1/session", second["key"]).status_code == 200


def test_a_revoked_key_is_dead_with_all_that_was_made_from_it(
    demo: RunningDemo, visitor: Visitor
) -> None:
    revoke = (
        "from chatproxy.sessions.models import ChatSession; "
        "from chatproxy.sessions.lifecycle import revoke_keys; "
        f"revoke_keys(ChatSession.objects.get(pk={visitor.session!r}))"
    )
    demo.manage("shell", "-c", revoke)
    eventually(lambda: visitor.get("session").status_code == 401, 16)
    assert_problem(visitor.get("session"), 401, "session-key-invalid", DENIED)
    answer = visitor.call("message", CONNECTED["message"])
    assert_problem(answer, 403, "session-key-invalid", DENIED, says="revoked")
    answer = visitor.call("connection", CONNECTION, visitor.key)
    assert_problem(answer, 403, "session-key-invalid", DENIED)


# --- tickets ------------------------------------------------------------------------------------


def handshake(url: str, origin: str | None = None) -> int:
    """Status of a refused handshake; 101 if it was not."""
    headers = {"Origin": origin} if origin else {}
    try:
        with connect(url, proxy=None, additional_headers=headers, open_timeout=10):
            return 101
    except InvalidStatus as err:
        return err.response.status_code


def test_a_ticket_opens_one_socket_once(visitor: Visitor) -> None:
    url = visitor.connect()
    assert handshake(url) == 101
    assert handshake(url) == 403


def test_a_ticket_is_good_for_its_own_session_only(demo: RunningDemo, visitor: Visitor) -> None:
    other = Visitor(demo.url)
    foreign = visitor.connect().replace(visitor.session, other.session)
    assert handshake(foreign) == 403


def test_a_ticket_that_was_made_up_missing_or_expired_is_refused(
    demo: RunningDemo, visitor: Visitor
) -> None:
    url = visitor.connect()
    late = demo.manage("shell", "-v", "0", "-c", _expired_ticket(visitor)).strip().split()[-1]
    bare = url.partition("?")[0]
    assert handshake(bare) == 403
    assert handshake(f"{bare}?ticket=made.up") == 403
    assert handshake(f"{bare}?ticket={late}") == 403


def _expired_ticket(visitor: Visitor) -> str:
    key_id = visitor.connection_key.split(".")[3]
    return (
        "from chatproxy.sessions.keys import new_ticket; "
        f"print(new_ticket({visitor.session!r}, '', {key_id}, 1000))"
    )


def test_a_ticket_of_one_page_does_not_serve_another(demo: RunningDemo) -> None:
    page = f"http://127.0.0.1:{demo.port}"
    url = Visitor(demo.url, origin=page).connect()
    assert handshake(url, "https://evil.example") == 403
    assert handshake(url, f"http://localhost:{demo.port}") == 403
    assert handshake(url, page) == 101


# --- after the end --------------------------------------------------------------------------------


def test_an_ended_chat_reads_and_rates_but_says_no_more(
    demo: RunningDemo, visitor: Visitor
) -> None:
    demo.sandbox.control("POST", f"contacts/{visitor.contact_id}/end", {})
    eventually(lambda: visitor.state() == "ended")
    for operation, body in CONNECTED.items():
        answer = visitor.call(operation, body)
        assert_problem(answer, 403, "chat-ended", DENIED, says="start a new")
    answer = visitor.call("connection", CONNECTION, visitor.key)
    assert_problem(answer, 403, "chat-ended", DENIED, says="start a new")
    assert visitor.get("session/transcript").status_code == 200
    rating = {"score": 5}
    headers = {"X-Amz-Bearer": visitor.key}
    url = f"{demo.url}/api/v1/session"
    assert requests.put(f"{url}/rating", json=rating, headers=headers, timeout=9).status_code == 204
    assert requests.delete(url, headers=headers, timeout=9).status_code == 204


def test_a_start_that_repeats_the_token_of_an_ended_chat_is_told_to_make_a_new_one(
    demo: RunningDemo,
) -> None:
    body = {"widget": "demo", "clientToken": str(uuid.uuid4())}
    first = start(demo, body).json()
    headers = {"X-Amz-Bearer": first["key"]}
    raw(demo, "/participant/connection", json.dumps(CONNECTION), first["key"])
    contact = first["startChatResult"]["ContactId"]
    demo.sandbox.control("POST", f"contacts/{contact}/end", {})
    session = f"{demo.url}/api/v1/session"
    eventually(lambda: requests.get(session, headers=headers, timeout=9).json()["state"] == "ended")
    assert_problem(start(demo, body), 410, "chat-ended", DENIED, says="new one")


def test_no_refusal_holds_a_secret(demo: RunningDemo, visitor: Visitor) -> None:
    """Every kind of refusal above once more, in one place, searched for tokens."""
    message = json.dumps(CONNECTED["message"])
    assert_no_secret(
        demo.sandbox,
        raw(demo, "/participant/message", "{", visitor.connection_key),
        raw(demo, "/participant/message", message, visitor.key),
        raw(demo, "/participant/connection", "{}", visitor.key),
        raw(demo, "/participant/complete-attachment-upload", message, visitor.connection_key),
        visitor.call("attachment", CONNECTED["attachment"]),
        visitor.call("authentication-url", CONNECTED["authentication-url"]),
        start(demo, {"widget": "demo", "continue": visitor.key}),
        visitor.get("session"),
        visitor.get("nothing"),
    )
