"""When something behind us fails, a client gets the one error body, and the chat goes on after.

Against a proxy of its own whose patience is short, so that a hang is over in two seconds.
"""

from __future__ import annotations

import json
import sqlite3
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import requests

from tests.flow.client import Visitor, eventually
from tests.flow.problem import assert_no_secret, assert_problem
from tests.processes import READY_WITHIN_S, RunningDemo, RunningSandbox, started_demo

INTERNAL = "InternalServerException"
THROTTLED = "ThrottlingException"
CONNECTION = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}
UPLOAD = {
    "ContentType": "text/plain",
    "AttachmentName": "a.txt",
    "AttachmentSizeInBytes": 3,
    "ClientToken": "a",
}

#: What goes wrong → how a call under /participant/ and a start under /api/v1/ are answered:
#: (status, type, service's name, whether waiting helps).
DAYS: dict[str, tuple[dict[str, Any], tuple[Any, ...], tuple[Any, ...]]] = {
    "throttled": (
        {"kind": "throttle"},
        (429, "upstream-throttled", THROTTLED, True),
        (503, "upstream-throttled", THROTTLED, True),
    ),
    "failing": (
        {"kind": "status", "status": 500, "body": "", "content_type": "text/plain"},
        (500, "upstream-failed", INTERNAL, True),
        (502, "upstream-failed", INTERNAL, True),
    ),
    "a gateway's page": (
        {"kind": "status", "status": 503},
        (500, "upstream-failed", INTERNAL, True),
        (502, "upstream-failed", INTERNAL, True),
    ),
    "nonsense": (
        {"kind": "nonsense"},
        (500, "upstream-failed", INTERNAL, True),
        (502, "upstream-failed", INTERNAL, True),
    ),
    "JSON of another shape": (
        {"kind": "nonsense", "body": "[1, 2]", "content_type": "application/json"},
        (500, "upstream-failed", INTERNAL, True),
        (502, "upstream-failed", INTERNAL, True),
    ),
    "hanging": (
        {"kind": "hang"},
        (500, "upstream-timeout", INTERNAL, True),
        (504, "upstream-timeout", INTERNAL, True),
    ),
    "hanging up": (
        {"kind": "reset"},
        (500, "upstream-failed", INTERNAL, True),
        (502, "upstream-failed", INTERNAL, True),
    ),
    "losing the answer": (
        {"kind": "lose_answer"},
        (500, "upstream-failed", INTERNAL, True),
        (502, "upstream-failed", INTERNAL, True),
    ),
}


@pytest.fixture(scope="module")
def impatient(
    running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo]:
    patience = {"CONNECT_READ_TIMEOUT_S": "2", "CONNECT_CONNECT_TIMEOUT_S": "2"}
    # The throttling of one test must not slow down the next; what it does is tested elsewhere.
    folder = tmp_path_factory.mktemp("impatient")
    with started_demo(folder, running_sandbox, CHAT_GOVERNOR="0", **patience) as running:
        yield running


@pytest.fixture
def demo(impatient: RunningDemo, sandbox: RunningSandbox) -> RunningDemo:
    sandbox.change(bot=False, quotas="off")
    return impatient


@pytest.fixture
def visitor(demo: RunningDemo) -> Visitor:
    visitor = Visitor(demo.url)
    visitor.connect()
    return visitor


def start(demo: RunningDemo, client_token: str) -> requests.Response:
    body = {"widget": "demo", "clientToken": client_token}
    return requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=30)


# --- the service ----------------------------------------------------------------------------------


@pytest.mark.parametrize("day", DAYS)
def test_a_message_on_a_bad_day_says_what_to_do_and_is_said_once_after(
    demo: RunningDemo, visitor: Visitor, day: str
) -> None:
    fault, (status, kind, name, waits), _ = DAYS[day]
    demo.sandbox.add_fault(operation="SendMessage", **fault)
    message = {"ContentType": "text/plain", "Content": "once", "ClientToken": str(uuid.uuid4())}
    refused = visitor.call("message", message)
    assert_problem(refused, status, kind, name, waits=waits)
    assert_no_secret(demo.sandbox, refused)

    demo.sandbox.clear_faults()
    assert visitor.call("message", message).status_code == 200
    eventually(lambda: [i.get("Content") for i in visitor.transcript()].count("once") == 1)


