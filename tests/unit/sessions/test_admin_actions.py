"""End chat and Revoke keys: asked first, allowed or not, and what became of it."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from chatproxy.sessions import lifecycle, starting
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.inspection import actions
from chatproxy.sessions.models import ChatSession, EndedBy, State
from chatproxy.upstream.errors import UpstreamTimeout
from tests.unit.sessions.conftest import LogIn, MakeSession

LIST = "/admin/chat_sessions/chatsession/"


class Contacts:
    """Stands in for the calls to Connect; ``trouble`` is raised instead of ending."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, EndedBy]] = []
        self.trouble: Exception | None = None
        self.was_going_on = True

    def stop(self, session: ChatSession, by: EndedBy) -> bool:
        if self.trouble is not None:
            raise self.trouble
        self.ended.append((str(session.pk), by))
        lifecycle.mark_ended(str(session.pk), by=by)
        return self.was_going_on


@pytest.fixture
def contacts(monkeypatch: pytest.MonkeyPatch) -> Contacts:
    found = Contacts()
    monkeypatch.setattr(starting, "stop_contact_at_once", found.stop)
    return found


def told(answer: object) -> list[str]:
    return [str(message) for message in answer.context["messages"]]  # type: ignore[attr-defined]


def test_ending_asks_first(admin: Client, make_session: MakeSession, contacts: Contacts) -> None:
    session = make_session()
    page = admin.get(f"{LIST}{session.pk}/end-chat/").content.decode()
    assert "It cannot be taken up again" in page
    assert str(session.pk) in page
    admin.post(f"{LIST}{session.pk}/end-chat/")
    assert contacts.ended == []


def test_confirmed_end_is_carried_out_and_told(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    session = make_session()
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", {"confirmed": "yes"}, follow=True)
    assert contacts.ended == [(str(session.pk), EndedBy.OPERATOR)]
    assert answer.redirect_chain == [(f"{LIST}{session.pk}/change/", 302)]
    assert told(answer) == [
        f"{str(session.pk)[:8]} is being ended: every tab is told within seconds."
    ]
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.change_message) == (str(session.pk), "End chat")


def test_an_end_nobody_saw_is_told(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    session, contacts.was_going_on = make_session(), False
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", {"confirmed": "yes"}, follow=True)
    assert "had ended unseen" in told(answer)[0]


def test_ended_session_offers_no_end(admin: Client, make_session: MakeSession) -> None:
    over, live = make_session(state=State.ENDED), make_session()
    assert "end-chat" not in admin.get(f"{LIST}{over.pk}/change/").content.decode()
    assert "end-chat" in admin.get(f"{LIST}{live.pk}/change/").content.decode()


def test_ending_twice_is_told(admin: Client, make_session: MakeSession, contacts: Contacts) -> None:
    session = make_session(state=State.ENDED)
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", {"confirmed": "yes"}, follow=True)
    assert "was ended already" in told(answer)[0]
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        (Overloaded("Too many chats were ended at once. Try again in a second.", 1.0), "Too many"),
        (UpstreamTimeout("StopContact"), "Try again."),
    ],
)
def test_trouble_is_told_and_not_hidden(
    admin: Client, make_session: MakeSession, contacts: Contacts, trouble: Exception, said: str
) -> None:
    session = make_session()
    contacts.trouble = trouble
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", {"confirmed": "yes"}, follow=True)
    assert "goes on" in told(answer)[0]
    assert said in told(answer)[0]
    assert not LogEntry.objects.exists()


def test_several_are_ended_from_the_list(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    sessions = [make_session() for _ in range(3)]
    chosen = {"action": "end_chat", "_selected_action": [str(one.pk) for one in sessions[:2]]}
    asked = admin.post(LIST, chosen).content.decode()
    assert 'name="action" value="end_chat"' in asked
    assert contacts.ended == []
    answer = admin.post(LIST, {**chosen, "confirmed": "yes"}, follow=True)
    assert {who for who, _ in contacts.ended} == {str(one.pk) for one in sessions[:2]}
    assert len(told(answer)) == 2


def test_too_many_at_once_are_refused(
    admin: Client,
    make_session: MakeSession,
    contacts: Contacts,
) -> None:
    sessions = [make_session() for _ in range(actions.MOST_AT_ONCE + 1)]
    chosen = {"action": "end_chat", "_selected_action": [str(one.pk) for one in sessions]}
    answer = admin.post(LIST, {**chosen, "confirmed": "yes"}, follow=True)
    assert told(answer) == [f"Choose {actions.MOST_AT_ONCE} at most."]
    assert contacts.ended == []


def test_revoking_tells_how_many(admin: Client, make_session: MakeSession) -> None:
    session = make_session()
    lifecycle.issue_key(session)
    lifecycle.issue_key(session)
    answer = admin.post(f"{LIST}{session.pk}/revoke-keys/", {"confirmed": "yes"}, follow=True)
    assert "2 keys are revoked; the visitor is shut out within 15 seconds." in told(answer)[0]
    assert not session.keys.filter(revoked_at=None).exists()
    again = admin.post(f"{LIST}{session.pk}/revoke-keys/", {"confirmed": "yes"}, follow=True)
    assert "had no valid key" in told(again)[0]


@pytest.mark.parametrize(
    ("action", "other"), [("end-chat", "revoke_keys"), ("revoke-keys", "end_chat")]
)
def test_each_action_needs_its_permission(
    log_in: LogIn, make_session: MakeSession, contacts: Contacts, action: str, other: str
) -> None:
    session = make_session()
    lifecycle.issue_key(session)
    client = log_in("view_chatsession", "view_transcript", other)
    address = f"{LIST}{session.pk}/{action}/"
    assert client.get(address).status_code == 403
    assert client.post(address, {"confirmed": "yes"}).status_code == 403
    page = client.get(f"{LIST}{session.pk}/change/").content.decode()
    assert action not in page
    assert other.replace("_", "-") in page
    chosen = {"action": action.replace("-", "_"), "_selected_action": [str(session.pk)]}
    client.post(LIST, {**chosen, "confirmed": "yes"})
    assert contacts.ended == []
    assert session.keys.filter(revoked_at=None).exists()


def test_viewer_is_offered_nothing(log_in: LogIn, make_session: MakeSession) -> None:
    make_session()
    page = log_in("view_chatsession").get(LIST).content.decode()
    assert "end_chat" not in page
    assert "revoke_keys" not in page


def test_stranger_is_sent_to_the_log_in(make_session: MakeSession) -> None:
    session = make_session()
    for path in ("", f"{session.pk}/change/", f"{session.pk}/end-chat/"):
        answer = Client().get(f"{LIST}{path}")
        assert answer["Location"].startswith("/admin/login/")
