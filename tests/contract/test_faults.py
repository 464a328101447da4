"""Things that go wrong because the control API was asked to let them."""

import time
from typing import Any

import pytest
import requests
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.sync.client import connect

from tests.contract.ground import ENDED, TYPING, Chat, Ear, Ground, assert_refused
from tests.flow.client import eventually

pytestmark = pytest.mark.parametrize("ground", ["sandbox"], indirect=True)


def say(chat: Chat, content: str = "x", **more: Any) -> requests.Response:
    return chat.post("message", {"ContentType": "text/plain", "Content": content} | more)


@pytest.fixture
def chat(ground: Ground) -> Chat:
    return ground.live()


def test_a_fault_ends_after_its_count(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="throttle", operation="SendMessage", count=2, skip=1)
    assert [say(chat).status_code for _ in range(4)] == [200, 429, 429, 200]
    assert ground.sandbox.control("GET", "faults") == []


def test_a_fault_ends_after_its_time(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="throttle", operation="SendMessage", seconds=3)
    assert say(chat).status_code == 429
    eventually(lambda: say(chat).status_code == 200)


def test_a_fault_may_aim_at_one_chat(ground: Ground, chat: Chat) -> None:
    other = ground.live()
    ground.sandbox.add_fault(kind="error", operation="*", contact_id=chat.contact_id)
    assert_refused(say(chat), 500, "InternalServerException")
    assert say(other).status_code == 200
    ground.sandbox.clear_faults()
    assert say(chat).status_code == 200


def test_any_error_any_status_and_nonsense(ground: Ground, chat: Chat) -> None:
    fault = {"operation": "SendMessage", "count": 1}
    ground.sandbox.add_fault(kind="error", error="ConflictException", message="Busy", **fault)
    assert assert_refused(say(chat), 409, "ConflictException") == "Busy"
    ground.sandbox.add_fault(kind="error", error="ForbiddenException", **fault)
    assert say(chat).status_code == 403
    ground.sandbox.add_fault(kind="status", status=502, body="<h1>Bad gateway</h1>", **fault)
    answer = say(chat)
    assert (answer.status_code, answer.text) == (502, "<h1>Bad gateway</h1>")
    ground.sandbox.add_fault(kind="nonsense", **fault)
    answer = say(chat)
    assert answer.status_code == 200
    assert "<html>" in answer.text
    texts = [each.get("Content") for each in chat.entries()]
    assert "x" not in texts, "none of them was done"


def test_starting_fails_in_the_other_services_words(ground: Ground) -> None:
    body = {"InstanceId": "i", "ContactFlowId": "f", "ParticipantDetails": {"DisplayName": "x"}}
    for kind, status, name in (
        ("error", 500, "InternalServiceException"),
        ("throttle", 429, "TooManyRequestsException"),
    ):
        ground.sandbox.add_fault(kind=kind, operation="StartChatContact", count=1)
        answer = requests.put(f"{ground.url}/contact/chat", json=body, timeout=10)
        assert_refused(answer, status, name)
    assert ground.sandbox.state()["contacts"] == []


def test_a_slow_answer(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="delay", operation="SendMessage", delay_s=0.2, when="after")
    began = time.monotonic()
    assert say(chat).status_code == 200
    assert time.monotonic() - began >= 0.2


def test_no_answer_at_all(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="hang", operation="SendMessage", count=1)
    body = {"ContentType": "text/plain", "Content": "lost"}
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{ground.url}/participant/message",
            json=body,
            headers={"X-Amz-Bearer": chat.token},
            timeout=0.2,
        )
    assert "lost" not in [each.get("Content") for each in chat.entries()]


def test_a_reset_connection(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="reset", operation="SendMessage", count=1)
    with pytest.raises(requests.ConnectionError):
        say(chat, "lost")
    assert "lost" not in [each.get("Content") for each in chat.entries()]


def test_an_answer_may_be_lost_after_the_deed_and_a_retry_finds_it(
    ground: Ground, chat: Chat
) -> None:
    ground.sandbox.add_fault(kind="lose_answer", operation="SendMessage", count=1)
    with pytest.raises(requests.ConnectionError):
        say(chat, "done", ClientToken="t")
    said = chat.ear.item(Content="done")
    assert say(chat, "done", ClientToken="t").json()["Id"] == said["Id"]
    assert sum(each.get("Content") == "done" for each in chat.entries()) == 1


