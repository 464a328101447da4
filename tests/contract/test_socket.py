"""The websocket: subscribe, heartbeat, ping, and who gets which frames when."""

import json

import pytest

from tests.contract.ground import ENDED, JOINED, SUBSCRIBE, Ground, differs


def test_a_subscription_is_acknowledged(ground: Ground) -> None:
    chat = ground.start()
    ear = chat.listen(subscribed=False)
    ack = ear.subscribe()
    assert ack["content"]["status"] == "success"
    assert ack["content"]["topics"] == ["aws/chat"]


def test_heartbeat_and_ping_are_answered_even_before_a_subscription(ground: Ground) -> None:
    ear = ground.start().listen(subscribed=False)
    ear.send('{"topic":"aws/heartbeat"}')
    ear.frame(topic="aws/heartbeat")
    ear.send('{"topic":"aws/ping"}')
    ear.frame(topic="aws/ping", statusCode=200, statusContent="OK")


def test_three_greetings_at_once_are_answered_in_order(ground: Ground) -> None:
    ear = ground.start().listen(subscribed=False)
    for text in (SUBSCRIBE, '{"topic":"aws/ping"}', '{"topic":"aws/heartbeat"}'):
        ear.send(text)
    ear.frame(topic="aws/heartbeat")
    controls = [each["topic"] for each in ear.frames if each["topic"] != "aws/chat"]
    assert controls == ["aws/subscribe", "aws/ping", "aws/heartbeat"]


def test_the_ios_sdks_stray_parenthesis_is_forgiven(ground: Ground) -> None:
    ear = ground.start().listen(subscribed=False)
    ear.send(SUBSCRIBE + ")")
    assert ear.frame(topic="aws/subscribe")["content"]["status"] == "success"


def test_a_subscription_to_something_else_fails(ground: Ground) -> None:
    ear = ground.start().listen(subscribed=False)
    ear.send('{"topic":"aws/subscribe","content":{"topics":["aws/weather"]}}')
    assert ear.frame(topic="aws/subscribe")["content"]["status"] == "failure"


@pytest.mark.parametrize("text", ["{}", "no json", "[1]", '{"topic":"aws/unheard-of"}', "[" * 9999])
def test_what_is_not_understood_does_no_harm(ground: Ground, text: str) -> None:
    chat = ground.live()
    chat.ear.send("")
    chat.ear.send(text)
    chat.ear.settle()
    sent = chat.send("still here")
    chat.ear.item(Id=sent["Id"])


@differs("proxy", "an error frame of the gateway's is not imitated")
def test_an_unknown_topic_is_answered_by_the_gateway(ground: Ground) -> None:
    chat = ground.live()
    chat.ear.send('{"topic":"aws/unheard-of"}')
    error = chat.ear.frame(message="Forbidden")
    assert set(error) == {"message", "connectionId", "requestId"}


def test_nothing_is_delivered_before_the_subscription(ground: Ground) -> None:
    chat = ground.live()
    second = chat.listen(subscribed=False)
    sent = chat.send("for the subscribed")
    chat.ear.item(Id=sent["Id"])
    assert second.settle() == []


def test_every_subscribed_socket_gets_every_frame(ground: Ground) -> None:
    chat = ground.live()
    second = chat.listen()
    chat.say("one")
    chat.say("two")
    for ear in (chat.ear, second):
        ear.item(Content="one")
        ear.item(Content="two")


def test_the_flow_starts_with_the_first_live_connection(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    ear = chat.listen()
    joined = ear.item(ContentType=JOINED)
    assert joined["ParticipantId"] == chat.started.participant_id
    assert joined["ParticipantRole"] == "CUSTOMER"
    chat.listen()
    ear.settle()
    assert sum(each.get("ContentType") == JOINED for each in ear.items()) == 1


@differs("proxy", "the proxy's link opens at CreateParticipantConnection, tab or not")
def test_the_flow_does_not_start_before_the_customer_listens(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    assert chat.entries() == []


def test_a_data_frame_is_json_inside_json(ground: Ground) -> None:
    chat = ground.live()
    sent = chat.send('hällo \u2028 "quoted"')
    chat.ear.item(Id=sent["Id"])
    frame = next(f for f in chat.ear.frames if sent["Id"] in f.get("content", ""))
    assert frame["contentType"] == "application/json"
    assert isinstance(frame["content"], str)
    item = json.loads(frame["content"])
    assert item == {
        "AbsoluteTime": sent["AbsoluteTime"],
        "Content": 'hällo \u2028 "quoted"',
        "ContentType": "text/plain",
        "Id": sent["Id"],
        "Type": "MESSAGE",
        "ParticipantId": chat.started.participant_id,
        "DisplayName": "Customer",
        "ParticipantRole": "CUSTOMER",
        "InitialContactId": chat.contact_id,
        "ContactId": chat.contact_id,
    }


def test_the_end_is_bare(ground: Ground) -> None:
    chat = ground.live()
    chat.act("end")
    ended = chat.ear.item(ContentType=ENDED)
    assert set(ended) == {
        *("AbsoluteTime", "ContentType", "Id", "Type"),
        *("InitialContactId", "ContactId"),
    }


@differs("proxy", "tabs do not expire with the link's socket")
def test_a_socket_is_closed_at_its_expiry(ground: Ground) -> None:
    ground.sandbox.stop_clock()
    chat = ground.live()
    ground.sandbox.advance(3599)
    chat.ear.settle()
    ground.sandbox.advance(2)
    assert chat.ear.closed() == 1001


def test_missed_frames_are_not_replayed_to_a_new_socket(ground: Ground) -> None:
    chat = ground.live()
    chat.ear.settle()
    chat.ear.close()
    missed = chat.send("missed")
    later = chat.listen()
    seen = chat.send("seen")
    later.item(Id=seen["Id"])
    assert missed["Id"] not in [each["Id"] for each in later.items()]
    assert missed["Id"] in [each["Id"] for each in chat.entries()]
