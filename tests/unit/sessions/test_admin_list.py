"""The list of sessions: what it says, whom it finds, and what it costs."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from chatproxy.sessions.inspection import lists
from chatproxy.sessions.models import ChatSession, LinkLease, State
from tests.unit.sessions.conftest import LogIn, MakeSession

URL = "/admin/chat_sessions/chatsession/"


def shown(client: Client, query: str = "") -> set[str]:
    """Ids (their beginnings) of the sessions the list shows."""
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 200, answer["Location"]
    return set(re.findall(r'class="mono" title="[0-9a-f-]{36}">([0-9a-f]{8})<', _rows(answer)))


def _rows(answer: Any) -> str:
    page: str = answer.content.decode()
    first_cells = re.findall(r'<th class="field-session">.*?</th>', page, re.DOTALL)
    return "".join(first_cells)


def short(*sessions: ChatSession) -> set[str]:
    return {str(session.pk)[:8] for session in sessions}


def lease(session: ChatSession, holder: str = "a", **fields: Any) -> LinkLease:
    facts = {"link_state": "connected", "tabs": 1, "expires_at": timezone.now() + timedelta(9)}
    return LinkLease.objects.create(session=session, holder=holder, **{**facts, **fields})


def test_row_tells_link_and_tabs(admin: Client, make_session: MakeSession) -> None:
    session = make_session(messages_in=3, messages_out=4, errors=2)
    lease(session, "a", tabs=2)
    lease(session, "b", tabs=1, link_state="reconnecting")
    lease(session, "dead", tabs=50, expires_at=timezone.now() - timedelta(seconds=1))
    page = admin.get(URL).content.decode()
    assert '<td class="field-tabs">3</td>' in page
    assert '<span class="pill good">connected</span>' in page
    assert '<span class="pill good">Active</span>' in page
    assert '<span class="pill bad">2</span>' in page
    assert "3 / 4" in page
    assert "shop.example" in page


def test_last_activity_is_told_to_the_second_at_first(
    admin: Client, make_session: MakeSession
) -> None:
    make_session(ago=0.5)
    make_session(ago=12)
    page = admin.get(URL).content.decode().replace("\xa0", " ")
    assert re.search(r">3\d s ago<", page)
    assert ">12 minutes ago<" in page


def test_session_without_holder_shows_no_link(admin: Client, make_session: MakeSession) -> None:
    make_session()
    assert '<span class="pill bad">none</span>' in admin.get(URL).content.decode()


def test_live_now(admin: Client, make_session: MakeSession) -> None:
    live = [make_session(state=state) for state in ("starting", "active", "leaving")]
    for state in ("ended", "failed", "expired"):
        make_session(state=state)
    assert shown(admin, "show=live") == short(*live)


def test_stuck_is_live_and_quiet_for_ten_minutes(admin: Client, make_session: MakeSession) -> None:
    stuck = make_session(ago=11)
    make_session(ago=9)
    make_session(ago=11, state=State.ENDED)
    assert shown(admin, "show=stuck") == short(stuck)


def test_no_upstream_link(admin: Client, make_session: MakeSession) -> None:
    held, orphan, trying, expired = (make_session() for _ in range(4))
    make_session(state=State.ENDED)
    make_session(state=State.STARTING, connected_at=None)
    lease(held)
    lease(held, "b", link_state="reconnecting")
    lease(trying, link_state="reconnecting")
    lease(expired, expires_at=timezone.now() - timedelta(seconds=1))
    assert shown(admin, "show=unlinked") == short(orphan, trying, expired)


def test_failed_errors_ended_by_and_incomplete(admin: Client, make_session: MakeSession) -> None:
    failed = make_session(state=State.FAILED)
    faulty = make_session(errors=1)
    stopped = make_session(state=State.ENDED, ended_by="operator", incomplete_since=timezone.now())
    assert shown(admin, "show=failed") == short(failed)
    assert shown(admin, "errors=yes") == short(faulty)
    assert shown(admin, "errors=no") == short(failed, stopped)
    assert shown(admin, "ended_by__exact=operator") == short(stopped)
    assert shown(admin, "show=incomplete") == short(stopped)


def test_started_between_two_days(admin: Client, make_session: MakeSession) -> None:
    today, yesterday, before = (make_session(ago=1440 * days) for days in (0, 1, 2))
    day = f"{timezone.now() - timedelta(days=1):%Y-%m-%d}"
    assert shown(admin, f"started_from={day}") == short(today, yesterday)
    assert shown(admin, f"started_to={day}") == short(yesterday, before)
    assert shown(admin, f"started_from={day}&started_to={day}") == short(yesterday)
    assert shown(admin, "started_to=9999-12-31") == short(today, yesterday, before)


def test_filters_go_together_with_the_dates(admin: Client, make_session: MakeSession) -> None:
    session = make_session(errors=1)
    make_session()
    day = f"{timezone.now():%Y-%m-%d}"
    assert shown(admin, f"errors=yes&q=Ada&started_to={day}") == short(session)
    page = admin.get(f"{URL}?errors=yes&q=Ada&started_to={day}").content.decode()
    assert '<input type="hidden" name="errors" value="yes">' in page
    assert '<input type="hidden" name="q" value="Ada">' in page


def test_nonsense_in_a_filter_leads_back_to_the_list(admin: Client, widget: object) -> None:
    answer = admin.get(f"{URL}?started_from=yesterday")
    assert (answer.status_code, answer["Location"]) == (302, f"{URL}?e=1")


@pytest.mark.parametrize(
    "term",
    [
        lambda one: str(one.pk),
        lambda one: str(one.pk).upper(),
        lambda one: one.pk.hex,
        lambda one: str(one.pk)[:9],
        lambda one: str(one.pk)[:15],
        lambda one: one.contact_id,
        lambda one: one.contact_id[:9],
        lambda one: one.participant_id,
        lambda one: f"  {one.contact_id} ",
        lambda one: one.contact_id.upper(),
        lambda one: "grace",
        lambda one: "grace h",
    ],
)
def test_search_finds_by_what_an_operator_has(
    admin: Client, make_session: MakeSession, term: Any
) -> None:
    wanted = make_session(display_name="Grace Hopper")
    make_session()
    assert shown(admin, f"q={term(wanted)}") == short(wanted)


def test_short_name_of_hexadecimal_letters_is_a_name(
    admin: Client, make_session: MakeSession
) -> None:
    dada = make_session(display_name="Dada")
    make_session()
    assert shown(admin, "q=dada") == short(dada)


def test_search_by_id_goes_through_indexes(widget: object) -> None:
    plan = lists.search(ChatSession.objects.order_by(), "05d6b655-5308").explain()
    assert "SCAN" not in plan
    assert plan.count("USING INDEX") >= 3


def test_search_for_nobody_finds_nobody(admin: Client, make_session: MakeSession) -> None:
    make_session()
    for term in ("nobody", "%25", "_", "zzzz", "0000-"):
        assert shown(admin, f"q={term}") == set()


def test_cost_does_not_grow_with_the_rows(
    admin: Client,
    make_session: MakeSession,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(60):
        lease(make_session(), f"holder-{number}")
    with django_assert_max_num_queries(7):  # cookie, user, widgets, count, page …
        admin.get(URL)


def test_counting_stops_at_a_bound(
    make_session: MakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(5):
        make_session()
    monkeypatch.setattr(lists, "COUNTED", 3)
    assert lists.BoundedPaginator(ChatSession.objects.all(), 2).count == 3


def test_who_may_not_see_sessions_does_not(log_in: LogIn, make_session: MakeSession) -> None:
    session = make_session()
    client = log_in()
    assert client.get(URL).status_code == 403
    assert client.get(f"{URL}{session.pk}/change/").status_code == 403
    assert "Live now" not in client.get("/admin/").content.decode()


def test_figures_lead_to_the_lists_they_count(admin: Client, make_session: MakeSession) -> None:
    make_session()
    make_session(ago=11)
    make_session(state=State.FAILED)
    page = admin.get("/admin/").content.decode()
    figures = re.findall(r'href="([^"]+)"><b>(\d+)</b> ([^<]+)</a>', page)
    assert {name: int(count) for _, count, name in figures} == {
        "Live now": 2,
        "Started in 24 hours": 3,
        "Quiet for 10 minutes": 1,
        "No upstream link": 2,
        "Failed in 24 hours": 1,
    }
    for address, count, _ in figures:
        assert len(shown(admin, address.partition("?")[2].replace("&amp;", "&"))) == int(count)
