"""SendEvent and the service's own events: typing, receipts, who is in the chat."""

import pytest

from tests.contract.ground import (
    DELIVERED,
    ENDED,
    EVENT,
    JOINED,
    LEFT,
    READ,
    TYPING,
    Ground,
    assert_refused,
    differs,
)


def test_typing_reaches_everybody_and_is_not_kept(ground: Ground) -> None:
    chat = ground.live()
    sent = chat.event(TYPING)
    assert set(sent) == {"Id", "AbsoluteTime"}
    own = chat.ear.item(ContentType=TYPING)
    assert own["ParticipantId"] == chat.started.participant_id
    assert "Content" not in own
    chat.act("typing", role="AGENT", display_name="Ann")
    other = chat.ear.item(ContentType=TYPING)
    assert (other["ParticipantRole"], other["DisplayName"]) == ("AGENT", "Ann")
    assert TYPING not in [each["ContentType"] for each in chat.entries()]


@pytest.mark.parametrize(
    "name",
    [
        "participant.joined",
        "participant.left",
        "chat.ended",
        "message.metadata",
        "transfer.succeeded",
        "no.such.event",
    ],
)
def test_only_four_kinds_of_events_may_be_sent(ground: Ground, name: str) -> None:
    chat = ground.live()
    answer = chat.post("event", {"ContentType": EVENT + name})
    assert_refused(answer, 400, "ValidationException")


def test_the_retired_acknowledgement_is_taken_and_nothing_comes_of_it(ground: Ground) -> None:
    chat = ground.live()
    before = len(chat.ear.settle())
    chat.event(EVENT + "connection.acknowledged")
    assert len(chat.ear.settle()) == before


def test_a_receipt_comes_as_metadata_and_is_merged_into_its_message(ground: Ground) -> None:
    chat = ground.live()
    said = chat.say("read this")
    chat.receipt(DELIVERED, said["Id"])
    frame = chat.ear.item(Type="MESSAGEMETADATA")
    assert frame["ContentType"] == EVENT + "message.metadata"
    assert frame["MessageMetadata"]["MessageId"] == said["Id"]
    (delivered,) = frame["MessageMetadata"]["Receipts"]
    assert set(delivered) == {"DeliveredTimestamp", "RecipientParticipantId"}
    assert delivered["RecipientParticipantId"] == chat.started.participant_id
    chat.receipt(READ, said["Id"])
    (read,) = chat.ear.item(Type="MESSAGEMETADATA")["MessageMetadata"]["Receipts"]
    assert read["DeliveredTimestamp"] == delivered["DeliveredTimestamp"]
    assert read["ReadTimestamp"] >= read["DeliveredTimestamp"]
    entry = next(each for each in chat.entries() if each["Id"] == said["Id"])
    assert entry["MessageMetadata"] == {"MessageId": said["Id"], "Receipts": [read]}
    assert "MESSAGEMETADATA" not in [each["Type"] for each in chat.entries()]


def test_receipts_of_two_recipients_stand_side_by_side(ground: Ground) -> None:
    chat = ground.live()
    said = chat.say("hello", role="SYSTEM")
    chat.receipt(READ, said["Id"])
    chat.act("receipt", message_id=said["Id"], role="AGENT")
    chat.ear.item(Type="MESSAGEMETADATA")
    frame = chat.ear.item(Type="MESSAGEMETADATA")
    assert len(frame["MessageMetadata"]["Receipts"]) == 1, "clients read the first one only"
    entry = next(each for each in chat.entries() if each["Id"] == said["Id"])
    recipients = [each["RecipientParticipantId"] for each in entry["MessageMetadata"]["Receipts"]]
    assert len(set(recipients)) == 2


@pytest.mark.parametrize("content", [None, "", "no json", "[]", "{}", '{"messageId":7}'])
def test_a_receipt_names_its_message(ground: Ground, content: str | None) -> None:
    chat = ground.live()
    body = {"ContentType": READ} | ({} if content is None else {"Content": content})
    assert_refused(chat.post("event", body), 400, "ValidationException")


def test_a_receipt_for_an_unknown_message_is_refused(ground: Ground) -> None:
    chat = ground.live()
    body = {"ContentType": READ, "Content": '{"messageId":"made-up"}'}
    assert_refused(chat.post("event", body), 400, "ValidationException")


