"""The page of one session: facts, timeline, transcript; and what it never shows."""

import json
import re
import uuid
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from chatproxy.sessions import keys, lifecycle, ratings
from chatproxy.sessions.inspection import detail, words
from chatproxy.sessions.models import ChatSession, LinkLease, SessionEvent, State
from chatproxy.sessions.spoken import spoken
from chatproxy.sessions.vault import seal
from chatproxy.upstream.errors import InternalServerException, UpstreamError, UpstreamShapeError
from tests.unit.sessions.conftest import LogIn, MakeSession, say

ROOT = Path(__file__).resolve().parents[3]
INTERACTIVE = "application/vnd.amazonaws.connect.message.interactive"


def page_of(client: Client, session: ChatSession, query: str = "") -> str:
    answer = client.get(f"/admin/chat_sessions/chatsession/{session.pk}/change/?{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_facts_are_there(admin: Client, make_session: MakeSession) -> None:
    earlier = make_session(state=State.ENDED)
    session = make_session(
        continued_from=earlier,
        ended_by="agent",
        state=State.ENDED,
        rating_score=4,
        attributes={"order": "42"},
        failure="",
    )
    page = page_of(admin, session)
    for fact in (session.pk, session.contact_id, session.participant_id, earlier.pk):
        assert str(fact) in page
    text = text_of(page)
    for fact in ("https://shop.example", "Shop (shop)", "Ended by Agent", "4 of 5", "order 42"):
        assert fact in text
    assert f"Continued by {session.pk}" in text_of(page_of(admin, earlier))


def test_failure_stands_on_top(admin: Client, make_session: MakeSession) -> None:
    session = make_session(state=State.FAILED, failure="StartChatContact: AccessDenied")
    assert "Failed: StartChatContact: AccessDenied" in text_of(page_of(admin, session))


def test_timeline_is_newest_first_with_gaps(admin: Client, make_session: MakeSession) -> None:
    session = make_session()
    start = session.created_at
    for seconds, kind, facts in (
        (0.25, "started", {"contact_id": "c-1"}),
        (2.75, "link_failed", {"error": "UpstreamTimeout", "request_id": "r-77"}),
        (130, "link_up", {}),
    ):
        at = start + timedelta(seconds=seconds)
        SessionEvent.objects.create(session=session, at=at, kind=kind, detail=facts)
    text = text_of(page_of(admin, session))
    expected = (
        r"\+2 min 7 s Upstream connected .*"
        r"\+2\.5 s Upstream connection failed .*error: UpstreamTimeout .*request id: r-77 .*"
        r"\+250 ms Contact started .*"
        r"Asked for by the page"
    )
    assert re.search(expected, text)


def test_what_a_line_knows_is_told_in_the_pages_own_words() -> None:
    since = "2026-11-26T00:10:21.457791+00:00"
    assert words.facts({"after": since, "items": 2}) == [
        ("missed since", "26 Nov 00:10:21"),
        ("missed items fetched", "2"),
    ]
    assert words.facts({"by": "service", "incomplete_since": since}) == [
        ("by", "Connect"),
        ("may be incomplete after", "26 Nov 00:10:21"),
    ]
    assert words.facts({"by": "somebody"}) == [("by", "somebody")]


@pytest.mark.parametrize("error", [InternalServerException, UpstreamShapeError])
def test_a_request_id_is_told_once(error: type[UpstreamError]) -> None:
    reason = str(error("StartChatContact", request_id="r-1"))
    assert "r-1" in reason
    told = words.facts({"reason": reason, "request_id": "r-1"})
    assert str(told).count("r-1") == 1
    assert told[0][1].startswith("StartChatContact ")


def test_every_line_of_the_timeline_has_words() -> None:
    kinds = set[str]()
    for path in (ROOT / "chatproxy").rglob("*.py"):
        call = r"\b_?note\(\s*(?:(?:session\.pk|session_id),\s*)?\"(\w+)\""
        kinds |= set(re.findall(call, path.read_text()))
    assert {"ended", "start_unknown", "link_was_deaf"} <= kinds
    assert kinds | {"asked_for"} == words.NOTES.keys()


def test_long_timeline_is_paged(admin: Client, make_session: MakeSession) -> None:
    session = make_session(ago=10)
    at = session.created_at
    SessionEvent.objects.bulk_create(
        SessionEvent(session=session, at=at + timedelta(seconds=n), kind=f"note_{n:03}")
        for n in range(1, 151)
    )
    first, second = page_of(admin, session), page_of(admin, session, "events=2")
    assert "Note 150" in first
    assert "Note 051" in first
    assert "Note 050" not in first
    assert "Note 050" in second
    assert "Asked for by the page" not in first
    assert "Asked for by the page" in second
    assert first.count("+1.0 s") == 100


def test_transcript_is_text_and_never_html(admin: Client, make_session: MakeSession) -> None:
    session = make_session(display_name="<i>Ada</i>")
    for field in ("Content", "DisplayName", "Type", "ContentType", "AbsoluteTime"):
        say(session, "x", **{field: '"><script>alert(1)</script>'})
    SessionEvent.objects.create(session=session, kind="<b>x</b>", detail={"<u>": "<img src=x>"})
    page = page_of(admin, session)
    assert "alert(1)" in page
    for tag in ("<script>alert", "<i>Ada", "<b>x", "<u>", "<img src=x"):
        assert tag not in page


def test_transcript_reads_oldest_first_a_page_at_a_time(
    admin: Client, make_session: MakeSession
) -> None:
    session = make_session()
    for number in range(105):
        stamp = f"2026-11-22T{10 + number // 60:02}:{number % 60:02}:00.000Z"
        say(session, f"line {number:03}", AbsoluteTime=stamp)
    newest, oldest = page_of(admin, session), page_of(admin, session, "said=1")
    assert re.findall(r"line (\d+)", newest) == [f"{n:03}" for n in range(100, 105)]
    assert re.findall(r"line (\d+)", oldest) == [f"{n:03}" for n in range(100)]


def test_what_people_wrote_needs_its_own_permission(
    log_in: LogIn, make_session: MakeSession
) -> None:
    session = make_session(attributes={"mail": "ada@example.org"}, rating_score=2)
    ratings.rate(str(session.pk), 2, "too slow")
    session.refresh_from_db()
    say(session, "my card number")
    viewer = page_of(log_in("view_chatsession"), session)
    for secret in ("my card number", "ada@example.org", "too slow"):
        assert secret not in viewer
    assert "You may not read what people wrote" in viewer
    reader = page_of(log_in("view_chatsession", "view_transcript"), session)
    for said in ("my card number", "ada@example.org", "too slow"):
        assert said in reader


def test_an_item_that_does_not_open_is_said_so(
    admin: Client, make_session: MakeSession, settings: Settings
) -> None:
    session = make_session()
    say(session, "sealed with a key that is gone")
    settings.CHAT_VAULT_KEYS = ["b3RoZXIga2V5IG90aGVyIGtleSBvdGhlciBrZXkgLSE="]
    assert "cannot be opened with the present CHAT_VAULT_KEYS" in page_of(admin, session)


def test_keys_are_fingerprints_and_tokens_expiries(
    admin: Client, make_session: MakeSession
) -> None:
    session = make_session()
    session.participant_token_sealed = seal("P-TOKEN", bound_to="x")
    session.connection_token_sealed = seal("C-TOKEN", bound_to="x")
    session.connection_expiry = timezone.now() + timedelta(hours=20)
    session.save()
    held, revoked = lifecycle.issue_key(session), lifecycle.issue_key(session)
    session.keys.filter(digest=keys.digest(revoked)).update(revoked_at=timezone.now())
    page = page_of(admin, session)
    assert keys.digest(held)[:12] in page
    for secret in (
        held,
        revoked,
        keys.digest(held),
        session.participant_token_sealed,
        session.connection_token_sealed,
        "P-TOKEN",
    ):
        assert secret not in page
    text = text_of(page)
    assert f"held, sealed, until {session.connection_expiry:%d %b %Y %H:%M:%S}" in text
    assert " valid " in text
    assert " revoked " in text


def test_page_costs_a_fixed_number_of_queries(
    admin: Client,
    make_session: MakeSession,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    session = make_session()
    for number in range(20):
        say(session, f"line {number}")
        lifecycle.note(session.pk, "link_up")
        lifecycle.issue_key(session)
        expiry = timezone.now() + timedelta(1)
        LinkLease.objects.create(session=session, holder=str(number), expires_at=expiry)
    with django_assert_max_num_queries(12):
        page_of(admin, session)


def test_nothing_can_be_changed_here(admin: Client, make_session: MakeSession) -> None:
    session = make_session()
    base = "/admin/chat_sessions/chatsession"
    assert admin.get(f"{base}/add/").status_code == 403
    assert admin.get(f"{base}/{session.pk}/delete/").status_code == 403
    admin.post(f"{base}/{session.pk}/change/", {"state": "ended", "display_name": "x"})
    session.refresh_from_db()
    assert (session.state, session.display_name) == (State.ACTIVE, "Ada")


@pytest.mark.parametrize("address", [uuid.uuid4(), "nonsense"])
def test_unknown_session_leads_home(admin: Client, address: object) -> None:
    answer = admin.get(f"/admin/chat_sessions/chatsession/{address}/change/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


# --- words --------------------------------------------------------------------------------------


def interactive(template: str, content: object) -> str:
    message = {"templateType": template, "version": "1.0", "data": {"content": content}}
    said = spoken({"Type": "MESSAGE", "ContentType": INTERACTIVE, "Content": json.dumps(message)})
    return f"{said.kind}: {said.text}"


def test_interactive_messages_are_told_by_title() -> None:
    choices = [{"title": "Red"}, {"title": "Blue"}]
    assert interactive("ListPicker", {"title": "Which?", "elements": choices}) == (
        "List: Which?\n- Red\n- Blue"
    )
    slot = {"date": "2026-11-23T09:00+00:00", "duration": 60}
    assert interactive("TimePicker", {"title": "When?", "timeslots": [slot]}).endswith(
        "When?\n- 2026-11-23 09:00 UTC"
    )
    inner = {"templateType": "Panel", "data": {"content": {"title": "Boot"}}}
    assert interactive("Carousel", {"title": "Look", "elements": [inner]}) == (
        "Carousel: Look\n- Boot"
    )
    view = interactive("ViewResource", {"viewToken": "secret-view-token"})
    assert "secret-view-token" not in view


@pytest.mark.parametrize("content", ["", "nonsense", "[]", "{}", '{"data":{"content":[]}}', "1"])
def test_nonsense_is_no_problem(content: str) -> None:
    for content_type in (INTERACTIVE, f"{INTERACTIVE}.response", "application/json"):
        spoken({"Type": "MESSAGE", "ContentType": content_type, "Content": content})


def test_files_events_and_receipts_have_words() -> None:
    file = {"AttachmentName": "bill.pdf", "Status": "REJECTED"}
    assert spoken({"Type": "ATTACHMENT", "Attachments": [file]}).text == "bill.pdf (rejected)"
    event = "application/vnd.amazonaws.connect.event."
    assert spoken({"Type": "EVENT", "ContentType": f"{event}participant.joined"}).text == "joined"
    assert spoken({"Type": "EVENT", "ContentType": f"{event}something.new"}).text == "Something new"
    read = {"MessageMetadata": {"Receipts": [{"ReadTimestamp": "2026-11-22T10:00:00.000Z"}]}}
    assert spoken({"Type": "MESSAGE", "Content": "x", **read}).receipt == "read"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.038, "38 ms"),
        (2.44, "2.4 s"),
        (185, "3 min 5 s"),
        (4320, "1 h 12 min"),
        (97200, "1 d 3 h"),
        (-2, "-2.0 s"),
    ],
)
def test_spans_are_told_as_people_do(seconds: float, words: str) -> None:
    assert detail.duration(timedelta(seconds=seconds)) == words
