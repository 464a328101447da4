"""One item out of many copies, whatever order they come in."""

import copy
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.upstream.items import Item
from chatproxy.upstream.versions import merged_receipts, newest, version_key, version_keys

Wire = dict[str, Any]
EARLY, LATE = "2026-11-22T09:00:00.000Z", "2026-11-22T09:00:05.000Z"


def message(**changes: Any) -> Wire:
    return {
        "Id": "m1",
        "Type": "MESSAGE",
        "ContentType": "text/plain",
        "Content": "Hello",
        "AbsoluteTime": EARLY,
        "ContactId": "c1",
        "InitialContactId": "c1",
        **changes,
    }


def chunk(number: int, text: str, at: str = EARLY) -> Wire:
    metadata = {"MessageId": "m1", "MessageCompleted": False, "ChunkNumber": number}
    return message(Content=text, AbsoluteTime=at, MessageMetadata=metadata)


def whole(text: str, at: str = LATE) -> Wire:
    metadata = {"MessageId": "m1", "MessageCompleted": True}
    return message(Content=text, AbsoluteTime=at, MessageMetadata=metadata)


def attachment(status: str) -> Wire:
    wire = message(Type="ATTACHMENT", Attachments=[{"AttachmentId": "a1", "Status": status}])
    del wire["Content"], wire["ContentType"]
    return wire


def receipt(recipient: str, *, delivered: str = "", read: str = "") -> Wire:
    entry = {"RecipientParticipantId": recipient}
    entry |= {"DeliveredTimestamp": delivered} if delivered else {}
    entry |= {"ReadTimestamp": read} if read else {}
    return {
        "Id": "m1",
        "Type": "MESSAGEMETADATA",
        "ContentType": "application/vnd.amazonaws.connect.event.message.metadata",
        "AbsoluteTime": read or delivered,
        "MessageMetadata": {"MessageId": "m1", "Receipts": [entry]},
    }


def all_of(*versions: Wire) -> Wire:
    return reduce(newest, versions)


def keys(wire: Wire) -> set[str]:
    return set(version_keys(Item(wire)))


def test_final_text_beats_chunks_and_keeps_the_first_chunks_time() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        versions = [chunk(1, "The "), chunk(2, "ref", LATE), whole("The refund.")]
        merged = all_of(*(versions[index] for index in order))
        assert merged["Content"] == "The refund."
        assert merged["AbsoluteTime"] == EARLY
        assert merged["MessageMetadata"]["MessageCompleted"] is True


def test_later_chunk_beats_an_earlier_one() -> None:
    assert all_of(chunk(2, "b"), chunk(10, "c"), chunk(1, "a"))["Content"] == "c"


@pytest.mark.parametrize("verdict", ["APPROVED", "REJECTED"])
def test_verdict_beats_the_scan(verdict: str) -> None:
    for first, second in [("IN_PROGRESS", verdict), (verdict, "IN_PROGRESS")]:
        merged = newest(attachment(first), attachment(second))
        assert merged["Attachments"][0]["Status"] == verdict


def test_processed_text_replaces_the_original_in_any_order() -> None:
    original = message(MessageMetadata={"MessageProcessingStatus": "PROCESSING"}, Content="4111")
    processed = message(Content="[card]")
    assert newest(original, processed)["Content"] == "[card]"
    assert newest(processed, original)["Content"] == "[card]"


def test_failed_processing_is_told_by_metadata() -> None:
    original = message(MessageMetadata={"MessageProcessingStatus": "PROCESSING"})
    verdict = receipt("") | {"MessageMetadata": {"MessageProcessingStatus": "FAILED"}}
    for merged in (newest(original, verdict), newest(verdict, original)):
        assert merged["Type"] == "MESSAGE"
        assert merged["MessageMetadata"]["MessageProcessingStatus"] == "FAILED"


def test_between_equals_the_later_copy_wins() -> None:
    assert newest(message(Content="old"), message(Content="new"))["Content"] == "new"


def test_receipts_join_the_message_they_are_about() -> None:
    merged = all_of(
        receipt("p2", delivered=EARLY),
        message(),
        receipt("p3", read=LATE),
        receipt("p2", read=LATE),
    )
    assert merged["Type"] == "MESSAGE"
    assert merged["Content"] == "Hello"
    assert merged["AbsoluteTime"] == EARLY
    assert merged["MessageMetadata"]["Receipts"] == [
        {
            "RecipientParticipantId": "p2",
            "DeliveredTimestamp": EARLY,
            "ReadTimestamp": LATE,
        },
        {"RecipientParticipantId": "p3", "ReadTimestamp": LATE},
    ]


def test_receipts_survive_the_final_text() -> None:
    merged = all_of(chunk(1, "a"), receipt("p2", read=LATE), whole("abc"))
    assert merged["Content"] == "abc"
    assert merged["MessageMetadata"]["Receipts"][0]["ReadTimestamp"] == LATE


def test_first_time_of_a_receipt_stands() -> None:
    again = merged_receipts(
        [{"RecipientParticipantId": "p2", "ReadTimestamp": LATE}],
        [{"RecipientParticipantId": "p2", "ReadTimestamp": EARLY}],
    )
    assert again == [{"RecipientParticipantId": "p2", "ReadTimestamp": EARLY}]


