"""One chat's items in order, and pages of them that a naive reading of the rules agrees with."""

from __future__ import annotations

import base64
import gc
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproxy.sessions.transcript import Cursor, Transcript, Wire
from chatproxy.upstream.chatframes import ChatFrame
from chatproxy.upstream.errors import ValidationException
from chatproxy.upstream.inputs import StartPosition, TranscriptQuery
from chatproxy.upstream.shapes import wire_time
from chatproxy.upstream.vocabulary import NEXT_TOKEN_MAX, ScanDirection, SortOrder

SESSION = "6f9fa0c4-0000-4000-8000-000000000001"
START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


def item(number: int, second: int | None = None, **more: Any) -> Wire:
    at = START + timedelta(seconds=number if second is None else second)
    return {
        "Id": f"m-{number}",
        "AbsoluteTime": wire_time(at),
        "Type": "MESSAGE",
        "ContentType": "text/plain",
        "Content": str(number),
        **more,
    }


def transcript(items: list[Wire], past: int = 0) -> Transcript:
    made = Transcript()
    for each in items:
        made.take(each)
    made.set_past([item(1000 + n, n - 5000, RelatedContactId="c-0") for n in range(past)])
    return made


def ids(items: list[Wire]) -> list[str]:
    return [each["Id"] for each in items]


def read_through(
    made: Transcript, query: TranscriptQuery, direction: ScanDirection
) -> list[list[str]]:
    """All pages, each as ids oldest first; what was asked stays the same from page to page."""
    pages, cursor = [], None
    for _ in range(500):
        page = made.page(query, cursor)
        is_descending = query.sort_order in (None, SortOrder.DESCENDING)
        pages.append(ids(page.items[::-1] if is_descending else page.items))
        if page.cursor is None:
            return pages
        cursor = Cursor.from_token(page.cursor.token(SESSION), SESSION)
        assert cursor.direction is direction
    raise AssertionError("paging does not end")