def test_boto3_retries_through_it(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="throttle", operation="SendMessage", count=1)
    boto = ground.boto()
    with pytest.raises(boto.exceptions.ThrottlingException):
        boto.send_message(ContentType="text/plain", Content="x", ConnectionToken=chat.token)


def test_sockets_are_dropped(ground: Ground, chat: Chat) -> None:
    second = chat.listen()
    assert chat.act("drop-sockets", code=1011) == {"sockets": 2}
    assert chat.ear.closed() == second.closed() == 1011
    third = chat.listen()
    chat.act("drop-sockets", abort=True)
    assert third.closed() == 1006


def test_a_half_open_socket_is_silent_both_ways(ground: Ground, chat: Chat) -> None:
    healthy = chat.listen()
    chat.ear.settle()
    ground.sandbox.add_fault(kind="half_open", contact_id=chat.contact_id, count=1)
    deaf = chat.listen()
    eventually(lambda: not answers(deaf), what="it goes on answering heartbeats")
    sent = chat.send("heard by some")
    healthy.item(Id=sent["Id"])
    assert sent["Id"] not in [each["Id"] for each in deaf.items()]
    assert not deaf.socket.ping().wait(0.2), "not even a protocol ping"
    assert chat.act("half-open") == {"sockets": 3}
    told = ground.sandbox.control("GET", f"contacts/{chat.contact_id}")
    assert told["deaf"] == 3
    chat.act("drop-sockets", abort=True)  # a client would wait long for their answers to its close


def answers(ear: Ear) -> bool:
    """Whether a heartbeat is answered."""
    ear.send('{"topic":"aws/heartbeat"}')
    try:
        ear.frame(within_s=0.3, topic="aws/heartbeat")
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("status", [403, 500, 503])
def test_handshakes_are_refused(ground: Ground, chat: Chat, status: int) -> None:
    ground.sandbox.add_fault(kind="refuse_handshake", status=status, count=1)
    url = chat.new_url()
    with pytest.raises(InvalidStatus) as refused:
        chat.listen(url)
    assert refused.value.response.status_code == status
    chat.listen(url)  # it was not spent


def test_a_handshake_may_hang(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="hang_handshake", count=1)
    with (
        pytest.raises((TimeoutError, InvalidHandshake)),
        connect(chat.new_url(), proxy=None, open_timeout=0.3),
    ):
        pass


def test_a_socket_may_be_unwell(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="refuse_subscribe", count=1)
    ear = chat.listen(subscribed=False)
    assert ear.subscribe()["content"]["status"] == "failure"
    assert ear.subscribe()["content"]["status"] == "success"
    ground.sandbox.add_fault(kind="unhealthy_ping", count=1)
    ear.send('{"topic":"aws/ping"}')
    ear.frame(topic="aws/ping", statusCode=500)
    ground.sandbox.add_fault(kind="ignore_heartbeat", count=1)
    ear.send('{"topic":"aws/heartbeat"}')
    ear.settle()
    assert "aws/heartbeat" not in [each["topic"] for each in ear.frames]
    chat.act("send-frame")
    ear.frame(message="Internal server error")


def test_tokens_and_urls_expire_at_once(ground: Ground, chat: Chat) -> None:
    url = chat.new_url()
    ground.sandbox.control("POST", "expire", {"kind": "websocket"})
    with pytest.raises(InvalidStatus):
        chat.listen(url)
    ground.sandbox.control("POST", "expire", {"kind": "connection", "contact_id": chat.contact_id})
    assert_refused(say(chat), 403, "AccessDeniedException")
    chat.connect()
    assert say(chat).status_code == 200
    ground.sandbox.control("POST", "expire", {"kind": "participant"})
    answer = chat.post("connection", {"Type": ["WEBSOCKET"]}, chat.started.participant_token)
    assert_refused(answer, 403, "AccessDeniedException")


def test_frames_come_twice(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="duplicate", item="MESSAGE", count=1)
    sent = chat.send("echo echo")
    chat.event(TYPING)
    chat.ear.item(ContentType=TYPING)
    ids = [each["Id"] for each in chat.ear.items()]
    assert ids.count(sent["Id"]) == 2


def test_frames_come_in_another_order(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="reorder", item="MESSAGE", count=2)
    first, second = chat.send("first"), chat.send("second")
    chat.ear.item(Id=first["Id"])
    ids = [each["Id"] for each in chat.ear.items()]
    assert ids.index(second["Id"]) < ids.index(first["Id"])


