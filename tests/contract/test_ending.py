"""The end: who may end a chat, what is still said, and that nothing works afterwards."""

import pytest

from tests.contract.ground import ENDED, LEFT, TYPING, Chat, Ground, assert_refused, differs
from tests.contract.test_refusals import OPERATIONS


def ended(chat: Chat) -> Chat:
    chat.act("end")
    chat.ear.item(ContentType=ENDED)
    return chat


@pytest.mark.parametrize("name", OPERATIONS)
def test_after_the_end_everything_is_denied(ground: Ground, name: str) -> None:
    chat = ended(ground.live())
    operation = OPERATIONS[name]
    answer = chat.post(operation.path, operation.body, operation.right_token(chat))
    assert_refused(answer, 403, "AccessDeniedException")


@pytest.mark.parametrize(
    "how",
    [
        pytest.param("unseen", marks=differs("proxy", "a live link answers; it asks nobody")),
        "seen",
    ],
)
def test_after_the_end_no_socket_is_opened(ground: Ground, how: str) -> None:
    chat = ground.live()
    chat.act("end", unseen=how == "unseen")
    if how == "seen":
        chat.ear.item(ContentType=ENDED)
    answer = chat.post("connection", {"Type": ["WEBSOCKET"]}, chat.started.participant_token)
    assert_refused(answer, 403, "AccessDeniedException")


def test_the_end_is_the_last_frame_and_the_socket_is_closed_after_it(ground: Ground) -> None:
    chat = ground.live()
    second = chat.listen()
    chat.act("leave", role="AGENT")
    ended(chat)
    for ear in (chat.ear, second):
        assert ear.closed() == 1000
        kinds = [each.get("ContentType") for each in ear.items()]
        assert kinds[-2:] == [LEFT, ENDED]


def test_a_customer_leaves_and_the_chat_ends(ground: Ground) -> None:
    chat = ground.live()
    chat.done("disconnect", {"ClientToken": "t"})
    left = chat.ear.item(ContentType=LEFT)
    assert left["ParticipantId"] == chat.started.participant_id
    chat.ear.item(ContentType=ENDED)
    assert_refused(chat.post("disconnect", {"ClientToken": "t"}), 403, "AccessDeniedException")


def test_a_survey_still_reaches_a_customer_who_has_left(ground: Ground) -> None:
    chat = ground.live()
    ground.sandbox.change(disconnect_flow_s=60)
    chat.done("disconnect", {})
    chat.ear.item(ContentType=LEFT)
    assert_refused(chat.post("event", {"ContentType": TYPING}), 403, "AccessDeniedException")
    said = chat.say("How was it?", role="SYSTEM")
    chat.ear.item(Id=said["Id"])
    ground.sandbox.advance(61)
    chat.ear.item(ContentType=ENDED)


@differs("proxy", "a start over the proxy does not choose this")
def test_an_agent_may_be_dropped_with_the_customer(ground: Ground) -> None:
    chat = ground.live(DisconnectOnCustomerExit=["AGENT"])
    chat.say("hello", role="AGENT")
    chat.done("disconnect", {})
    chat.ear.item(ContentType=LEFT, ParticipantRole="CUSTOMER")
    chat.ear.item(ContentType=LEFT, ParticipantRole="AGENT")
    chat.ear.item(ContentType=ENDED)


@differs("proxy", "the duration runs on the service's clock")
@pytest.mark.parametrize("minutes", [None, 60, 10_080])
def test_a_chat_lasts_as_long_as_was_asked_for(ground: Ground, minutes: int | None) -> None:
    ground.sandbox.stop_clock()
    chat = ground.live(**({"ChatDurationInMinutes": minutes} if minutes else {}))
    ground.sandbox.change(websocket_s=10_000_000, connection_token_s=10_000_000)
    chat.connect()
    later = chat.listen()
    ground.sandbox.advance((minutes or 1500) * 60 - 5)
    later.settle()
    ground.sandbox.advance(10)
    later.item(ContentType=ENDED)


def test_an_end_may_go_unseen(ground: Ground) -> None:
    chat = ground.live()
    chat.act("end", unseen=True)
    if ground.name == "sandbox":  # the proxy makes the frame up
        assert ENDED not in [each.get("ContentType") for each in chat.ear.settle()]
    answer = chat.post("message", OPERATIONS["SendMessage"].body)
    assert_refused(answer, 403, "AccessDeniedException")


def test_stop_contact_ends_a_chat(ground: Ground, connect_service: object) -> None:
    chat = ground.live()
    contact = ground.sandbox.control("GET", f"contacts/{chat.contact_id}")
    connect_service.stop_contact(  # type: ignore[attr-defined]
        ContactId=chat.contact_id, InstanceId=contact["instance_id"]
    )
    chat.ear.item(ContentType=ENDED)
    assert_refused(chat.post("event", {"ContentType": TYPING}), 403, "AccessDeniedException")
