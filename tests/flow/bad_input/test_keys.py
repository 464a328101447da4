"""Keys that are missing, made up, of the wrong kind, expired, replaced or revoked."""

from __future__ import annotations

import json
import uuid

import pytest

from tests.flow.bad_input.calls import CONNECTED, CONNECTION, DENIED, raw, start, with_key
from tests.flow.client import Visitor, eventually
from tests.flow.problem import assert_no_secret, assert_problem
from tests.processes import RunningDemo

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


def test_no_refusal_holds_a_secret(demo: RunningDemo, visitor: Visitor) -> None:
    """Every kind of refusal in this folder once more, in one place, searched for tokens."""
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
