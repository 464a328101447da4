"""GetTranscript: where it starts, which way it goes, how it goes on."""

import random
from typing import Any

import pytest

from tests.contract.ground import JOINED, Chat, Ground, Wire, assert_refused


@pytest.fixture
def chat(ground: Ground) -> Chat:
    """Twelve messages, after customer and agent have joined."""
    chat = ground.live()
    for number in range(1, 13):
        chat.say(str(number))
    return chat


def texts(page: Wire) -> list[str]:
    return [each.get("Content", "joined") for each in page["Transcript"]]


def numbers(first: int, last: int) -> list[str]:
    step = 1 if last >= first else -1
    return [str(number) for number in range(first, last + step, step)]


def ids(chat: Chat) -> dict[str, str]:
    return {each.get("Content", "joined"): each["Id"] for each in chat.entries()}


def test_it_starts_at_the_newest_with_the_newest_first(chat: Chat) -> None:
    page = chat.transcript(MaxResults=5)
    assert texts(page) == numbers(12, 8)
    assert page["InitialContactId"] == chat.contact_id
    assert page["NextToken"]


def test_sort_order_sorts_inside_the_page_only(chat: Chat) -> None:
    assert texts(chat.transcript(MaxResults=5, SortOrder="ASCENDING")) == numbers(8, 12)


def test_an_empty_start_position_is_none(chat: Chat) -> None:
    assert texts(chat.transcript(MaxResults=2, StartPosition={})) == ["12", "11"]


def test_forward_from_the_newest_is_the_future(chat: Chat) -> None:
    page = chat.transcript(ScanDirection="FORWARD")
    assert page["Transcript"] == []
    assert "NextToken" not in page


def test_paging_back_reaches_the_first_item_and_says_so(chat: Chat) -> None:
    seen: list[str] = []
    page: Wire = {"NextToken": None}
    while "NextToken" in page:
        token = page["NextToken"]
        page = chat.transcript(MaxResults=4, **({"NextToken": token} if token else {}))
        seen += texts(page)
    assert seen == [*numbers(12, 1), "joined", "joined"]
    assert page["Transcript"][-1]["ContentType"] == JOINED


def test_items_that_come_meanwhile_do_not_shift_pages(chat: Chat) -> None:
    page = chat.transcript(MaxResults=5)
    chat.say("13")
    page = chat.transcript(MaxResults=5, NextToken=page["NextToken"])
    assert texts(page) == numbers(7, 3)


def test_a_start_at_an_item_includes_it_and_goes_forward(chat: Chat) -> None:
    start = {"Id": ids(chat)["10"]}
    page = chat.transcript(StartPosition=start, SortOrder="ASCENDING")
    assert texts(page) == numbers(10, 12)
    assert "NextToken" not in page


def test_a_start_at_an_item_can_go_back(chat: Chat) -> None:
    start = {"Id": ids(chat)["3"]}
    page = chat.transcript(StartPosition=start, ScanDirection="BACKWARD")
    assert texts(page) == ["3", "2", "1", "joined", "joined"]


def test_forward_pages_go_on_to_the_newest(chat: Chat) -> None:
    start = {"Id": ids(chat)["1"]}
    page = chat.transcript(
        StartPosition=start, ScanDirection="FORWARD", SortOrder="ASCENDING", MaxResults=7
    )
    assert texts(page) == numbers(1, 7)
    page = chat.transcript(
        NextToken=page["NextToken"], ScanDirection="FORWARD", SortOrder="ASCENDING", MaxResults=7
    )
    assert texts(page) == numbers(8, 12)
    assert "NextToken" not in page


def test_a_start_in_time_includes_that_moment(chat: Chat) -> None:
    entries = chat.entries()
    moment = entries[6]["AbsoluteTime"]
    at_or_after = [each["Content"] for each in entries if each["AbsoluteTime"] >= moment]
    page = chat.transcript(StartPosition={"AbsoluteTime": moment}, SortOrder="ASCENDING")
    assert texts(page) == at_or_after
    later = chat.transcript(StartPosition={"AbsoluteTime": "2999-01-01T00:00:00.000Z"})
    assert later["Transcript"] == []


def test_most_recent_counts_from_the_end(chat: Chat) -> None:
    page = chat.transcript(StartPosition={"MostRecent": 3}, SortOrder="ASCENDING")
    assert texts(page) == ["10", "11", "12"]


def test_ten_at_a_time_unless_told_otherwise(chat: Chat) -> None:
    assert len(chat.transcript()["Transcript"]) == 10


def test_a_token_of_another_chat_is_refused(ground: Ground, chat: Chat) -> None:
    token = chat.transcript(MaxResults=1)["NextToken"]
    other = ground.live()
    answer = other.post("transcript", {"NextToken": token})
    assert_refused(answer, 400, "ValidationException")


def test_an_entry_has_the_fields_of_its_kind(ground: Ground) -> None:
    chat = ground.live(display_name="Jane")
    sent = chat.send("hello")
    joined, message = chat.entries()
    assert message == {
        "AbsoluteTime": sent["AbsoluteTime"],
        "Content": "hello",
        "ContentType": "text/plain",
        "Id": sent["Id"],
        "Type": "MESSAGE",
        "ParticipantId": chat.started.participant_id,
        "DisplayName": "Jane",
        "ParticipantRole": "CUSTOMER",
        "ContactId": chat.contact_id,
    }
    assert joined["Type"] == "EVENT"
    assert "Content" not in joined


def test_random_walks_see_what_the_whole_says(chat: Chat) -> None:
    whole = [each["Id"] for each in chat.entries()]
    dice = random.Random(7)
    for _ in range(12):
        start = dice.choice(whole)
        direction = dice.choice(["FORWARD", "BACKWARD"])
        order = dice.choice(["ASCENDING", "DESCENDING"])
        seen = list(_walk(chat, start, direction, order, dice))
        at = whole.index(start)
        expected = whole[at:] if direction == "FORWARD" else whole[at::-1]
        assert seen == expected


def _walk(chat: Chat, start: str, direction: str, order: str, dice: random.Random) -> Any:
    """Ids in the order of the walk, whatever the order inside pages."""
    more: Wire = {"StartPosition": {"Id": start}}
    while True:
        page = chat.transcript(
            ScanDirection=direction, SortOrder=order, MaxResults=dice.randint(1, 6), **more
        )
        entries = page["Transcript"]
        is_walk_order = (direction == "FORWARD") == (order == "ASCENDING")
        yield from (each["Id"] for each in (entries if is_walk_order else entries[::-1]))
        if "NextToken" not in page:
            return
        more = {"NextToken": page["NextToken"]}