def test_a_message_that_failed_is_in_the_timeline_with_the_services_request_id(
    demo: RunningDemo, visitor: Visitor
) -> None:
    demo.sandbox.add_fault(operation="SendMessage", kind="throttle")
    message = {"ContentType": "text/plain", "Content": "lost", "ClientToken": str(uuid.uuid4())}
    assert visitor.call("message", message).status_code == 429
    session_id = uuid.UUID(visitor.key.split(".")[1])
    line = (
        "SELECT detail FROM chat_sessions_sessionevent "
        "WHERE session_id = ? AND kind = 'call_failed'"
    )

    def lines() -> list[dict[str, Any]]:
        with closing(sqlite3.connect(demo.database)) as database:
            return [json.loads(row[0]) for row in database.execute(line, (session_id.hex,))]

    eventually(lambda: len(lines()) == 1, what="no line in the timeline")
    (told,) = lines()
    assert told["request_id"]
    assert told == {
        "operation": "SendMessage",
        "error": "ThrottlingException",
        "request_id": told["request_id"],
    }


@pytest.mark.parametrize("day", DAYS)
def test_a_start_on_a_bad_day_says_what_to_do_and_starts_one_chat_after(
    demo: RunningDemo, day: str
) -> None:
    fault, _, (status, kind, name, waits) = DAYS[day]
    demo.sandbox.add_fault(operation="StartChatContact", **fault)
    token = str(uuid.uuid4())
    refused = start(demo, token)
    assert_problem(refused, status, kind, name, waits=waits)
    assert_no_secret(demo.sandbox, refused)

    demo.sandbox.clear_faults()
    assert start(demo, token).status_code == 201
    assert len(demo.sandbox.state()["contacts"]) == 1


@pytest.mark.parametrize("day", ["throttled", "failing", "hanging"])
def test_an_end_on_a_bad_day_can_be_repeated(demo: RunningDemo, visitor: Visitor, day: str) -> None:
    fault, _, (status, kind, name, waits) = DAYS[day]
    demo.sandbox.add_fault(operation="DisconnectParticipant", **fault)

    def end() -> requests.Response:
        headers = {"X-Amz-Bearer": visitor.key}
        return requests.delete(f"{demo.url}/api/v1/session", headers=headers, timeout=30)

    assert_problem(end(), status, kind, name, waits=waits)
    demo.sandbox.clear_faults()
    assert end().status_code == 204
    eventually(lambda: visitor.state() == "ended")


@pytest.mark.parametrize(
    ("operation", "path", "body", "error", "status", "kind"),
    [
        ("SendMessage", "message", None, "ValidationException", 400, "message-refused"),
        (
            "StartAttachmentUpload",
            "start-attachment-upload",
            UPLOAD,
            "ServiceQuotaExceededException",
            402,
            "quota-exceeded",
        ),
        (
            "CompleteAttachmentUpload",
            "complete-attachment-upload",
            {"AttachmentIds": ["a"], "ClientToken": "a"},
            "ConflictException",
            409,
            "conflict",
        ),
        ("GetAttachment", "attachment", {"AttachmentId": "a"}, INTERNAL, 500, "upstream-failed"),
    ],
)
def test_the_services_own_refusals_keep_their_name_and_status(
    demo: RunningDemo,
    visitor: Visitor,
    operation: str,
    path: str,
    body: dict[str, Any] | None,
    error: str,
    status: int,
    kind: str,
) -> None:
    demo.sandbox.add_fault(
        operation=operation, kind="error", error=error, message="The service says no."
    )
    answer = visitor.call(path, body or {"ContentType": "text/plain", "Content": "hi"})
    assert_problem(answer, status, kind, error)


def test_a_view_nobody_knows_is_not_found(demo: RunningDemo, visitor: Visitor) -> None:
    demo.sandbox.add_fault(
        operation="DescribeView", kind="error", error="ResourceNotFoundException", message="No."
    )
    answer = requests.get(
        f"{demo.url}/participant/views/abc%2Fd",
        headers={"X-Amz-Bearer": visitor.connection_key},
        timeout=15,
    )
    assert answer.status_code == 404
    assert answer.headers["x-amzn-ErrorType"] == "ResourceNotFoundException"


@pytest.mark.parametrize("error", ["AccessDeniedException", "ResourceNotFoundException"])
def test_a_start_with_wrong_credentials_or_flow_is_an_operators_business(
    demo: RunningDemo, error: str
) -> None:
    demo.sandbox.add_fault(operation="StartChatContact", kind="error", error=error)
    answer = start(demo, str(uuid.uuid4()))
    assert_problem(answer, 502, "upstream-misconfigured", INTERNAL, says="operator", waits=False)


def test_a_start_of_a_full_instance_says_that_it_is_full(demo: RunningDemo) -> None:
    demo.sandbox.change(concurrent_chats=0)
    answer = start(demo, str(uuid.uuid4()))
    assert_problem(answer, 429, "quota-exceeded", "ServiceQuotaExceededException")