def test_unknown_keys_of_a_receipt_are_passed_over(ground: Ground) -> None:
    chat = ground.live()
    said = chat.say("hello")
    content = f'{{"messageId":"{said["Id"]}","disableThrottle":true}}'
    chat.event(READ, Content=content)
    chat.ear.item(Type="MESSAGEMETADATA")


@differs("proxy", "receipts are answered at once and sent on later; a refusal has nowhere to go")
def test_receipts_conflict_when_more_than_two_take_part(ground: Ground) -> None:
    chat = ground.live()
    said = chat.say("hello", role="AGENT")
    chat.act("join", role="SUPERVISOR", display_name="Sue")
    body = {"ContentType": READ, "Content": f'{{"messageId":"{said["Id"]}"}}'}
    assert_refused(chat.post("event", body), 409, "ConflictException")
    chat.act("leave", role="SUPERVISOR")
    assert chat.post("event", body).status_code == 200


def test_the_flows_own_voice_is_no_participant(ground: Ground) -> None:
    chat = ground.live()
    chat.say("welcome", role="SYSTEM")
    said = chat.say("hello", role="AGENT")
    chat.receipt(READ, said["Id"])
    by_system = [each for each in chat.ear.settle() if each.get("ParticipantRole") == "SYSTEM"]
    assert [each["ContentType"] for each in by_system] == ["text/plain"]


def test_coming_and_going_is_seen_and_kept(ground: Ground) -> None:
    chat = ground.live(display_name="Jane")
    chat.act("join", role="AGENT", display_name="Ann")
    joined = chat.ear.item(ContentType=JOINED, ParticipantRole="AGENT")
    assert joined["DisplayName"] == "Ann"
    chat.act("leave", role="AGENT")
    left = chat.ear.item(ContentType=LEFT)
    assert left["ParticipantId"] == joined["ParticipantId"]
    chat.act("end")
    chat.ear.item(ContentType=ENDED)
    kinds = [
        (each["ContentType"].removeprefix(EVENT), each.get("DisplayName"))
        for each in chat.ear.items()
        if each["Type"] == "EVENT"
    ]
    assert kinds == [
        ("participant.joined", "Jane"),
        ("participant.joined", "Ann"),
        ("participant.left", "Ann"),
        ("chat.ended", None),
    ]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("participant.invited", True),
        ("transfer.failed", True),
        ("participant.idle", False),
        ("participant.returned", False),
        ("participant.autodisconnection", False),
        ("workflow.cancelled", False),
    ],
)
def test_the_transcript_keeps_some_events(ground: Ground, name: str, kept: bool) -> None:
    chat = ground.live()
    chat.act("event", event=name, role="CUSTOMER")
    chat.ear.item(ContentType=EVENT + name)
    assert (EVENT + name in [each["ContentType"] for each in chat.entries()]) is kept


def test_a_transfer_changes_the_contact_but_not_the_chat(ground: Ground) -> None:
    chat = ground.live()
    before = chat.send("before")
    new_id = chat.act("transfer")["contact_id"]
    chat.ear.item(ContentType=EVENT + "transfer.succeeded")
    after = chat.send("after")
    frame = chat.ear.item(Id=after["Id"])
    assert frame["ContactId"] == new_id != chat.contact_id
    assert frame["InitialContactId"] == chat.contact_id
    contacts = {each["Id"]: each["ContactId"] for each in chat.entries()}
    assert (contacts[before["Id"]], contacts[after["Id"]]) == (chat.contact_id, new_id)
    assert chat.transcript(ContactId=chat.contact_id)["InitialContactId"] == chat.contact_id


def test_a_new_name_is_announced_and_used(ground: Ground) -> None:
    chat = ground.live(display_name="Customer")
    chat.send("before")
    chat.act("rename", name="Jane")
    chat.ear.item(ContentType=EVENT + "participant.displayname.updated", DisplayName="Jane")
    chat.send("after")
    names = [each["DisplayName"] for each in chat.entries() if each["Type"] == "MESSAGE"]
    assert names == ["Customer", "Jane"]
