"""Every version reaches every tab, in order; a tab that comes back misses nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproxy.relay import stream as stream_module
from chatproxy.relay.frames import frames_of
from chatproxy.relay.position import Position
from chatproxy.relay.stream import LinkState, Stream
from chatproxy.sessions.transcript import Transcript
from tests.unit.relay.fakes import (
    FakeTab,
    Kept,
    Wire,
    event,
    make_stream,
    message,
    read_frame,
    receipt,
)


def take(stream: Stream, wire: Wire, *, as_plain: bool = True) -> bool:
    return stream.take(read_frame(wire, as_plain=as_plain))


def test_a_frame_reaches_every_tab_with_its_position() -> None:
    stream, tabs = make_stream(), [FakeTab(), FakeTab()]
    for tab in tabs:
        stream.attach(tab, None)
    take(stream, message("hello"))
    for tab in tabs:
        assert tab.texts == ["hello"]
        assert Position.parse(tab.position) == stream.position


def test_the_upstreams_own_text_is_passed_on_untouched_but_for_the_position() -> None:
    stream, tab = make_stream(), FakeTab()
    stream.attach(tab, None)
    wire = message('a "quoted" } brace — and ünïcode')
    take(stream, wire)
    assert json.loads(tab.frames[0]["content"]) == wire
    assert tab.frames[0]["topic"] == "aws/chat"


def test_a_copy_of_a_version_goes_nowhere() -> None:
    kept = Kept()
    stream, tab = make_stream(kept), FakeTab()
    stream.attach(tab, None)
    wire = message("once")
    assert [take(stream, wire), take(stream, dict(wire))] == [True, False]
    assert tab.texts == ["once"]
    assert len(kept.items) == 1


def test_each_version_of_an_item_is_news() -> None:
    kept = Kept()
    stream, tab = make_stream(kept), FakeTab()
    stream.attach(tab, None)
    wire = message("the text")
    for version in (wire, {**wire, "Content": "the ********"}, receipt(wire), receipt(wire)):
        take(stream, version)
    assert len(tab.chat) == 3
    assert (len(kept.items), stream.tally.outgoing) == (3, 1)
    assert kept.items[-1]["MessageMetadata"]["Receipts"]


def test_a_receipt_before_its_message_is_merged_when_that_comes() -> None:
    kept = Kept()
    stream = make_stream(kept)
    stream.transcript.is_complete = True
    wire = message("late")
    take(stream, receipt(wire))
    take(stream, wire)
    assert stream.transcript.is_complete
    (item,) = stream.transcript.everything()
    assert item["MessageMetadata"]["Receipts"][0]["RecipientParticipantId"] == "p-1"
    assert item["AbsoluteTime"] == wire["AbsoluteTime"]


@pytest.mark.parametrize("was_complete", [True, False])
def test_a_receipt_for_an_unknown_message_never_makes_a_transcript_complete(
    was_complete: bool,
) -> None:
    stream = make_stream()
    stream.transcript.is_complete = was_complete
    take(stream, receipt(message("never seen")))
    assert stream.transcript.is_complete is was_complete


def test_the_fate_of_a_message_never_seen_means_that_not_all_is_known() -> None:
    stream = make_stream()
    stream.transcript.is_complete = True
    fate = receipt(message("never seen"))
    fate["MessageMetadata"] = {"MessageId": "x", "MessageProcessingStatus": "REJECTED"}
    take(stream, fate)
    assert not stream.transcript.is_complete


def test_the_first_tab_gets_what_the_link_saw_before_it_and_the_second_does_not() -> None:
    stream, first, second = make_stream(), FakeTab(), FakeTab()
    take(stream, message("greeting"))
    stream.attach(first, None)
    stream.attach(second, None)
    assert first.texts == ["greeting"]
    assert second.texts == []


def test_a_tab_that_knows_a_position_gets_exactly_what_came_after_it() -> None:
    stream, tab = make_stream(), FakeTab()
    stream.attach(tab, None)
    take(stream, message("known"))
    position = tab.position
    take(stream, message("missed"))
    again = FakeTab()
    stream.attach(again, position)
    assert again.texts == ["missed"]
    assert again.session == [{"replayed": 1, "position": str(stream.position)}]


def test_typing_is_passed_on_but_not_replayed() -> None:
    stream, tab = make_stream(), FakeTab()
    stream.attach(tab, None)
    start = str(stream.position)
    take(stream, event("typing"))
    assert len(tab.chat) == 1
    again = FakeTab()
    stream.attach(again, start)
    assert again.chat == []


def test_a_position_of_another_process_replays_two_minutes_more() -> None:
    stream, tab = make_stream(), FakeTab()
    old, recent = message("old", second=0), message("recent", second=300)
    stream.preload([old, recent])
    stream.attach(tab, "elsewhere.17.2026-11-22T10:06:00.000Z")
    assert tab.texts == ["recent"]
    assert tab.session[-1]["replayed"] == 1


def test_a_receipt_since_a_position_replays_the_message_it_is_about() -> None:
    stream, tab = make_stream(), FakeTab()
    old = message("old", second=0)
    stream.preload([old])
    take(stream, receipt(old, read="2026-11-22T10:30:00.000Z"))
    stream.attach(tab, "elsewhere.1.2026-11-22T10:29:00.000Z")
    assert [item["Type"] for item in tab.chat] == ["MESSAGE", "MESSAGEMETADATA"]


@pytest.mark.parametrize(
    "nonsense",
    [
        "x",
        "a.b.c",
        "a.1",
        f"a.1.{'9' * 30}",
        "a.1.-5",
        "a.1.\u0661" + "9" * 20,
        "." * 10,
        "a" * 500,
    ],
)
def test_a_position_that_is_none_resets_the_tab(nonsense: str) -> None:
    stream, tab = make_stream(), FakeTab()
    take(stream, message("hello"))
    stream.attach(tab, nonsense)
    assert tab.session[0]["reset"] is True


def test_when_nothing_is_known_a_returning_tab_is_told_to_begin_anew() -> None:
    stream, tab = make_stream(), FakeTab()
    stream.attach(tab, "elsewhere.1.0")
    assert tab.session[0]["reset"] is True


def test_what_fell_out_of_the_ring_is_replayed_from_the_transcript(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_module, "RING_FRAMES", 3)
    stream, tab = make_stream(), FakeTab()
    stream.attach(tab, None)
    take(stream, message("0", second=0))
    position = tab.position
    for number in range(1, 8):
        take(stream, message(str(number), second=number))
    again = FakeTab()
    stream.attach(again, position)
    assert [text for text in again.texts if text != "0"] == [str(n) for n in range(1, 8)]


def test_a_tab_is_never_sent_more_at_once_than_may_wait_for_it() -> None:
    stream, tabs = make_stream(replay_bytes=10_000), [FakeTab() for _ in range(4)]
    take(stream, message("known", second=0))
    stream.attach(tabs[0], "elsewhere.1.0")
    known = tabs[0].session[0]["position"]
    for second in range(1, 50):
        take(stream, message(f"{second} {'x' * 1000}", second=second))
    stream.attach(tabs[1], None)
    stream.attach(tabs[2], str(stream.position))
    stream.attach(tabs[3], known)
    assert [tab.session[-1].get("reset", False) for tab in tabs[2:]] == [False, True]
    assert tabs[3].chat == []
    late = FakeTab()
    fresh = make_stream(replay_bytes=10_000)
    for second in range(50):
        take(fresh, message(f"{second} {'x' * 1000}", second=second))
    fresh.attach(late, None)
    assert 1 <= len(late.texts) < 10
    assert late.texts[-1].startswith("49 ")


def test_only_tabs_that_asked_hear_of_the_links_state() -> None:
    stream, plain, ours = make_stream(), FakeTab(), FakeTab(wants_session=True)
    for tab in (plain, ours):
        stream.attach(tab, None)
    for state in (LinkState.CONNECTED, LinkState.CONNECTED, LinkState.RECONNECTING):
        stream.set_state(state)
    assert plain.frames == []
    assert ours.session == [{"state": "connected"}, {"state": "reconnecting"}]


def test_the_end_is_told_once() -> None:
    ends: list[int] = []
    stream = make_stream(ended=lambda: ends.append(1))
    take(stream, event("chat.ended"))
    take(stream, event("chat.ended"))
    assert ends == [1]


def test_an_end_nobody_saw_is_the_same_from_every_process() -> None:
    ids = set()
    for minute in (1, 2):
        stream, tab = make_stream(), FakeTab()
        stream.attach(tab, None)
        now = datetime(2026, 11, 22, 11, minute, tzinfo=UTC)
        stream.ended_unseen(now, now)
        ids.add(tab.chat[0]["Id"])
    assert len(ids) == 1


def test_a_stored_end_is_known_to_be_one() -> None:
    stream = make_stream()
    stream.preload([message("hello"), event("chat.ended")])
    assert stream.is_ended


def test_an_expected_echo_is_awaited_until_it_comes() -> None:
    stream, wire = make_stream(), message("mine")
    stream.expect(wire["Id"])
    assert stream.expected == {wire["Id"]}
    take(stream, wire)
    stream.expect(wire["Id"])
    assert stream.expected == set()


def test_a_tab_is_told_which_items_are_the_newest() -> None:
    stream, tab = make_stream(), FakeTab(wants_session=True)
    stream.tell_where_we_are(tab)
    said = [message(str(number)) for number in range(25)]
    for wire in said:
        take(stream, wire)
    stream.tell_where_we_are(tab)
    stream.attach(tab, "of another history")
    newest = [wire["Id"] for wire in said[5:]]
    assert [told["newest"] for told in tab.session] == [[], newest, newest]


def test_a_transcript_item_becomes_itself_and_one_frame_for_each_receipt() -> None:
    wire = message("hi")
    receipts = [
        {"RecipientParticipantId": who, "ReadTimestamp": "2026-11-22T12:00:00.000Z"} for who in "ab"
    ]
    inner = frames_of(
        {**wire, "MessageMetadata": {"MessageId": wire["Id"], "Receipts": receipts}}, "c-1"
    )
    assert [each["Type"] for each in inner] == ["MESSAGE", "MESSAGEMETADATA", "MESSAGEMETADATA"]
    assert all(len(each["MessageMetadata"]["Receipts"]) == 1 for each in inner[1:])
    assert inner[0]["InitialContactId"] == inner[0]["ContactId"] == "c-1"


# A tab's life: things are said, repeated, reordered in time; it leaves and comes back.
steps = st.lists(
    st.sampled_from(["say", "say", "say", "repeat", "receipt", "typing", "leave", "return"]),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(steps, st.randoms(use_true_random=False))
def test_within_a_link_each_version_reaches_a_tab_exactly_once_and_in_order(
    steps: list[str], random: object
) -> None:
    stream = make_stream()
    witness, tab = FakeTab(), FakeTab()
    stream.attach(witness, None)
    stream.attach(tab, None)
    said: list[Wire] = []
    seen: list[Wire] = []
    position, is_here = str(stream.position), True
    for number, step in enumerate(steps):
        if step == "say":
            said.append(message(str(number)))
            take(stream, said[-1])
        elif step == "repeat" and said:
            take(stream, random.choice(said))  # type: ignore[attr-defined]
        elif step == "receipt" and said:
            of = random.choice(said)  # type: ignore[attr-defined]
            take(stream, receipt(of, who=f"p-{number}"))
        elif step == "typing":
            pass  # passing things are not replayed; see above
        elif step == "leave" and is_here:
            stream.detach(tab)
            seen += tab.chat
            position = tab.position or position
            is_here = False
        elif step == "return" and not is_here:
            tab, is_here = FakeTab(), True
            stream.attach(tab, position)
    if not is_here:
        tab = FakeTab()
        stream.attach(tab, position)
    assert seen + tab.chat == witness.chat


versions = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.sampled_from(
            ["say", "repeat", "edit", "receipt", "processed", "chunk", "typing", "ask"]
        ),
    ),
    max_size=40,
)


@settings(max_examples=150, deadline=None)
@given(versions)
def test_reading_frames_by_their_text_makes_no_difference(steps: list[tuple[int, str]]) -> None:
    """Whether plain frames are decoded or not: same frames, transcript, and items to be stored."""
    messages = [message(f"message {n}", second=n // 2) for n in range(5)]
    outcomes = []
    for as_plain in (True, False):
        kept, tab = Kept(), FakeTab()
        stream = make_stream(kept)
        stream.attach(tab, None)
        for number, step in steps:
            wire = messages[number]
            metadata = {"MessageId": wire["Id"]}
            version = {
                "edit": {**wire, "Content": "edited"},
                "receipt": receipt(wire),
                "processed": {
                    **wire,
                    "MessageMetadata": {**metadata, "MessageProcessingStatus": "PROCESSING"},
                },
                "chunk": {
                    **wire,
                    "Content": "mess",
                    "MessageMetadata": {**metadata, "MessageCompleted": False, "ChunkNumber": 1},
                },
                "typing": {**event("typing", second=number), "Id": f"typing-{number}"},
            }.get(step, wire)
            if step == "ask":
                stream.transcript.everything()
            else:
                take(stream, version, as_plain=as_plain)
        newest = {item["Id"]: item for item in kept.items}
        said = stream.tally.incoming, stream.tally.outgoing
        outcomes.append((tab.chat, stream.transcript.everything(), newest, said))
    assert outcomes[0] == outcomes[1]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 900), min_size=1, max_size=40), st.integers(0, 40))
def test_a_replay_by_time_holds_everything_that_came_since(seconds: list[int], cut: int) -> None:
    """Another process took over: it knows the items, not the frames."""
    first, tab = make_stream(), FakeTab()
    first.attach(tab, None)
    wires = [message(str(n), second=second) for n, second in enumerate(sorted(seconds))]
    for wire in wires[:cut]:
        take(first, wire)
    position = str(first.position)
    known = {item["Id"] for item in tab.chat}
    second_stream, again = make_stream(), FakeTab()
    second_stream.preload(wires)
    second_stream.attach(again, position)
    assert known | {item["Id"] for item in again.chat} >= {wire["Id"] for wire in wires[cut:]}
    shown = [item["AbsoluteTime"] for item in again.chat]
    assert shown == sorted(shown)


@pytest.mark.parametrize("way", ["take", "take_plain"])
def test_an_echo_that_comes_just_when_it_is_first_expected_is_not_waited_for(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, taken = make_stream(), []
    wire = message("sent")
    really_take = getattr(Transcript, way)

    def take_while_a_request_ends(transcript: Transcript, item: object) -> object:
        stream.expect(wire["Id"])
        taken.append(item)
        return really_take(transcript, item)

    monkeypatch.setattr(Transcript, way, take_while_a_request_ends)
    take(stream, wire, as_plain=way == "take_plain")
    assert taken
    assert stream.expected == set()


def test_messages_are_tallied_once_by_who_said_them() -> None:
    stream = make_stream()
    stored = message("stored", ParticipantRole="CUSTOMER")
    stream.preload([stored, event("participant.joined")])
    plain = message("plain", ParticipantRole="CUSTOMER")
    for as_plain in (True, False):
        take(stream, plain, as_plain=as_plain)
    take(stream, message("decoded"), as_plain=False)
    take(stream, stored)
    take(stream, receipt(stored))
    assert (stream.tally.incoming, stream.tally.outgoing) == (2, 1)
