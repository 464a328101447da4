"""Who may start a chat: one row for each start, and never more than the widget's caps."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from chatproxy.sessions import admission, lifecycle
from chatproxy.sessions.admission import Start
from chatproxy.sessions.errors import RateLimited, SessionEnded, WidgetNotFound
from chatproxy.sessions.models import ChatSession, EndedBy, State
from chatproxy.upstream.shapes import ParticipantToken, StartedChat
from chatproxy.widgets.models import Widget

pytestmark = pytest.mark.django_db
TOKEN = "11111111-2222-4333-8444-555555555555"
CROWD = 12


def started(number: int = 1) -> StartedChat:
    return StartedChat(f"c-{number}", f"p-{number}", ParticipantToken("participant-token"))


def capped(widget: Widget, *, starts_per_day: int = 100, live_chats: int = 100) -> Widget:
    widget.starts_per_day, widget.live_chats = starts_per_day, live_chats
    widget.save()
    return widget


def asked_for(*, minutes_ago: int) -> dict[str, datetime]:
    """The times of a session that was asked for so long ago."""
    then = timezone.now() - timedelta(minutes=minutes_ago)
    return {"created_at": then, "last_activity_at": then}


def at_once(begin: Callable[[int], ChatSession]) -> list[ChatSession]:
    """What a crowd of threads gets that all start at the same moment; refused ones left out."""
    barrier = Barrier(CROWD)

    def one(number: int) -> ChatSession | None:
        barrier.wait()
        try:
            return begin(number)
        except RateLimited:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(CROWD) as crowd:
        return [session for session in crowd.map(one, range(CROWD)) if session is not None]


def test_the_same_client_token_gives_the_same_session(widget: Widget) -> None:
    start = Start(widget, "https://shop.example", client_token=TOKEN)
    assert admission.prepare(start).pk == admission.prepare(start).pk
    elsewhere = Start(widget, "https://other.example", client_token=TOKEN)
    assert admission.prepare(elsewhere).pk != admission.prepare(start).pk


def test_without_a_client_token_each_start_is_its_own(widget: Widget) -> None:
    start = Start(widget, "")
    assert admission.prepare(start).pk != admission.prepare(start).pk


def test_a_client_token_does_not_lie_readable(widget: Widget) -> None:
    admission.prepare(Start(widget, "", client_token=TOKEN))
    assert TOKEN not in str(ChatSession.objects.values().get())


def test_a_client_token_of_a_chat_that_is_over_starts_nothing(widget: Widget) -> None:
    start = Start(widget, "", client_token=TOKEN)
    lifecycle.mark_ended(str(admission.prepare(start).pk))
    with pytest.raises(SessionEnded):
        admission.prepare(start)


def test_a_start_that_failed_begins_anew_with_its_five_minutes(widget: Widget) -> None:
    start = Start(widget, "", client_token=TOKEN)
    first = admission.prepare(start)
    ChatSession.objects.update(**asked_for(minutes_ago=60))
    lifecycle.fail(first, "ValidationException")
    again = admission.prepare(start)
    lifecycle.sweep()
    again.refresh_from_db()
    assert (again.pk, again.state, again.failure, again.ended_at) == (
        first.pk,
        State.STARTING,
        "",
        None,
    )


def test_a_contact_made_beside_a_failed_try_is_kept(widget: Widget) -> None:
    start = Start(widget, "", client_token=TOKEN)
    session = admission.prepare(start)
    lifecycle.fail(admission.prepare(start), "the other request's")
    lifecycle.keep_contact(session, started())
    session.refresh_from_db()
    assert (session.state, session.contact_id) == (State.STARTING, "c-1")
    lifecycle.fail(session, "too late")
    session.refresh_from_db()
    assert session.state == State.STARTING


@pytest.mark.django_db(transaction=True)
def test_starts_at_the_same_time_with_one_client_token_are_one(widget: Widget) -> None:
    found = at_once(lambda _: admission.prepare(Start(widget, "", client_token=TOKEN)))
    assert len(found) == CROWD
    assert len({session.pk for session in found}) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cap", ["starts_per_day", "live_chats"])
def test_a_crowd_gets_as_many_chats_as_there_are_places(widget: Widget, cap: str) -> None:
    capped(widget, **{cap: 5})
    assert len(at_once(lambda _: admission.prepare(Start(widget, "")))) == 5
    assert ChatSession.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_a_crowd_whose_starts_had_failed_gets_no_more_places_either(widget: Widget) -> None:
    starts = [Start(widget, "", client_token=f"{TOKEN}-{number}") for number in range(CROWD)]
    for start in starts:
        lifecycle.fail(admission.prepare(start), "Connect was away")
    capped(widget, live_chats=5)
    assert len(at_once(lambda number: admission.prepare(starts[number]))) == 5
    assert ChatSession.objects.live().count() == 5


def test_a_widgets_caps_are_kept(widget: Widget) -> None:
    capped(widget, starts_per_day=3, live_chats=2)
    admission.prepare(Start(widget, ""))
    second = admission.prepare(Start(widget, "", client_token=TOKEN))
    with pytest.raises(RateLimited, match="busy"):
        admission.prepare(Start(widget, ""))
    assert admission.prepare(Start(widget, "", client_token=TOKEN)).pk == second.pk
    lifecycle.mark_ended(str(second.pk))
    admission.prepare(Start(widget, ""))
    with pytest.raises(RateLimited, match="today"):
        admission.prepare(Start(widget, ""))


def test_a_start_that_came_to_nothing_gives_its_place_back(widget: Widget) -> None:
    capped(widget, starts_per_day=1, live_chats=1)
    for _ in range(3):
        lifecycle.fail(admission.prepare(Start(widget, "")), "Connect was away")
    lifecycle.keep_contact(admission.prepare(Start(widget, "")), started())
    ChatSession.objects.filter(state=State.STARTING).update(state=State.FAILED)  # nobody connected
    with pytest.raises(RateLimited, match="today"):
        admission.prepare(Start(widget, ""))


def test_a_start_whose_outcome_nobody_knows_keeps_its_place_until_the_sweep(
    widget: Widget,
) -> None:
    capped(widget, live_chats=1)
    session = admission.prepare(Start(widget, ""))
    with pytest.raises(RateLimited, match="busy"):
        admission.prepare(Start(widget, ""))
    ChatSession.objects.update(**asked_for(minutes_ago=6))
    lifecycle.sweep()
    assert admission.prepare(Start(widget, "")).pk != session.pk


def test_a_start_that_is_still_asked_for_keeps_its_place_when_a_try_beside_it_fails(
    widget: Widget,
) -> None:
    capped(widget, live_chats=1)
    start = Start(widget, "", client_token=TOKEN)
    one, other = admission.prepare(start), admission.prepare(start)
    lifecycle.fail(one, "Connect throttled it")
    with pytest.raises(RateLimited, match="busy"):
        admission.prepare(Start(widget, ""))
    lifecycle.keep_contact(other, started())
    assert ChatSession.objects.live().count() == 1


def test_a_start_gives_its_place_back_when_its_last_try_has_failed(widget: Widget) -> None:
    capped(widget, live_chats=1)
    start = Start(widget, "", client_token=TOKEN)
    tries = [admission.prepare(start) for _ in range(3)]
    for one in tries:
        lifecycle.fail(one, "Connect was away")
    assert admission.prepare(Start(widget, "")).pk != tries[0].pk


def test_a_start_that_is_repeated_has_five_minutes_from_its_last_try(widget: Widget) -> None:
    start = Start(widget, "", client_token=TOKEN)
    first = admission.prepare(start)
    ChatSession.objects.update(**asked_for(minutes_ago=6))
    admission.prepare(start)  # at this moment it may make a contact
    lifecycle.sweep()
    first.refresh_from_db()
    assert first.state == State.STARTING


def test_a_chat_that_was_ended_while_it_started_stays_ended(widget: Widget) -> None:
    session = admission.prepare(Start(widget, ""))
    lifecycle.mark_ended(str(session.pk), by=EndedBy.OPERATOR)
    lifecycle.fail(session, "Connect was away")
    session.refresh_from_db()
    assert session.state == State.ENDED


def test_a_cap_counts_from_the_moment_it_is_set(widget: Widget) -> None:
    known_to_the_door = Widget.objects.get(pk=widget.pk)
    capped(widget, live_chats=0)
    with pytest.raises(RateLimited):
        admission.prepare(Start(known_to_the_door, ""))
    widget.enabled = False
    widget.save()
    with pytest.raises(WidgetNotFound, match="switched off"):
        admission.prepare(Start(known_to_the_door, ""))