def test_a_connection_is_answered_while_the_service_fails_and_works_after(
    demo: RunningDemo,
) -> None:
    demo.sandbox.add_fault(operation="CreateParticipantConnection", kind="nonsense")
    visitor = Visitor(demo.url)
    began = time.monotonic()
    visitor.connect()
    assert time.monotonic() - began < 6
    answer = visitor.call("message", {"ContentType": "text/plain", "Content": "too early"})
    assert_problem(answer, 429, "upstream-throttled", THROTTLED, says="coming up", waits=True)
    demo.sandbox.clear_faults()
    message = {"ContentType": "text/plain", "Content": "now"}
    eventually(lambda: visitor.call("message", message).status_code == 200, 30)


def test_one_hanging_operation_leaves_the_others_alone(demo: RunningDemo, visitor: Visitor) -> None:
    demo.sandbox.add_fault(operation="GetAttachment", kind="hang")
    with ThreadPoolExecutor(30) as crowd:
        hung = [crowd.submit(visitor.call, "attachment", {"AttachmentId": "a"}) for _ in range(30)]
        assert visitor.send("still quick")["Id"]
        assert visitor.get("session").status_code == 200
        assert not all(each.done() for each in hung), "they were waited for"
        answers = [each.result() for each in hung]
    kinds = {answer.json()["type"].partition("#")[2] for answer in answers}
    assert kinds <= {"upstream-timeout", "overloaded", "rate-limited"}
    for answer in answers:
        kind = answer.json()["type"].partition("#")[2]
        status = 500 if kind == "upstream-timeout" else 429
        name = INTERNAL if kind == "upstream-timeout" else THROTTLED
        assert_problem(answer, status, kind, name, waits=True)


def test_a_service_nobody_can_reach_stops_chats_but_not_the_doors(
    demo: RunningDemo, visitor: Visitor, unreachable: RunningSandbox
) -> None:
    answer = visitor.call("message", {"ContentType": "text/plain", "Content": "hi"})
    assert_problem(answer, 500, "upstream-failed", INTERNAL, says="ClientToken", waits=True)
    assert_problem(start(demo, str(uuid.uuid4())), 502, "upstream-failed", INTERNAL)
    assert visitor.get("session").status_code == 200
    assert visitor.get("session/transcript").status_code == 200
    assert requests.get(f"{demo.url}/api/v1/widgets/demo", timeout=10).status_code == 200
    # Restarting us would not help: we stay ready.
    assert requests.get(f"{demo.url}/readyz", timeout=10).status_code == 200


@pytest.fixture
def unreachable(visitor: Visitor, sandbox: RunningSandbox) -> Iterator[RunningSandbox]:
    """The sandbox, ended once the visitor's chat has begun; it comes back for other tests."""
    sandbox.child.kill()
    yield sandbox
    sandbox.child.start()
    sandbox.child.wait_ready(READY_WITHIN_S)


# --- the database ---------------------------------------------------------------------------------


def test_a_locked_database_refuses_what_must_be_written_and_lets_messages_pass(
    demo: RunningDemo, visitor: Visitor
) -> None:
    lock = sqlite3.connect(demo.database, isolation_level=None, timeout=10)
    lock.execute("BEGIN EXCLUSIVE")
    try:
        with ThreadPoolExecutor(2) as pool:
            started = pool.submit(start, demo, str(uuid.uuid4()))
            rated = pool.submit(
                requests.put,
                f"{demo.url}/api/v1/session/rating",
                json={"score": 5},
                headers={"X-Amz-Bearer": visitor.key},
                timeout=30,
            )
            assert visitor.send("while it is locked")["Id"]
            for answer in (started.result(), rated.result()):
                assert_problem(
                    answer, 503, "storage-unavailable", INTERNAL, says="try again", waits=True
                )
    finally:
        lock.execute("ROLLBACK")
        lock.close()
    assert start(demo, str(uuid.uuid4())).status_code == 201
    eventually(lambda: "while it is locked" in visitor.get("session/transcript").text)


def test_no_log_line_of_a_bad_day_holds_a_secret(demo: RunningDemo, visitor: Visitor) -> None:
    demo.sandbox.add_fault(kind="status", status=503)
    visitor.call("message", {"ContentType": "text/plain", "Content": "hush, a secret"})
    visitor.call("transcript", {})
    start(demo, str(uuid.uuid4()))
    secrets = [*map(str, demo.sandbox.state()["secrets"]), visitor.key, visitor.connection_key]
    demo.sandbox.clear_faults()
    written = demo.child.written()
    assert "hush" not in written
    assert not [secret for secret in secrets if secret in written]
    assert all(json.loads(line) for line in written.splitlines() if line.startswith("{"))
