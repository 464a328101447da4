"""Start and stop a session's contact: the two calls made with the operator's credentials."""

from __future__ import annotations

from chatproxy.conf import conf
from chatproxy.sessions import legible, lifecycle, opened
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.instances import contact_client, give_connection_back, governor, spending
from chatproxy.sessions.models import ChatSession, EndedBy, State
from chatproxy.upstream.contacts import ContactClient
from chatproxy.upstream.errors import (
    AccessDeniedException,
    ResourceNotFoundException,
    UpstreamError,
    UpstreamMisconfigured,
)
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.shapes import StartedChat
from chatproxy.upstream.starting import ChatStart, InitialMessage, PersistentChat
from chatproxy.upstream.vocabulary import MessageType, ResponseMode


def start_contact(session: ChatSession, initial_message: str = "") -> None:
    """StartChatContact for a prepared session; its id is the ClientToken, so a repeat is safe.

    Raises:
        UpstreamError: no contact was made, or nobody knows; repeating the start finds out.
        SessionEnded: somebody ended the chat meanwhile.
    """
    try:
        started = _started(_request(session, initial_message))
    except UpstreamError as err:
        if err.may_have_arrived:  # a try that stays open
            lifecycle.note(
                session.pk, "start_unknown", error=type(err).__name__, request_id=err.request_id
            )
        else:
            lifecycle.fail(session, str(err), request_id=err.request_id or "")
        raise
    lifecycle.keep_contact(session, started)


def _started(request: ChatStart) -> StartedChat:
    try:
        return _service().start_chat_contact(request)
    except (AccessDeniedException, ResourceNotFoundException) as err:
        raise _misconfigured(err) from err


def _request(session: ChatSession, initial_message: str) -> ChatStart:
    widget, earlier = session.widget, session.continued_from
    return ChatStart(
        instance_id=widget.instance_id or conf.instance_id,
        contact_flow_id=widget.contact_flow_id or conf.contact_flow_id,
        display_name=session.display_name,
        attributes=session.attributes or None,
        initial_message=InitialMessage(initial_message) if initial_message else None,
        supported_content_types=_content_types(widget.sendable_content_types),
        chat_duration_minutes=widget.chat_minutes,
        persistent_chat=PersistentChat(earlier.contact_id) if earlier else None,
        response_mode=ResponseMode.INCREMENTAL if widget.streams_answers else None,
        client_token=str(session.pk),
    )


def _content_types(sendable: list[str]) -> tuple[str, ...]:
    # What a visitor may send, and the interactive messages a flow may send them.
    interactive = (str(MessageType.INTERACTIVE), str(MessageType.INTERACTIVE_RESPONSE))
    return tuple(dict.fromkeys([*sendable, *interactive]))


def stop_contact(session: ChatSession, by: EndedBy) -> bool:
    """StopContact, under a permit: end a chat from outside, in whatever state it is. Idempotent.

    ``chat.ended`` then comes through the link and finishes the session; where there is no link to
    bring it, the session is finished here.

    Returns:
        Whether the chat was going on until now.

    Raises:
        UpstreamError: the service did not end it.
    """
    if not session.is_live:
        return False
    if session.contact_id and not _stopped(session, by):
        lifecycle.mark_ended(str(session.pk), incomplete_since=session.last_activity_at)
        return False
    lifecycle.note(session.pk, "stopped", by=str(by))
    if session.connected_at is None or session.state == State.STARTING:
        lifecycle.mark_ended(str(session.pk), by=by)
    opened.forget(str(session.pk))
    return True


def stop_contact_at_once(session: ChatSession, by: EndedBy) -> bool:
    """`stop_contact` for callers that cannot wait for a permit.

    Raises:
        Overloaded: the quota of two a second is used up; try again.
    """
    instance_id = session.widget.instance_id or conf.instance_id
    if not session.is_live or not conf.governor:
        return stop_contact(session, by)
    if not governor(instance_id).try_acquire(Group.STOP_CONTACT, Priority.NORMAL, str(session.pk)):
        raise Overloaded("Too many chats were ended at once. Try again in a second.", 1.0)
    with spending(instance_id, Group.STOP_CONTACT):
        return stop_contact(session, by)


def _stopped(session: ChatSession, by: EndedBy) -> bool:
    """Whether the service ended the contact now; False: it had ended before."""
    # Before the call: chat.ended may be here before its answer.
    rows = ChatSession.objects.filter(pk=session.pk)
    rows.update(ended_by=by)
    instance_id = session.widget.instance_id or conf.instance_id
    contact_id = _present_contact_id(session)
    try:
        _service().stop_contact(instance_id, contact_id)
    except ResourceNotFoundException:
        rows.update(ended_by=session.ended_by)
        return False
    except UpstreamError as err:
        rows.update(ended_by=session.ended_by)
        if isinstance(err, AccessDeniedException):
            raise _misconfigured(err) from err
        raise
    return True


def _present_contact_id(session: ChatSession) -> str:
    """The contact the chat is in now: a transfer makes a new one, named by the items since."""
    for item in reversed(legible.read(str(session.pk))):
        if item.get("ContactId"):
            return str(item["ContactId"])
    return session.contact_id


def _service() -> ContactClient:
    give_connection_back()
    return contact_client()


def _misconfigured(err: UpstreamError) -> UpstreamMisconfigured:
    """What nobody but the operator can mend."""
    detail = f"{type(err).__name__}: credentials, instance or flow"
    return UpstreamMisconfigured(err.operation, request_id=err.request_id, detail=detail)
