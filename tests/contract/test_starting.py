"""StartChatContact and StopContact, as boto3 calls them. The proxy has a door of its own."""

from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from tests.contract.conftest import FLOW_ID, INSTANCE_ID
from tests.contract.ground import EVENT, Ground

pytestmark = pytest.mark.parametrize("ground", ["sandbox"], indirect=True)

STRANGER = "33333333-3333-4333-8333-333333333333"


def wanted(**more: Any) -> dict[str, Any]:
    return {
        "InstanceId": INSTANCE_ID,
        "ContactFlowId": FLOW_ID,
        "ParticipantDetails": {"DisplayName": "Customer"},
    } | more


def refusal(call: Any, **arguments: Any) -> tuple[str, int]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_start_names_contact_participant_and_token(ground: Ground, connect_service: Any) -> None:
    answer = connect_service.start_chat_contact(**wanted())
    assert {"ContactId", "ParticipantId", "ParticipantToken"} <= set(answer)
    assert "ContinuedFromContactId" not in answer
    assert len(answer["ParticipantToken"]) <= 1000


def test_attributes_and_the_first_message_arrive(ground: Ground) -> None:
    chat = ground.start(attributes={"page": "/checkout"}, initial_message="help me")
    contact = ground.sandbox.control("GET", f"contacts/{chat.contact_id}")
    assert contact["attributes"] == {"page": "/checkout"}
    chat.connect()
    (first,) = chat.entries()
    assert (first["Content"], first["ParticipantRole"]) == ("help me", "CUSTOMER")


def test_a_repeated_client_token_starts_one_chat(ground: Ground, connect_service: Any) -> None:
    first = connect_service.start_chat_contact(**wanted(ClientToken="t"))
    again = connect_service.start_chat_contact(**wanted(ClientToken="t"))
    other = connect_service.start_chat_contact(**wanted(ClientToken="u"))
    names = ("ContactId", "ParticipantId", "ParticipantToken")
    assert [first[name] for name in names] == [again[name] for name in names]
    assert other["ContactId"] != first["ContactId"]
    assert len(ground.sandbox.state()["contacts"]) == 2


def test_a_start_can_bring_its_connection_along(ground: Ground, connect_service: Any) -> None:
    kinds = ["WEBSOCKET", "CONNECTION_CREDENTIALS"]
    answer = connect_service.start_chat_contact(**wanted(ConnectionTypes=kinds))
    token = answer["ConnectionCredentials"]["ConnectionToken"]
    assert ground.boto().get_transcript(ConnectionToken=token)["Transcript"] == []
    assert answer["Websocket"]["Url"].startswith("ws")


@pytest.mark.parametrize(
    "spoilt",
    [
        {"InstanceId": "x" * 101},
        {"ContactFlowId": "x" * 501},
        {"ParticipantDetails": {"DisplayName": "x" * 257}},
        {"Attributes": {"not allowed": "x"}},
        {"Attributes": {"too_much": "é" * 16_384}},
        {"ChatDurationInMinutes": 10_081},
        {"ClientToken": "x" * 501},
        {"SupportedMessagingContentTypes": ["text/markdown"]},
        {"SupportedMessagingContentTypes": ["text/plain", "text/html"]},
        {"InitialMessage": {"ContentType": "text/markdown", "Content": "x"}},
        {"InitialMessage": {"ContentType": "text/plain", "Content": "x" * 16_385}},
        {"ParticipantConfiguration": {"ResponseMode": "SLOWLY"}},
        {"DisconnectOnCustomerExit": ["CUSTOMER"]},
        {"PersistentChat": {"SourceContactId": "x"}, "RelatedContactId": "y"},
        {"CustomerId": "x" * 129},
        {"SegmentAttributes": {"connect:Subtype": {"ValueString": "connect:Guide"}}},
    ],
)
def test_a_spoilt_start_is_refused(
    ground: Ground, connect_service: Any, spoilt: dict[str, Any]
) -> None:
    code, status = refusal(connect_service.start_chat_contact, **wanted(**spoilt))
    assert (code, status) == ("InvalidRequestException", 400)


def test_a_duration_below_an_hour_is_refused(ground: Ground) -> None:
    body = wanted(ChatDurationInMinutes=59)  # boto3 would not even send it
    answer = requests.put(f"{ground.url}/contact/chat", json=body, timeout=10)
    assert answer.status_code == 400