@settings(max_examples=200, deadline=None)
@given(
    seconds=st.lists(st.integers(0, 20), max_size=40),
    past=st.integers(0, 12),
    size=st.integers(1, 15),
    order=st.sampled_from([None, *SortOrder]),
)
def test_reading_back_from_the_newest_gives_everything_once(
    seconds: list[int], past: int, size: int, order: SortOrder | None
) -> None:
    items = [item(number, second) for number, second in enumerate(seconds)]
    made = transcript(items, past)
    naive = [f"m-{1000 + n}" for n in range(past)]
    naive += ids(sorted(items, key=lambda each: each["AbsoluteTime"]))  # stable: ties as they came
    query = TranscriptQuery(max_results=size, sort_order=order)
    pages = read_through(made, query, ScanDirection.BACKWARD)
    assert [each for page in reversed(pages) for each in page] == naive
    own = pages[: -(-len(items) // size)]
    assert all(len(page) == size for page in own[:-1])  # the past begins on a page of its own


@settings(max_examples=200, deadline=None)
@given(
    count=st.integers(1, 40),
    start=st.integers(0, 39),
    size=st.integers(1, 15),
    direction=st.sampled_from([None, *ScanDirection]),
    kind=st.sampled_from(["id", "time", "recent"]),
    order=st.sampled_from([None, *SortOrder]),
)
def test_reading_from_a_start_position_gives_the_rest_once(
    count: int,
    start: int,
    size: int,
    direction: ScanDirection | None,
    kind: str,
    order: SortOrder | None,
) -> None:
    start %= count
    items = [item(number) for number in range(count)]
    position = {
        "id": StartPosition(id=f"m-{start}"),
        "time": StartPosition(absolute_time=items[start]["AbsoluteTime"]),
        "recent": StartPosition(most_recent=count - start),
    }[kind]
    query = TranscriptQuery(
        max_results=size, scan_direction=direction, sort_order=order, start_position=position
    )
    way = direction or ScanDirection.FORWARD
    pages = read_through(transcript(items), query, way)
    if way is ScanDirection.FORWARD:
        assert [each for page in pages for each in page] == ids(items[start:])
    else:
        assert [each for page in reversed(pages) for each in page] == ids(items[: start + 1])


@given(st.permutations(list(range(12))))
def test_items_stand_by_time_however_they_arrive(order: list[int]) -> None:
    made = transcript([item(number) for number in order])
    assert ids(made.everything()) == [f"m-{number}" for number in range(12)]


def test_forward_from_the_newest_asks_for_the_future() -> None:
    made = transcript([item(n) for n in range(5)])
    page = made.page(TranscriptQuery(scan_direction=ScanDirection.FORWARD), None)
    assert (page.items, page.cursor) == ([], None)


def test_an_empty_chat_has_an_empty_page() -> None:
    page = Transcript().page(TranscriptQuery(), None)
    assert (page.items, page.cursor) == ([], None)


def test_the_first_page_of_a_continued_chat_leads_into_its_past() -> None:
    made = transcript([item(1), item(2)], past=3)
    first = made.page(TranscriptQuery(max_results=10), None)
    assert ids(first.items) == ["m-2", "m-1"]
    assert first.cursor is not None
    second = made.page(TranscriptQuery(max_results=10), first.cursor)
    assert ids(second.items) == ["m-1002", "m-1001", "m-1000"]
    assert second.cursor is None


def test_a_start_that_is_not_in_the_chat_is_refused() -> None:
    made = transcript([item(1)])
    for position in (StartPosition(id="unknown"), StartPosition(absolute_time="yesterday")):
        with pytest.raises(ValidationException):
            made.page(TranscriptQuery(start_position=position), None)


def test_a_next_token_is_good_for_its_session_only() -> None:
    token = Cursor(ScanDirection.BACKWARD, "m-1").token(SESSION)
    assert Cursor.from_token(token, SESSION) == Cursor(ScanDirection.BACKWARD, "m-1")
    for bad in (token[:-1], "F" + token[1:], "", "...", token + "x", "ü"):
        with pytest.raises(ValidationException):
            Cursor.from_token(bad, SESSION)
    with pytest.raises(ValidationException):
        Cursor.from_token(token, SESSION.replace("1", "2"))


@pytest.mark.parametrize("direction", ScanDirection)
@pytest.mark.parametrize("own_only", [True, False])
@pytest.mark.parametrize("item_id", ["m-1", "", "a.b", "x" * 256])
@pytest.mark.parametrize("upstreams", ["", "upstream+says/so=="])
def test_a_next_token_says_all_a_cursor_does(
    direction: ScanDirection, own_only: bool, item_id: str, upstreams: str
) -> None:
    cursor = Cursor(direction, item_id, own_only, upstreams)
    assert Cursor.from_token(cursor.token(SESSION), SESSION) == cursor


def test_upstreams_token_travels_sealed_and_shows_nowhere() -> None:
    cursor = Cursor(ScanDirection.BACKWARD, "m-1", next_token="upstreams-own-token")
    token = cursor.token(SESSION)
    sealed = token.split(".")[2]
    for text in (
        token,
        base64.urlsafe_b64decode(sealed.removeprefix("sealed1-")).decode("latin-1"),
        repr(cursor),
    ):
        assert "upstreams-own-token" not in text
    taken_out = f"B.{token.split('.')[1]}.{sealed}"
    for bad in (taken_out, f"{taken_out}.", token.replace(sealed, sealed[::-1])):
        with pytest.raises(ValidationException):
            Cursor.from_token(bad, SESSION)
    with pytest.raises(ValidationException):
        Cursor.from_token(token, SESSION.replace("1", "2"))


@pytest.mark.parametrize("length", [1, 500, 1000])
def test_a_next_token_is_never_longer_than_the_service_would_take(length: int) -> None:
    cursor = Cursor(ScanDirection.BACKWARD, SESSION, next_token="t" * length)
    token = cursor.token(SESSION)
    assert len(token) <= NEXT_TOKEN_MAX
    read = Cursor.from_token(token, SESSION)
    assert read.item_id == SESSION
    assert read.next_token in (cursor.next_token, "")
    assert read.next_token or length > 500


def test_a_next_token_whose_seal_no_longer_opens_still_names_its_item() -> None:
    token = Cursor(ScanDirection.BACKWARD, "m-1", next_token="upstreams").token(SESSION)
    with override_settings(CHAT_VAULT_KEYS=[Fernet.generate_key().decode()]):
        assert Cursor.from_token(token, SESSION) == Cursor(ScanDirection.BACKWARD, "m-1")


@pytest.mark.parametrize("repeats", [True, False])
def test_from_a_start_position_no_page_leads_into_the_past(repeats: bool) -> None:
    made = transcript([item(1), item(2), item(3)], past=3)
    query = TranscriptQuery(
        max_results=2,
        scan_direction=ScanDirection.BACKWARD,
        start_position=StartPosition(most_recent=1),
    )
    first = made.page(query, None)
    again = query if repeats else replace(query, start_position=None)
    second = made.page(again, first.cursor)
    assert [ids(first.items), ids(second.items)] == [["m-3", "m-2"], ["m-1"]]
    assert second.cursor is None


def test_what_only_passes_is_not_kept() -> None:
    made = Transcript()
    typing = "application/vnd.amazonaws.connect.event.typing"
    joined = "application/vnd.amazonaws.connect.event.participant.joined"
    assert made.take(item(1, Type="EVENT", ContentType=typing)) is None
    assert made.take(item(2, Type="EVENT", ContentType=joined)) is not None
    chunk = {"MessageId": "m-3", "MessageCompleted": False, "ChunkNumber": 1}
    assert made.take(item(3, MessageMetadata=chunk)) is None
    assert ids(made.everything()) == ["m-2"]


def test_an_item_keeps_its_place_and_takes_its_newest_version() -> None:
    made = transcript([item(1), item(2)])
    changed = made.take({**item(1, second=99), "Content": "edited"})
    assert changed is not None
    assert not changed[1]
    assert [each["Content"] for each in made.everything()] == ["edited", "2"]
    assert made.take({**item(1), "Content": "edited"}) is None


def plain(number: int, content: str = '"x"') -> ChatFrame:
    """A message still as text, as a socket makes it; ``content`` as JSON."""
    inner = json.dumps(item(number)).replace(f'"Content": "{number}"', f'"Content": {content}')
    frame = ChatFrame(json.dumps({"content": inner}))
    frame.id = f"m-{number}"
    return frame


def test_what_nobody_can_decode_keeps_nobody_from_the_rest() -> None:
    made = Transcript()
    made.take_plain(plain(1, "[" * 100_000 + "]" * 100_000))
    made.take_plain(plain(7, "no JSON"))
    made.take_plain(plain(2))
    assert ids(made.everything()) == ["m-2"]
    assert len(made) == 1


def test_a_message_may_come_at_any_moment_of_a_reading() -> None:
    """The event loop adds while a thread reads; the collector lets it in where Python itself
    does."""
    made, coming = Transcript(), iter(range(200, 2000))
    for number in range(100):
        made.take_plain(plain(number))

    def collected(phase: str, _: object) -> None:
        if phase == "start":
            number = next(coming)
            frame = ready.pop(number)
            made.take_plain(frame)

    ready = {number: plain(number) for number in range(200, 2000)}
    thresholds = gc.get_threshold()
    gc.callbacks.append(collected)
    gc.set_threshold(40)
    try:
        read = made.everything()
    finally:
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(collected)
    assert ids(read)[:100] == [f"m-{number}" for number in range(100)]
    came = 2000 - 200 - len(ready)
    assert came > 0
    assert len(made) == 100 + came
