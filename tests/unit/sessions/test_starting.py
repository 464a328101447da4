"""StartChatContact and StopContact: which contact is named, and what becomes of the session."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import override_settings

from chatproxy.sessions import admission, lifecycle, starting
from chatproxy.sessions.admission import Start
from chatproxy.sessions.errors import Overloaded, SessionEnded
from chatproxy.sessions.instances import governor
from chatproxy.sessions.models import EndedBy, State
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ResourceNotFoundException,
    ThrottlingException,
    UpstreamError,
    UpstreamMisconfigured,
    UpstreamTimeout,
)
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.shapes import ParticipantToken, StartedChat
from chatproxy.upstream.starting import ChatStart
from chatproxy.upstream.vocabulary import Operation
from chatproxy.widgets.models import Widget
from tests.unit.sessions.conftest import MakeSession, say, sealed_with_a_lost_key

pytestmark = pytest.mark.django_db
START, STOP = Operation.START_CHAT_CONTACT, Operation.STOP_CONTACT


class Connect:
    """Stands where boto3's client of the Connect service does."""

    def __init__(self) -> None:
        self.stopped: list[str] = []
        self.trouble: UpstreamError | None = None
        self.meanwhile: Callable[[], object] = lambda: None

    def start_chat_contact(self, request: ChatStart) -> StartedChat:
        if self.trouble is not None:
            raise self.trouble
        self.meanwhile()
        return StartedChat("c-1", "p-1", ParticipantToken("participant-token"))

    def stop_contact(self, instance_id: str, contact_id: str) -> None:
        self.stopped.append(contact_id)
        if self.trouble is not None:
            raise self.trouble


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    made = Connect()
    monkeypatch.setattr(starting, "contact_client", lambda: made)
    return made


@pytest.mark.parametrize("refused", [ThrottlingException(START), UpstreamMisconfigured(START)])
def test_a_start_that_may_have_made_a_contact_keeps_its_place_when_its_repeat_is_refused(
    widget: Widget, connect: Connect, refused: UpstreamError
) -> None:
    start = Start(widget, "", client_token="a token that only this page knows")
    for connect.trouble in (UpstreamTimeout(START), refused):
        session = admission.prepare(start)
        with pytest.raises(type(connect.trouble)):
            starting.start_contact(session)
    session.refresh_from_db()
    assert session.state == State.STARTING
    connect.trouble = None
    starting.start_contact(admission.prepare(start))
    session.refresh_from_db()
    assert (session.state, session.contact_id) == (State.STARTING, "c-1")


def test_a_start_that_was_refused_made_no_contact(widget: Widget, connect: Connect) -> None:
    session, connect.trouble = admission.prepare(Start(widget, "")), ThrottlingException(START)
    with pytest.raises(ThrottlingException):
        starting.start_contact(session)
    session.refresh_from_db()
    assert session.state == State.FAILED


def test_a_chat_that_was_ended_while_connect_was_asked_is_not_started(
    widget: Widget, connect: Connect
) -> None:
    session = admission.prepare(Start(widget, ""))
    connect.meanwhile = lambda: lifecycle.mark_ended(str(session.pk), by=EndedBy.OPERATOR)
    with pytest.raises(SessionEnded, match="ended while it was started"):
        starting.start_contact(session)
    session.refresh_from_db()
    assert (session.state, session.contact_id) == (State.ENDED, "c-1")
    assert session.participant_token_sealed == ""


def test_the_contact_the_chat_was_transferred_to_is_stopped(
    make_session: MakeSession, connect: Connect
) -> None:
    session = make_session(contact_id="first")
    say(session, "hello", ContactId="first")
    say(session, "good morning", minute=1, ContactId="second")
    say(session, "a receipt's line", minute=2)
    assert starting.stop_contact(session, EndedBy.OPERATOR)
    assert connect.stopped == ["second"]


def test_a_chat_is_stopped_though_its_newest_message_does_not_open(
    make_session: MakeSession, connect: Connect
) -> None:
    session = make_session(contact_id="first")
    say(session, "good morning", ContactId="second")
    sealed_with_a_lost_key(say(session, "lost", minute=1, ContactId="second"))
    assert starting.stop_contact(session, EndedBy.OPERATOR)
    assert connect.stopped == ["second"]


def test_without_items_the_contact_it_began_with_is_stopped(
    make_session: MakeSession, connect: Connect
) -> None:
    assert starting.stop_contact(make_session(contact_id="first"), EndedBy.OPERATOR)
    assert connect.stopped == ["first"]


def test_the_end_is_ours_before_the_frame_that_tells_of_it_is_here(
    make_session: MakeSession, connect: Connect
) -> None:
    session = make_session()
    starting.stop_contact(session, EndedBy.CUSTOMER)
    session.refresh_from_db()
    assert (session.state, session.ended_by) == (State.ACTIVE, EndedBy.CUSTOMER)


def test_a_chat_without_a_link_is_ended_at_once(
    make_session: MakeSession, connect: Connect
) -> None:
    session = make_session(state=State.STARTING, connected_at=None)
    starting.stop_contact(session, EndedBy.CUSTOMER)
    session.refresh_from_db()
    assert (session.state, session.ended_by) == (State.ENDED, EndedBy.CUSTOMER)


def test_a_chat_that_had_ended_unseen_was_not_ended_by_who_asked(
    make_session: MakeSession, connect: Connect
) -> None:
    session, connect.trouble = make_session(), ResourceNotFoundException(STOP)
    assert not starting.stop_contact(session, EndedBy.CUSTOMER)
    session.refresh_from_db()
    assert (session.state, session.ended_by) == (State.ENDED, EndedBy.SERVICE)
    assert session.incomplete_since is not None


@pytest.mark.parametrize(
    ("trouble", "raised"),
    [
        (UpstreamTimeout(STOP), UpstreamTimeout),
        (AccessDeniedException(STOP), UpstreamMisconfigured),  # our credentials, not the chat
    ],
)
def test_a_chat_that_could_not_be_ended_goes_on(
    make_session: MakeSession,
    connect: Connect,
    trouble: UpstreamError,
    raised: type[UpstreamError],
) -> None:
    session, connect.trouble = make_session(), trouble
    with pytest.raises(raised):
        starting.stop_contact(session, EndedBy.OPERATOR)
    session.refresh_from_db()
    assert (session.state, session.ended_by) == (State.ACTIVE, "")


@override_settings(CONNECT_QUOTAS={"stop_contact": [0.1, 1]})
def test_who_cannot_wait_for_the_quota_is_told_so(
    make_session: MakeSession, connect: Connect
) -> None:
    session = make_session(widget=make_session().widget)
    instance = "an instance of this test's own"
    session.widget.instance_id = instance
    assert governor(instance).try_acquire(Group.STOP_CONTACT, Priority.NORMAL, "another")
    with pytest.raises(Overloaded, match="in a second"):
        starting.stop_contact_at_once(session, EndedBy.OPERATOR)
    assert connect.stopped == []
