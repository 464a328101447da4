"""The service's rates: how many calls at once, how many a second, and who shares them."""

from collections.abc import Callable

import pytest
import requests

from tests.contract.ground import TYPING, Chat, Ground, assert_refused

pytestmark = pytest.mark.parametrize("ground", ["sandbox"], indirect=True)

OTHER_INSTANCE = "33333333-3333-4333-8333-333333333333"


def say(chat: Chat) -> requests.Response:
    return chat.post("message", {"ContentType": "text/plain", "Content": "x"})


def typing(chat: Chat) -> requests.Response:
    return chat.post("event", {"ContentType": TYPING})


def connect(chat: Chat) -> requests.Response:
    return chat.post("connection", {"Type": ["WEBSOCKET"]}, chat.started.participant_token)


def transcript(chat: Chat) -> requests.Response:
    return chat.post("transcript", {})


def reserve(chat: Chat) -> requests.Response:
    body = {"AttachmentName": "a.png", "AttachmentSizeInBytes": 1, "ContentType": "image/png"}
    return chat.post("start-attachment-upload", body | {"ClientToken": "t"})


def fetch(chat: Chat) -> requests.Response:
    return chat.post("attachment", {"AttachmentId": "x"})


def describe(chat: Chat) -> requests.Response:
    url = f"{chat.ground.url}/participant/views/x"
    return requests.get(url, headers={"X-Amz-Bearer": chat.token}, timeout=10)


def exact(ground: Ground) -> None:
    """Throttle from now on; time stands where the test puts it."""
    ground.sandbox.stop_clock()
    ground.sandbox.change(quotas="exact")


def taken(call: Callable[[Chat], requests.Response], chat: Chat, tries: int) -> int:
    """How many of so many calls, as fast as they go, were not throttled."""
    return sum(call(chat).status_code != 429 for _ in range(tries))


@pytest.mark.parametrize(
    ("call", "burst", "rate"),
    [
        (connect, 9, 6),
        (say, 15, 10),
        (transcript, 12, 8),
        (fetch, 12, 8),
        (reserve, 5, 2),
        (describe, 5, 2),
    ],
)
def test_a_burst_is_taken_and_then_a_rate(
    ground: Ground, call: Callable[[Chat], requests.Response], burst: int, rate: int
) -> None:
    chat = ground.start()
    chat.connect()
    exact(ground)
    assert taken(call, chat, burst + 3) == burst
    ground.sandbox.advance(1)
    assert taken(call, chat, rate + 3) == rate
    ground.sandbox.advance(60)
    assert taken(call, chat, burst + 3) == burst


def test_too_fast_is_a_throttling_exception(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    exact(ground)
    answers = [transcript(chat) for _ in range(13)]
    assert_refused(answers[-1], 429, "ThrottlingException")
    assert ground.sandbox.state()["throttled"] == {"GetTranscript": 1}


def test_messages_and_events_share_a_bucket(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    exact(ground)
    assert taken(typing, chat, 15) == 15
    assert taken(say, chat, 3) == 0


def test_all_chats_of_an_instance_share_and_other_instances_do_not(ground: Ground) -> None:
    one, two = ground.start(), ground.start()
    other = ground.start(InstanceId=OTHER_INSTANCE)
    for chat in (one, two, other):
        chat.connect()
    exact(ground)
    assert taken(say, one, 15) == 15
    assert taken(say, two, 3) == 0
    assert taken(say, other, 15) == 15


def test_starting_and_stopping_have_buckets_of_the_account(ground: Ground) -> None:
    started = [ground.start() for _ in range(4)]
    exact(ground)
    instances = [f"{number:08d}" for number in range(12)]
    body = {"ContactFlowId": "f", "ParticipantDetails": {"DisplayName": "x"}}
    url = f"{ground.url}/contact/chat"
    answers = [
        requests.put(url, json=body | {"InstanceId": each}, timeout=10) for each in instances
    ]
    assert [each.status_code for each in answers] == [200] * 8 + [429] * 4
    assert_refused(answers[-1], 429, "TooManyRequestsException")
    url = f"{ground.url}/contact/stop"
    stops = [
        requests.post(url, json={"ContactId": each.contact_id, "InstanceId": "x"}, timeout=10)
        for each in started + started
    ]
    assert [each.status_code for each in stops] == [404] * 5 + [429] * 3


def test_without_quotas_nothing_is_throttled(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    assert taken(say, chat, 40) == 40
    assert ground.sandbox.state()["throttled"] == {}
