"""CreateParticipantConnection: what it hands out, how often, and for how long."""

from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import InvalidStatus

from tests.contract.ground import Ground, assert_refused, differs

OWN_LIFETIMES = "the proxy's keys and tickets follow its own clock"


def test_only_what_was_asked_for_is_handed_out(ground: Ground) -> None:
    chat = ground.start()
    both = chat.connect()
    assert set(both) == {"Websocket", "ConnectionCredentials"}
    assert set(both["Websocket"]) == {"Url", "ConnectionExpiry"}
    assert set(both["ConnectionCredentials"]) == {"ConnectionToken", "Expiry"}
    assert len(both["Websocket"]["Url"]) <= 2000
    assert len(both["ConnectionCredentials"]["ConnectionToken"]) <= 1000
    assert set(chat.connect(("WEBSOCKET",))) == {"Websocket"}
    assert set(chat.connect(("CONNECTION_CREDENTIALS",))) == {"ConnectionCredentials"}


def test_the_websocket_is_where_chatjs_will_go(ground: Ground) -> None:
    chat = ground.start()
    assert chat.new_url().startswith(("wss://", "ws://127.0.0.1:"))


def test_a_token_lasts_a_day_and_a_socket_an_hour(ground: Ground) -> None:
    made = ground.start().connect()
    now = datetime.now(UTC)
    expiry = datetime.fromisoformat(made["ConnectionCredentials"]["Expiry"])
    assert timedelta(hours=23) < expiry - now <= timedelta(days=1, minutes=1)
    expiry = datetime.fromisoformat(made["Websocket"]["ConnectionExpiry"])
    assert timedelta(minutes=30) < expiry - now <= timedelta(hours=2)
    for instant in (made["ConnectionCredentials"]["Expiry"], made["Websocket"]["ConnectionExpiry"]):
        assert datetime.strptime(instant, "%Y-%m-%dT%H:%M:%S.%fZ")
        assert len(instant) == len("2026-01-01T00:00:00.000Z")


def test_earlier_connection_tokens_stay_valid(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    first = chat.token
    chat.connect()
    if ground.name == "sandbox":  # ours are signed: made in the same second, they are the same
        assert chat.post("transcript", {}, first).status_code == 200
    assert chat.post("transcript", {}).status_code == 200


def test_a_websocket_url_works_once(ground: Ground) -> None:
    chat = ground.start()
    url = chat.connect()["Websocket"]["Url"]
    chat.listen(url)
    with pytest.raises(InvalidStatus) as refused:
        chat.listen(url)
    assert refused.value.response.status_code == 403


def test_a_made_up_websocket_url_is_refused(ground: Ground) -> None:
    chat = ground.start()
    url = chat.new_url()
    with pytest.raises(InvalidStatus) as refused:
        chat.listen(url[:-8] + "AAAAAAAA")
    assert refused.value.response.status_code == 403


@differs("proxy", OWN_LIFETIMES)
def test_a_websocket_url_is_good_for_100_seconds(ground: Ground) -> None:
    ground.sandbox.stop_clock()
    chat = ground.start()
    early, late = chat.new_url(), chat.new_url()
    ground.sandbox.advance(99)
    chat.listen(early)
    ground.sandbox.advance(2)
    with pytest.raises(InvalidStatus):
        chat.listen(late)


@differs("proxy", OWN_LIFETIMES)
def test_a_connection_token_is_good_for_a_day(ground: Ground) -> None:
    ground.sandbox.stop_clock()
    chat = ground.start()
    chat.connect()
    ground.sandbox.advance(86_000)
    assert chat.post("transcript", {}).status_code == 200
    ground.sandbox.advance(500)
    assert_refused(chat.post("transcript", {}), 403, "AccessDeniedException")
    chat.connect()
    assert chat.post("transcript", {}).status_code == 200


@differs("proxy", "the oldest tab makes room for a new one")
def test_a_participant_has_five_sockets_at_most(ground: Ground) -> None:
    chat = ground.start()
    chat.connect()
    for _ in range(5):
        chat.listen()
    with pytest.raises(InvalidStatus) as refused:
        chat.listen()
    assert refused.value.response.status_code == 403
    chat.ears[0].close()
    chat.listen()


@differs("proxy", "ConnectParticipant is accepted and not forwarded")
def test_connecting_without_a_socket_needs_streaming(ground: Ground) -> None:
    chat = ground.start()
    token = chat.started.participant_token
    answer = chat.post("connection", {"ConnectParticipant": True}, token)
    assert_refused(answer, 400, "ValidationException")
    arn = "arn:aws:sns:us-west-2:111122223333:topic"
    chat = ground.start(ChatStreamingConfiguration={"StreamingEndpointArn": arn})
    token = chat.started.participant_token
    assert chat.post("connection", {"ConnectParticipant": True}, token).json() == {}
    chat.connect(("CONNECTION_CREDENTIALS",))
    assert chat.entries()[0]["ContentType"].endswith("participant.joined")


@differs("proxy", "the five minutes run on the service's clock; see the proxy's own states")
def test_who_does_not_connect_within_five_minutes_is_too_late(ground: Ground) -> None:
    late, in_time = ground.start(), ground.start()
    in_time.connect()
    ground.sandbox.advance(301)
    answer = late.post("connection", {"Type": ["WEBSOCKET"]}, late.started.participant_token)
    assert_refused(answer, 403, "AccessDeniedException")
    in_time.connect()
