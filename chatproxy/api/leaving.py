"""The customer leaves: DisconnectParticipant, or StopContact where our token is not taken.

DisconnectParticipant ends the customer's part, and the flow may go on with a survey until
``chat.ended``. It needs a connection token that the service takes. Without one the chat would go on
for the agent, with nobody there; StopContact, made with the operator's credentials, ends it for
everybody.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chatproxy.api.access import Visitor, door
from chatproxy.api.failures import noted
from chatproxy.api.participant import CONNECTED, answer, body_as
from chatproxy.api.permits import with_permit
from chatproxy.api.transcript import items_of
from chatproxy.sessions import lifecycle, messaging, opened
from chatproxy.sessions.errors import SessionEnded
from chatproxy.sessions.models import ChatSession, EndedBy, State
from chatproxy.sessions.opened import OpenedSession
from chatproxy.sessions.starting import stop_contact
from chatproxy.upstream.errors import AccessDeniedException
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import Disconnection
from chatproxy.upstream.vocabulary import EventType


@door(CONNECTED)
def disconnect_participant(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """DisconnectParticipant: the customer leaves; the chat is over when ``chat.ended`` comes."""
    asked = body_as(Disconnection, request)
    chat = opened.reopen(visitor.chat.id)
    chat.must_be_live()
    if chat.state == State.LEAVING:
        raise SessionEnded("You have left the chat.")

    def was_over() -> HttpResponse:
        raise SessionEnded("The chat is over. Start a new one to go on.")

    return leave(chat, visitor.generation, asked, done=lambda: answer({}), was_over=was_over)


def leave(
    chat: OpenedSession,
    generation: int,
    asked: Disconnection,
    *,
    done: Callable[[], HttpResponse],
    was_over: Callable[[], HttpResponse],
) -> HttpResponseBase:
    """End the customer's part of a live chat, or all of it.

    Args:
        generation: Of the connection token the customer holds a key for.
        done: Makes the answer when the customer has left.
        was_over: Makes it when the chat was over before, as Amazon Connect says.

    Raises:
        Overloaded: no permit in time.
        UpstreamError: the chat goes on.
    """
    if chat.token(generation) is None:
        return _stop(chat, done, was_over)

    def call() -> HttpResponseBase:
        try:
            with noted(chat.id):
                messaging.disconnect(chat, generation, asked)
        except AccessDeniedException:
            if not _has_left(chat):
                return _stop(chat, done, was_over)
            # An earlier try arrived, and its answer was lost. The survey must not be cut off.
        lifecycle.mark_leaving(chat.id)
        return done()

    return with_permit(chat.instance_id, chat.id, Group.DISCONNECT, Priority.NORMAL, call)


def _stop(
    chat: OpenedSession, done: Callable[[], HttpResponse], was_over: Callable[[], HttpResponse]
) -> HttpResponseBase:
    session = ChatSession.objects.select_related("widget").get(pk=chat.id)

    def call() -> HttpResponse:
        with noted(chat.id):
            was_live = stop_contact(session, EndedBy.CUSTOMER)
        if not was_live:
            return was_over()
        lifecycle.mark_leaving(chat.id)  # until chat.ended is here
        return done()

    return with_permit(chat.instance_id, chat.id, Group.STOP_CONTACT, Priority.NORMAL, call)


def _has_left(chat: OpenedSession) -> bool:
    return any(
        item.get("ContentType") == EventType.PARTICIPANT_LEFT
        and item.get("ParticipantId") == chat.participant_id
        for item in items_of(chat.id)
    )
