"""End chat and Revoke keys: asked first, allowed or not, and what became of it."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.core import signing
from django.test import Client

from chatproxy.sessions import lifecycle, starting
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.inspection import actions, rounds
from chatproxy.sessions.models import ChatSession, EndedBy, State
from chatproxy.upstream.errors import InternalServerException, UpstreamTimeout
from tests.unit.sessions.conftest import LogIn, MakeSession

LIST = "/admin/chat_sessions/chatsession/"


class Contacts:
    """Stands in for the calls to Connect; ``trouble`` is raised instead of ending."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, EndedBy]] = []
        self.trouble: Exception | None = None
        self.was_going_on = True
        self.room = 1000

    def stop(self, session: ChatSession, by: EndedBy) -> bool:
        if self.trouble is not None:
            raise self.trouble
        if self.room == 0:
            raise Overloaded("Too many chats were ended at once. Try again in a second.", 1.0)
        self.room -= 1
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


def short(session: ChatSession) -> str:
    return str(session.pk)[:8]


def form(answer: object) -> dict[str, list[str]]:
    """Name → values of the hidden fields of the page that goes on by itself."""
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert "data-goes-on" in page
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page):
        fields.setdefault(name, []).append(value)
    return fields


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
        f"Session {short(session)}: the chat is being ended; every tab is told within seconds."
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


def test_trouble_is_told_and_not_hidden(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    session = make_session()
    contacts.trouble = UpstreamTimeout("StopContact")
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", {"confirmed": "yes"}, follow=True)
    assert told(answer) == [
        f"Session {short(session)}: the chat goes on: StopContact was not answered in time. "
        "Try again."
    ]
    assert not LogEntry.objects.exists()


def test_trouble_of_many_is_told_once(
    admin: Client, make_session: MakeSession, contacts: Contacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    sessions = [make_session() for _ in range(3)]

    def stop(session: ChatSession, by: EndedBy) -> bool:
        raise InternalServerException("StopContact", request_id=f"call-{short(session)}")

    monkeypatch.setattr(starting, "stop_contact_at_once", stop)
    chosen = {"action": "end_chat", "_selected_action": [str(one.pk) for one in sessions]}
    [said] = told(admin.post(LIST, {**chosen, "confirmed": "yes"}, follow=True))
    assert said.count("goes on") == 1
    for session in sessions:
        assert f"call-{short(session)}" in said


def test_ids_are_written_as_they_are(admin: Client, make_session: MakeSession) -> None:
    session = make_session(pk="baf008ff-0000-4000-8000-000000000000")
    lifecycle.issue_key(session)
    address = f"{LIST}{session.pk}/revoke-keys/"
    page = admin.post(address, {"confirmed": "yes"}, follow=True).content.decode()
    assert "Session baf008ff: 1 key is revoked; the visitor is shut out" in page


def test_more_than_the_quota_has_room_for_are_ended_in_rounds(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    sessions = [make_session() for _ in range(8)]
    chosen = {"action": "end_chat", "_selected_action": [str(one.pk) for one in sessions]}
    contacts.room = 5
    answer = admin.post(f"{LIST}?show=live", {**chosen, "confirmed": "yes"})
    assert "5 of 8 done." in answer.content.decode()
    left = form(answer)
    assert len(left["_selected_action"]) == 3
    assert LogEntry.objects.count() == 5

    contacts.room = 2
    answer = admin.post(f"{LIST}?show=live", left)
    assert "7 of 8 done." in answer.content.decode()

    contacts.room = 1
    answer = admin.post(f"{LIST}?show=live", form(answer), follow=True)
    assert answer.redirect_chain == [(f"{LIST}?show=live", 302)]
    assert {who for who, _ in contacts.ended} == {str(one.pk) for one in sessions}
    [said] = told(answer)
    assert all(short(session) in said for session in sessions)
    assert said.endswith("each: the chat is being ended; every tab is told within seconds.")


def test_one_that_ends_between_rounds_is_told_too(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    session, contacts.room = make_session(), 0
    chosen = {"action": "end_chat", "_selected_action": [str(session.pk)], "confirmed": "yes"}
    left = form(admin.post(f"{LIST}?show=live", chosen))
    lifecycle.mark_ended(str(session.pk), by=EndedBy.CUSTOMER)
    assert told(admin.post(f"{LIST}?show=live", left, follow=True)) == [
        f"Session {short(session)}: it was ended already."
    ]


def test_what_the_quota_never_has_room_for_is_given_up_and_told_once(
    admin: Client,
    make_session: MakeSession,
    contacts: Contacts,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sessions, contacts.room = [make_session() for _ in range(3)], 1
    chosen = {"action": "end_chat", "_selected_action": [str(one.pk) for one in sessions]}
    left = form(admin.post(LIST, {**chosen, "confirmed": "yes"}))
    monkeypatch.setattr(rounds, "GIVE_UP_S", 0.0)
    ended, given_up = told(admin.post(LIST, left, follow=True))
    assert "is being ended" in ended
    assert given_up.endswith(
        "each: the chat goes on: the quota for ending chats is used up. Try again in a minute."
    )


def test_it_can_be_stopped_between_rounds(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    session, contacts.room = make_session(), 0
    left = form(admin.post(f"{LIST}{session.pk}/end-chat/", {"confirmed": "yes"}))
    contacts.room = 1
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", {**left, "stop": "yes"}, follow=True)
    assert told(answer) == [f"Session {short(session)}: the chat goes on, as you wished."]
    assert contacts.ended == []


def test_a_service_that_is_slow_does_not_hold_a_request(
    make_session: MakeSession, contacts: Contacts
) -> None:
    sessions = [make_session() for _ in range(3)]
    clock = iter([0.0, 0.0, actions.ROUND_S, actions.ROUND_S])
    outcomes, left = actions.Action.END_CHAT.perform(sessions, lambda: next(clock))
    assert ([one.session for one in outcomes], left) == (sessions[:1], sessions[1:])


def test_nobody_else_can_write_what_is_told(
    admin: Client, make_session: MakeSession, contacts: Contacts
) -> None:
    session = make_session()
    sent = {"confirmed": "yes", "progress": signing.dumps({"begun_at": 0, "sentences": []})}
    answer = admin.post(f"{LIST}{session.pk}/end-chat/", sent, follow=True)
    assert len(told(answer)) == 1


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
    [said] = told(answer)
    assert said.startswith("Sessions ")


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