def test_any_instance_and_flow_exists_unless_it_is_told_which(
    ground: Ground, connect_service: Any
) -> None:
    connect_service.start_chat_contact(**wanted(InstanceId=STRANGER))
    ground.sandbox.change(instance_ids=[INSTANCE_ID], contact_flow_ids=[FLOW_ID])
    connect_service.start_chat_contact(**wanted())
    start = connect_service.start_chat_contact
    not_found = ("ResourceNotFoundException", 404)
    assert refusal(start, **wanted(InstanceId=STRANGER)) == not_found
    assert refusal(start, **wanted(ContactFlowId=STRANGER)) == not_found


def test_an_instance_has_so_many_chats_at_once(ground: Ground, connect_service: Any) -> None:
    ground.sandbox.change(concurrent_chats=2)
    first = connect_service.start_chat_contact(**wanted())
    connect_service.start_chat_contact(**wanted())
    start = connect_service.start_chat_contact
    assert refusal(start, **wanted()) == ("LimitExceededException", 429)
    connect_service.stop_contact(ContactId=first["ContactId"], InstanceId=INSTANCE_ID)
    connect_service.start_chat_contact(**wanted())


def test_stopping_is_refused_for_what_is_not_there(ground: Ground, connect_service: Any) -> None:
    chat, stop = ground.start(), connect_service.stop_contact
    unknown = refusal(stop, ContactId="made-up", InstanceId=INSTANCE_ID)
    assert unknown == ("ResourceNotFoundException", 404)
    elsewhere = refusal(stop, ContactId=chat.contact_id, InstanceId=STRANGER)
    assert elsewhere == ("ResourceNotFoundException", 404)
    stop(ContactId=chat.contact_id, InstanceId=INSTANCE_ID)
    over = refusal(stop, ContactId=chat.contact_id, InstanceId=INSTANCE_ID)
    assert over == ("ContactNotFoundException", 410)


def test_a_persistent_chat_brings_the_earlier_one_back(ground: Ground) -> None:
    first = ground.live()
    first.send("long ago")
    first.act("end")
    second = ground.live(**_continuing(first.contact_id))
    second.send("lately")
    second.act("end")
    third = ground.live(**_continuing(second.contact_id))
    third.ear.item(ContentType=EVENT + "chat.rehydrated")
    now = third.send("now")
    page = third.transcript(MaxResults=100, ScanDirection="BACKWARD")
    assert [each.get("Content") for each in page["Transcript"]] == ["now", None]
    older = third.transcript(
        MaxResults=100, ScanDirection="BACKWARD", NextToken=page["NextToken"], SortOrder="ASCENDING"
    )
    said = [each["Content"] for each in older["Transcript"] if each["Type"] == "MESSAGE"]
    assert said == ["long ago", "lately"]
    assert "NextToken" not in older
    assert {each["RelatedContactId"] for each in older["Transcript"]} == {
        first.contact_id,
        second.contact_id,
    }
    assert not any("ContactId" in each for each in older["Transcript"])
    from_here = third.transcript(StartPosition={"Id": now["Id"]}, ScanDirection="BACKWARD")
    assert "NextToken" not in from_here, "a start position does not reach past chats"


def test_only_an_ended_chat_can_be_continued(ground: Ground, connect_service: Any) -> None:
    chat, start = ground.live(), connect_service.start_chat_contact
    assert refusal(start, **wanted(**_continuing(chat.contact_id)))[1] == 400
    assert refusal(start, **wanted(**_continuing("made-up")))[1] == 404
    new_id = chat.act("transfer")["contact_id"]
    chat.act("end")
    whole = _continuing(new_id, "ENTIRE_PAST_SESSION")
    assert refusal(start, **wanted(**whole))[1] == 400
    answer = start(**wanted(**_continuing(chat.contact_id, "ENTIRE_PAST_SESSION")))
    assert answer["ContinuedFromContactId"] == new_id


def _continuing(contact_id: str, kind: str = "FROM_SEGMENT") -> dict[str, Any]:
    return {"PersistentChat": {"SourceContactId": contact_id, "RehydrationType": kind}}


def test_a_service_without_such_an_operation_says_so(ground: Ground) -> None:
    answer = requests.post(f"{ground.url}/participant/nothing", json={}, timeout=10)
    assert answer.status_code == 404
    assert answer.headers["x-amzn-ErrorType"] == "UnknownOperationException"
