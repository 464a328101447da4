"""The prune command: what has been kept long enough goes, and nothing else."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from chatproxy.sessions.models import ChatSession, State, StoredItem
from tests.unit.sessions.conftest import MakeSession, say


def ended(make_session: MakeSession, days: float) -> ChatSession:
    at = timezone.now() - timedelta(days=days)
    session = make_session(state=State.ENDED, ended_at=at, expires_at=at + timedelta(days=1))
    say(session, "one")
    say(session, "two")
    return session


def prune(*arguments: str) -> str:
    out = StringIO()
    call_command("prune", *arguments, stdout=out)
    return out.getvalue()


def test_items_of_chats_that_ended_long_ago_go(make_session: MakeSession) -> None:
    old, recent, live = ended(make_session, 31), ended(make_session, 29), make_session(ago=90000)
    say(live, "still here")
    assert prune() == "2 items deleted: chats that ended more than 30 days ago.\n"
    assert not old.items.exists()
    assert (recent.items.count(), live.items.count()) == (2, 1)
    assert ChatSession.objects.count() == 3


def test_dry_run_only_tells(make_session: MakeSession) -> None:
    ended(make_session, 31)
    assert prune("--dry-run").startswith("2 items would be deleted")
    assert StoredItem.objects.count() == 2


def test_days_can_be_given(make_session: MakeSession) -> None:
    ended(make_session, 2)
    assert prune("--days", "3").startswith("0 items")
    assert prune("--days", "1").startswith("2 items")


def test_retention_is_a_setting(make_session: MakeSession, settings: Settings) -> None:
    ended(make_session, 8)
    settings.CHAT_RETENTION_DAYS = 7
    assert prune().startswith("2 items deleted")


def test_negative_days_are_refused(db: None) -> None:
    with pytest.raises(CommandError, match="0 or more"):
        prune("--days", "-1")
