"""What each door answers while the instance's quota is used up, and that clients outlive it.

The quotas here come back so slowly that whoever waits the governor's eight seconds waits in vain.
Each test has an instance of its own, and so a governor of its own.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.chatjs import chatjs, needs_chatjs
from tests.flow.client import EVENT, Visitor, eventually
from tests.flow.problem import assert_problem
from tests.processes import RunningDemo, RunningSandbox, started_demo

PLACES = 5
SLOW = 0.05
QUOTAS = {
    "connection": (0.06, 2.1),
    "message": (SLOW, 1),
    "transcript": (SLOW, 4.1),
    "attachment_get": (SLOW, 1),
    "disconnect": (SLOW, 1),
    "upload_start": (SLOW, 1),
    "upload_complete": (SLOW, 1),
    "other": (SLOW, 1),
    "start_chat": (0.02, 4.1),
    "stop_contact": (SLOW, 1),
}
MESSAGE = {"ContentType": "text/plain", "Content": "hello"}
UPLOAD = {
    "ContentType": "text/plain",
    "AttachmentName": "a.txt",
    "AttachmentSizeInBytes": 3,
    "ClientToken": "a",
}
SIGN_IN = {"SessionId": str(uuid.uuid4())}

#: Path and body of every operation that has to ask the service.
ASKING: dict[str, dict[str, Any]] = {
    "message": MESSAGE,
    "transcript": {"ContactId": "another chat's, which memory does not know"},
    "attachment": {"AttachmentId": "a"},
    "start-attachment-upload": UPLOAD,
    "complete-attachment-upload": {"AttachmentIds": ["a"], "ClientToken": "a"},
    "authentication-url": {**SIGN_IN, "RedirectUri": "https://shop.example/"},
    "cancel-authentication": SIGN_IN,
    "disconnect": {},
}


@pytest.fixture(scope="module")
def slow_demo(
    running_sandbox: RunningSandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDemo]:
    folder = tmp_path_factory.mktemp("slow")
    with started_demo(folder, running_sandbox, CONNECT_QUOTAS=json.dumps(QUOTAS)) as demo:
        rows = [
            {
                "key": key,
                "name": key,
                "accepts_no_origin": True,
                "instance_id": str(uuid.uuid4()),
                "live_chats": PLACES,
            }
            for key in ("doors", "late", "places", "chatjs")
        ]
        make = f"[Widget.objects.create(**row) for row in {rows!r}]"
        demo.manage("shell", "-c", f"from chatproxy.widgets.models import Widget; {make}")
        yield demo


@pytest.fixture
def demo(slow_demo: RunningDemo, sandbox: RunningSandbox) -> RunningDemo:
    sandbox.change(bot=False, quotas="off")
    return slow_demo


def delete(visitor: Visitor) -> requests.Response:
    headers = {"X-Amz-Bearer": visitor.key}
    return requests.delete(f"{visitor.url}/api/v1/session", headers=headers, timeout=30)


def start(demo: RunningDemo, widget: str, timeout_s: float = 30) -> requests.Response:
    body = {"widget": widget, "clientToken": str(uuid.uuid4())}
    return requests.post(f"{demo.url}/api/v1/sessions", json=body, timeout=timeout_s)


def view(visitor: Visitor) -> requests.Response:
    headers = {"X-Amz-Bearer": visitor.connection_key}
    return requests.get(f"{visitor.url}/participant/views/a", headers=headers, timeout=30)


def calls(sandbox: RunningSandbox) -> dict[str, int]:
    """How often each operation was called, but for those that links call for themselves."""
    counted: dict[str, int] = sandbox.state()["requests"]
    of_links = {"CreateParticipantConnection", "GetTranscript"}
    return {name: count for name, count in counted.items() if name not in of_links}


def assert_busy(answer: requests.Response, status: int) -> None:
    assert_problem(
        answer, status, "upstream-throttled", "ThrottlingException", says="busy", waits=True
    )
    told = re.search(r"Nothing was done; try again in (\d+) second", answer.json()["detail"])
    assert told is not None
    assert answer.headers["Retry-After"] == told[1]
    assert 1 <= int(told[1]) <= 60


def test_each_door_says_that_it_is_busy_and_when_to_come_back(
    demo: RunningDemo, sandbox: RunningSandbox
) -> None:
    visitor, other, third, fourth = (Visitor(demo.url, widget="doors") for _ in range(4))
    visitor.connect()
    other.connect()
    # Use it all up, whatever the answers are.
    other.call("disconnect", {})
    for _ in range(2):
        visitor.call("transcript", ASKING["transcript"])
    for operation in ASKING.keys() - {"disconnect", "transcript", "authentication-url"}:
        visitor.call(operation, ASKING[operation])
    assert delete(third).status_code == 204

    before, began = calls(sandbox), time.monotonic()
    with ThreadPoolExecutor(20) as crowd:
        asked = [crowd.submit(visitor.call, *each) for each in ASKING.items()]
        asked.append(crowd.submit(view, visitor))
        ours = [crowd.submit(start, demo, "doors"), crowd.submit(delete, fourth)]
        ours.append(crowd.submit(delete, visitor))
        # What can be answered without the service is, and at once.
        assert visitor.call("event", {"ContentType": EVENT + "typing"}).status_code == 200
        assert visitor.call("transcript", {}).status_code == 200
        assert visitor.call("connection", {"Type": ["WEBSOCKET"]}, visitor.key).status_code == 200
        assert visitor.get("session").status_code == 200
        assert time.monotonic() - began < 5
        for future in asked:
            assert_busy(future.result(), 429)
        for future in ours:
            assert_busy(future.result(), 503)
    assert calls(sandbox) == before
    assert visitor.state() == "active"


def test_a_connection_is_made_all_the_same_and_what_needs_it_is_told_to_wait(
    demo: RunningDemo,
) -> None:
    for _ in range(2):
        Visitor(demo.url, widget="late").connect()
    late = Visitor(demo.url, widget="late")
    began = time.monotonic()
    late.connect()
    assert time.monotonic() - began < 6
    needy = {operation: ASKING[operation] for operation in ASKING.keys() - {"disconnect"}}
    with ThreadPoolExecutor(len(needy)) as crowd:
        answers = list(crowd.map(late.call, needy.keys(), needy.values()))
    for answer in answers:
        assert_problem(
            answer, 429, "upstream-throttled", "ThrottlingException", says="coming up", waits=True
        )
    # None of them has used up what there is for when the connection is there.
    eventually(lambda: late.call("message", MESSAGE).status_code == 200, 60)


def test_a_start_that_found_no_room_in_the_quota_gives_its_place_back(demo: RunningDemo) -> None:
    for _ in range(PLACES - 1):
        assert start(demo, "places").status_code == 201
    with pytest.raises(requests.ReadTimeout):
        start(demo, "places", timeout_s=1)  # a page that does not wait for it
    # Once it is noticed that the page has gone, there is a place again; what lacks is quota.
    answers = [start(demo, "places")]
    eventually(lambda: answers[-1].status_code != 429 or answers.append(start(demo, "places")))
    assert_busy(answers[-1], 503)
    assert_busy(start(demo, "places"), 503)


@needs_chatjs
@pytest.mark.parametrize("version", ["5"])
def test_chatjs_outlives_a_used_up_quota(demo: RunningDemo, version: str) -> None:
    for _ in range(2):
        Visitor(demo.url, widget="chatjs").connect()
    chat = Visitor(demo.url, widget="chatjs")
    with chatjs(
        version,
        demo.url,
        contact_id=chat.contact_id,
        participant_id=chat.participant_id,
        participant_token=chat.key,
    ) as session:
        session.connect(within_s=60)
        sent = session.do("sendMessage", contentType="text/plain", message="still here")
        assert session.hear("onMessage", Id=sent["Id"])["Content"] == "still here"
