"""A connection token that the service refuses is renewed; the chat goes on, perhaps a bit later."""

from __future__ import annotations

import time
import uuid

import pytest

from tests.flow.client import Visitor, eventually
from tests.processes import RunningDemo


@pytest.fixture
def visitor(demo: RunningDemo) -> Visitor:
    demo.sandbox.change(bot=False, quotas="off")
    visitor = Visitor(demo.url)
    visitor.connect()
    return visitor


def test_a_token_that_cannot_be_renewed_yet_is_no_end_of_the_chat(
    demo: RunningDemo, visitor: Visitor
) -> None:
    demo.sandbox.add_fault(operation="CreateParticipantConnection", kind="status")
    expired = {"kind": "connection", "contact_id": visitor.contact_id}
    demo.sandbox.control("POST", "expire", expired)
    message = {"ContentType": "text/plain", "Content": "once", "ClientToken": str(uuid.uuid4())}
    assert visitor.call("message", message).status_code == 429
    demo.sandbox.clear_faults()
    eventually(lambda: visitor.call("message", message).status_code == 200, 60)


def test_a_chat_whose_tokens_are_refused_again_and_again_goes_on(
    demo: RunningDemo, visitor: Visitor
) -> None:
    expired = {"kind": "connection", "contact_id": visitor.contact_id}
    for number in range(3):
        demo.sandbox.control("POST", "expire", expired)
        message = {"ContentType": "text/plain", "Content": str(number), "ClientToken": str(number)}
        end = time.monotonic() + 60
        while (status := visitor.call("message", message).status_code) != 200:
            assert status == 429
            assert time.monotonic() < end, "it is never renewed"
            time.sleep(0.5)
    assert [i.get("Content") for i in visitor.transcript()][-3:] == ["0", "1", "2"]


def test_a_token_the_service_refuses_is_renewed_before_anybody_notices(
    demo: RunningDemo, visitor: Visitor
) -> None:
    expired = demo.sandbox.control(
        "POST", "expire", {"kind": "connection", "contact_id": visitor.contact_id}
    )
    assert expired["expired"] >= 1
    for text in ("after the renewal", "and again", "and again"):
        assert visitor.send(text)["Id"]


def test_a_file_can_be_sent_on_a_token_the_service_refuses(
    demo: RunningDemo, visitor: Visitor
) -> None:
    told = {"kind": "connection", "contact_id": visitor.contact_id}
    assert demo.sandbox.control("POST", "expire", told)["expired"] >= 1
    file = {"ContentType": "text/plain", "AttachmentSizeInBytes": 4, "AttachmentName": "a.txt"}
    for number in range(2):
        answer = visitor.call("start-attachment-upload", {**file, "ClientToken": f"f{number}"})
        assert answer.status_code == 200, answer.text


def test_a_token_refused_anew_at_once_is_not_renewed_for_each_message(
    demo: RunningDemo, visitor: Visitor
) -> None:
    told = {"kind": "connection", "contact_id": visitor.contact_id}
    before = len(demo.sandbox.calls("CreateParticipantConnection", visitor.contact_id))
    statuses = []
    for _ in range(2):
        demo.sandbox.control("POST", "expire", told)
        for _ in range(3):
            message = {"ContentType": "text/plain", "Content": "hello?"}
            statuses.append(visitor.call("message", message).status_code)
    assert statuses == [200, 200, 200, 429, 429, 429]
    after = len(demo.sandbox.calls("CreateParticipantConnection", visitor.contact_id))
    assert after - before == 1
