"""Who holds a link: leases that run out, orphans that are adopted once, never too many links."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from django.utils import timezone

from chatproxy.relay import registry
from chatproxy.relay.registry import Held, TooManyLinks
from chatproxy.sessions.models import ChatSession, LinkLease, State
from tests.unit.relay.conftest import MakeChat


def held(chat: ChatSession, tabs: int = 0) -> Held:
    return Held(str(chat.pk), "connected", tabs)


def lease(chat: ChatSession, holder: str, *, ago: float = 10, left: float = 10) -> LinkLease:
    now = timezone.now()
    return LinkLease.objects.create(
        session=chat,
        holder=holder,
        link_state="connected",
        opened_at=now - timedelta(seconds=ago),
        expires_at=now + timedelta(seconds=left),
    )


def test_renewing_keeps_one_lease_and_when_it_began(make_chat: MakeChat) -> None:
    chat = make_chat()
    registry.renew([held(chat)])
    began = LinkLease.objects.get().opened_at
    registry.renew([held(chat, tabs=3)])
    row = LinkLease.objects.get()
    assert (row.tabs, row.opened_at) == (3, began)
    assert row.expires_at > timezone.now() + timedelta(seconds=registry.LEASE_S - 2)


def test_a_session_nobody_holds_is_adopted_once(make_chat: MakeChat) -> None:
    chat = make_chat()
    lease(chat, "crashed:1:a", left=-1)
    assert registry.orphans(10) == [str(chat.pk)]
    assert registry.orphans(10) == []


@pytest.mark.parametrize(
    "fields",
    [{"state": State.ENDED}, {"state": State.STARTING}, {"connected_at": None}],
    ids=["ended", "starting", "never connected"],
)
def test_a_session_without_a_chat_to_hold_is_no_orphan(
    make_chat: MakeChat, fields: dict[str, object]
) -> None:
    make_chat(**fields)
    assert registry.orphans(10) == []


def test_chats_with_visitors_lately_are_adopted_first(make_chat: MakeChat) -> None:
    now = timezone.now()
    quiet = make_chat(last_activity_at=now - timedelta(hours=1))
    lively = make_chat(last_activity_at=now)
    assert registry.orphans(1) == [str(lively.pk)]
    assert registry.orphans(1) == [str(quiet.pk)]


def test_a_claim_tells_how_many_others_there_are(make_chat: MakeChat) -> None:
    chat = make_chat()
    assert registry.claim(held(chat)) == 0
    lease(chat, "other:1:a")
    lease(chat, "gone:1:a", left=-1)
    assert registry.claim(held(chat)) == 1


def test_there_are_never_more_than_three_links(make_chat: MakeChat) -> None:
    chat = make_chat()
    for number in range(3):
        lease(chat, f"other:{number}:a")
    with pytest.raises(TooManyLinks):
        registry.claim(held(chat))
    assert LinkLease.objects.count() == 3


def test_the_earlier_of_two_holders_has_been_outlived(make_chat: MakeChat) -> None:
    chat, alone, first = make_chat(), make_chat(), make_chat()
    for each in (chat, alone, first):
        registry.renew([held(each)])
    lease(chat, "later:1:a", ago=-1)
    lease(first, "earlier:1:a", ago=60)
    assert registry.outlived([str(each.pk) for each in (chat, alone, first)]) == [str(chat.pk)]


def test_releasing_gives_up_ones_own_lease_only(make_chat: MakeChat) -> None:
    chat = make_chat()
    registry.renew([held(chat)])
    lease(chat, "other:1:a")
    registry.release(str(chat.pk))
    assert [row.holder for row in LinkLease.objects.all()] == ["other:1:a"]
    registry.renew([held(chat)])
    registry.release_all()
    assert LinkLease.objects.count() == 1


def test_leases_of_dead_processes_on_this_host_are_given_up(make_chat: MakeChat) -> None:
    chat = make_chat()
    host = registry.HOLDER.split(":")[0]
    lease(chat, f"{host}:{os.getppid()}:alive")
    lease(chat, f"{host}:{os.getpid()}:before")
    lease(chat, f"{host}:999999999:dead")
    lease(chat, "elsewhere:999999999:unknown")
    assert registry.release_dead_neighbours() == 2
    assert {row.holder.rpartition(":")[2] for row in LinkLease.objects.all()} == {
        "alive",
        "unknown",
    }