def test_copy_that_adds_nothing_changes_nothing() -> None:
    known = all_of(message(), receipt("p2", read=LATE))
    in_transcript = {name: value for name, value in known.items() if name != "InitialContactId"}
    assert newest(known, in_transcript) == known
    assert newest(known, receipt("p2", read=LATE)) == known
    assert newest(known, chunk(3, "x")) == known


def test_arguments_are_left_as_they_are() -> None:
    old, new = all_of(message(), receipt("p2", read=LATE)), receipt("p2", delivered=EARLY)
    before = copy.deepcopy((old, new))
    newest(old, new)
    newest(new, old)
    assert (old, new) == before


def test_transcripts_copy_of_a_message_is_the_same_version() -> None:
    frame, in_transcript = message(), message(RelatedContactId="c0", AbsoluteTime=LATE)
    del in_transcript["InitialContactId"]
    assert keys(frame) == keys(in_transcript)
    assert keys(whole("abc")) == keys(message(Content="abc"))


def test_each_version_has_a_key_of_its_own() -> None:
    versions = [
        message(),
        message(Content="Hello!"),
        message(ContentType="text/markdown"),
        message(Id="m2"),
        message(MessageMetadata={"MessageProcessingStatus": "PROCESSING"}),
        chunk(1, "Hello"),
        chunk(2, "Hello"),
        attachment("IN_PROGRESS"),
        attachment("APPROVED"),
        attachment("REJECTED"),
    ]
    assert len({version_key(Item(each)) for each in versions}) == len(versions)


def test_items_without_an_id_are_told_apart_by_time_and_sender() -> None:
    typing = {"Type": "EVENT", "ContentType": "typing", "ParticipantId": "p1"}
    first, second = ({**typing, "AbsoluteTime": at} for at in (EARLY, LATE))
    assert keys(first) != keys(second)


def test_receipt_is_known_from_the_transcript_too() -> None:
    delivered, read = receipt("p2", delivered=EARLY), receipt("p2", read=LATE)
    both = all_of(message(), delivered, read)
    assert keys(both) == keys(message()) | keys(delivered) | keys(read)
    assert not keys(delivered) & keys(read)
    assert not keys(delivered) & keys(receipt("p3", delivered=EARLY))


# Copies as a chat brings them: one streamed or plain message, its receipts, copies of copies.
times = st.sampled_from([EARLY, LATE, "2026-11-22T09:00:09.000Z"])
recipients = st.sampled_from(["p1", "p2", "p3"])
final = st.one_of(times.map(lambda at: whole("The refund.", at)))
chunks = st.builds(lambda n, at: chunk(n, f"part {n} ", at), st.integers(1, 9), times)
receipts = st.one_of(
    st.builds(lambda who, at: receipt(who, delivered=at), recipients, times),
    st.builds(lambda who, at: receipt(who, read=at), recipients, times),
    st.builds(lambda who, a, b: receipt(who, delivered=a, read=b), recipients, times, times),
)
files = st.sampled_from(["IN_PROGRESS", "APPROVED", "REJECTED"]).map(attachment)
versions = st.one_of(
    st.lists(st.one_of(final, chunks, receipts), min_size=1, max_size=7),
    st.lists(st.one_of(files, receipts), min_size=1, max_size=7),
)


@given(versions.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))))
def test_order_of_arrival_does_not_matter(both: tuple[list[Wire], list[Wire]]) -> None:
    one, other = all_of(*both[0]), all_of(*both[1])
    if one["Type"] == "MESSAGEMETADATA":
        # Receipts of a message not seen yet: all that counts is on them.
        assert one["MessageMetadata"]["Receipts"] == other["MessageMetadata"]["Receipts"]
    else:
        assert one == other


@given(versions)
def test_seeing_everything_again_changes_nothing(found: list[Wire]) -> None:
    once = all_of(*found)
    assert all_of(once, *found) == once
    assert newest(once, once) == once


@given(versions, versions)
def test_merging_in_parts_is_merging_at_once(left: list[Wire], right: list[Wire]) -> None:
    """What one process has merged can be merged with what another has."""
    together, apart = all_of(*left, *right), newest(all_of(*left), all_of(*right))
    if {"ATTACHMENT", "MESSAGE"} <= {each["Type"] for each in (*left, *right)}:
        return  # two different items under one Id: not a thing
    if together["Type"] != "MESSAGEMETADATA":
        assert together == apart


json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
names = ("Id", "Type", "Content", "AbsoluteTime", "Attachments", "MessageMetadata")
nonsense = st.fixed_dictionaries({}, optional=dict.fromkeys(names, json_values)) | st.builds(
    lambda receipts, number: {
        "Id": "m1",
        "Type": "MESSAGE",
        "MessageMetadata": {
            "Receipts": receipts,
            "ChunkNumber": number,
            "MessageCompleted": False,
        },
    },
    st.lists(
        st.dictionaries(st.sampled_from(["ReadTimestamp", "RecipientParticipantId"]), json_values)
    ),
    json_values,
)


@given(nonsense, nonsense)
def test_nonsense_never_raises(one: Wire, other: Wire) -> None:
    assert all(isinstance(key, str) for key in version_keys(Item(one)))
    merged = newest(one, other)
    assert newest(merged, other) == merged