def test_frames_are_withheld_until_they_are_released(ground: Ground, chat: Chat) -> None:
    fault = ground.sandbox.add_fault(kind="withhold", contact_id=chat.contact_id)
    first, second = chat.send("first"), chat.send("second")
    heard = {each["Id"] for each in chat.ear.settle()}
    assert not heard & {first["Id"], second["Id"]}
    path = f"faults/{fault['id']}/release"
    assert ground.sandbox.control("POST", path, {"in_reverse": True}) == {"released": 2}
    chat.ear.item(Id=second["Id"])
    chat.ear.item(Id=first["Id"])
    third = chat.send("third")
    ground.sandbox.clear_faults()
    chat.ear.item(Id=third["Id"])


def test_frames_are_lost_or_late(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="lose", item="MESSAGE", count=1)
    lost = chat.send("lost")
    ground.sandbox.add_fault(kind="late", item="MESSAGE", count=1, delay_s=1.5)
    late = chat.send("late")
    assert late["Id"] not in [each["Id"] for each in chat.ear.settle()]
    chat.ear.item(Id=late["Id"])
    assert lost["Id"] not in [each["Id"] for each in chat.ear.items()]
    assert lost["Id"] in [each["Id"] for each in chat.entries()]


def test_a_chat_ends_unseen(ground: Ground, chat: Chat) -> None:
    chat.act("end", unseen=True)
    assert ENDED not in [each.get("ContentType") for each in chat.ear.settle()]
    assert_refused(say(chat), 403, "AccessDeniedException")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("faults", {"kind": "mischief"}),
        ("faults", {"kind": "hang", "operation": "Sing"}),
        ("faults", {"kind": "hang", "colour": "red"}),
        ("faults", {"kind": "hang", "count": "two"}),
        ("faults", {}),
        ("clock", {"advance_s": "long"}),
        ("expire", {"kind": "milk"}),
    ],
)
def test_a_wrong_control_request_says_what_is_wrong(
    ground: Ground, path: str, body: dict[str, Any]
) -> None:
    answer = requests.post(f"{ground.url}/control/{path}", json=body, timeout=10)
    assert answer.status_code == 400
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "settings",
    [{"colour": 1}, {"quotas": "some"}, {"scanner_s": -1}, {"bot": "yes"}, {"instance_ids": "x"}],
)
def test_wrong_settings_change_nothing(ground: Ground, settings: dict[str, Any]) -> None:
    url = f"{ground.url}/control/settings"
    answer = requests.put(url, json={"websocket_s": 1, **settings}, timeout=10)
    assert answer.status_code == 400
    assert requests.get(url, timeout=10).json()["websocket_s"] == 3600


def test_pages_may_not_use_the_control_api(ground: Ground) -> None:
    headers = {"Origin": "http://evil.example"}
    answer = requests.post(f"{ground.url}/control/reset", headers=headers, timeout=10)
    assert answer.status_code == 403


def test_the_state_tells_calls_and_every_secret(ground: Ground, chat: Chat) -> None:
    say(chat, ClientToken="t-7")
    state = ground.sandbox.state()
    assert state["requests"]["SendMessage"] == 1
    assert state["answers"]["SendMessage"] == {"200": 1}
    assert state["sockets_open"] == 1
    secrets = {each["value"] for each in state["secrets"]}
    assert {chat.token, chat.started.participant_token} <= secrets
    call = ground.sandbox.control("GET", "calls")[-1]
    assert (call["operation"], call["client_token"], call["status"]) == ("SendMessage", "t-7", 200)
    assert chat.token not in str(call)


def test_a_reset_forgets_everything(ground: Ground, chat: Chat) -> None:
    ground.sandbox.change(websocket_s=7)
    ground.sandbox.add_fault(kind="hang")
    ground.sandbox.reset()
    assert chat.ear.closed() == 1006
    assert_refused(say(chat), 403, "AccessDeniedException")
    state = ground.sandbox.state()
    assert (state["contacts"], state["secrets"], state["faults"]) == ([], [], [])
    assert ground.sandbox.control("GET", "settings")["websocket_s"] == 3600


def test_what_a_client_does_not_wait_for_is_done_all_the_same(ground: Ground, chat: Chat) -> None:
    ground.sandbox.add_fault(kind="delay", operation="SendMessage", delay_s=1.5, count=1)
    with pytest.raises(requests.Timeout):
        requests.post(
            f"{ground.url}/participant/message",
            json={"ContentType": "text/plain", "Content": "late"},
            headers={"X-Amz-Bearer": chat.token},
            timeout=0.2,
        )
    chat.ear.item(Content="late")
