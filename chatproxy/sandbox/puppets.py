"""What the control API can do to one chat: speak as anybody, end it, break its sockets.

Who speaks is named by ``participant_id``, or by ``role`` and ``display_name``; somebody who is
not in the chat yet joins first, SYSTEM quietly.
"""

import base64
from collections.abc import Callable
from typing import Any

from chatproxy.sandbox.box import Box
from chatproxy.sandbox.contacts import Contact, Item, Participant
from chatproxy.sandbox.socket import gateway_error
from chatproxy.upstream.vocabulary import EventType, MessageType, ParticipantRole

Body = dict[str, Any]
_NAMES = {ParticipantRole.AGENT: "Ann", ParticipantRole.SYSTEM: "BOT"}
_EVENT_PREFIX = "application/vnd.amazonaws.connect.event."


def act(box: Box, contact: Contact, action: str, body: Body) -> Body:
    """Do ``action``.

    Raises:
        ValueError, KeyError: unknown action or a member missing or wrong.
        ContactOver: the chat has ended.
    """
    if action not in ACTIONS:
        raise ValueError(f"{action!r} is no action; there are: {', '.join(sorted(ACTIONS))}")
    return ACTIONS[action](box, contact, body) or {}


def _who(box: Box, contact: Contact, body: Body) -> Participant:
    if "participant_id" in body:
        return contact.participants[body["participant_id"]]
    role = ParticipantRole(body.get("role", ParticipantRole.AGENT))
    if role == ParticipantRole.CUSTOMER:
        return contact.customer
    name = body.get("display_name")
    for participant in contact.active_participants(role):
        if name in (None, participant.display_name):
            return participant
    return _join(box, contact, role, name)


def _join(box: Box, contact: Contact, role: ParticipantRole, name: str | None) -> Participant:
    is_person = role != ParticipantRole.SYSTEM
    name = name or _NAMES.get(role, role.title())
    return box.center.join(contact, role, name, announce=is_person)


def _said(item: Item) -> Body:
    return {"item": item.entry()}


def join(box: Box, contact: Contact, body: Body) -> Body:
    """Bring in one more, even if one like it is there; with its own ParticipantToken."""
    role = ParticipantRole(body.get("role", ParticipantRole.AGENT))
    participant = _join(box, contact, role, body.get("display_name"))
    return {
        "participant_id": participant.participant_id,
        "participant_token": box.center.tokens.issue_participant(contact, participant),
    }


def leave(box: Box, contact: Contact, body: Body) -> None:
    box.center.leave(contact, _who(box, contact, body))


def say(box: Box, contact: Contact, body: Body) -> Body:
    content_type = body.get("content_type", MessageType.PLAIN)
    who = _who(box, contact, body)
    return _said(box.center.post_message(contact, who, str(body["content"]), content_type))


def event(box: Box, contact: Contact, body: Body) -> Body:
    """Any event by content type or its last part; ``bare`` leaves the participant out."""
    name = str(body["event"])
    content_type = EventType(name if name.startswith(_EVENT_PREFIX) else _EVENT_PREFIX + name)
    who = None if body.get("bare") else _who(box, contact, body)
    return _said(box.center.post_event(contact, content_type, who, body.get("content")))


def typing(box: Box, contact: Contact, body: Body) -> Body:
    return _said(box.center.typing(contact, _who(box, contact, body)))


def receipt(box: Box, contact: Contact, body: Body) -> Body:
    who, is_read = _who(box, contact, body), bool(body.get("is_read", True))
    made = box.center.receipt(contact, who, str(body["message_id"]), is_read=is_read)
    return {"receipt": made.wire()}


def attach(box: Box, contact: Contact, body: Body) -> Body:
    """Share a file; its bytes come as ``text`` or ``base64``."""
    data = (
        base64.b64decode(body["base64"]) if "base64" in body else str(body.get("text", "")).encode()
    )
    name, content_type = str(body["name"]), str(body.get("content_type", "text/plain"))
    return _said(box.center.attach(contact, _who(box, contact, body), name, content_type, data))


def stream(box: Box, contact: Contact, body: Body) -> Body:
    """A streamed answer, ``chunks`` and its end at once; ``finish`` false leaves it open."""
    who = _who(box, contact, {"role": ParticipantRole.SYSTEM} | body)
    telling = box.center.stream(contact, who)
    for chunk in body["chunks"]:
        telling.chunk(str(chunk))
    return _said(telling.finish(body.get("text"))) if body.get("finish", True) else {}


def transfer(box: Box, contact: Contact, body: Body) -> Body:
    box.center.transfer(contact)
    return {"contact_id": contact.contact_id}


def rename(box: Box, contact: Contact, body: Body) -> None:
    who = _who(box, contact, {"role": ParticipantRole.CUSTOMER} | body)
    box.center.rename(contact, who, str(body["name"]))


def sign_in(box: Box, contact: Contact, body: Body) -> Body:
    return {"session_id": box.center.begin_authentication(contact)}


def view(box: Box, contact: Contact, body: Body) -> Body:
    token = box.center.views.add(
        dict(body.get("template", {})),
        name=str(body.get("name", "form")),
        input_schema=dict(body.get("input_schema", {})),
        actions=list(body.get("actions", [])),
    )
    return {"view_token": token}


def end(box: Box, contact: Contact, body: Body) -> None:
    """End the chat; ``unseen`` keeps chat.ended back, as a lost frame would be."""
    ended_by, unseen = str(body.get("ended_by", "agent")), bool(body.get("unseen", False))
    box.center.end(contact, ended_by, unseen=unseen)


def drop_sockets(box: Box, contact: Contact, body: Body) -> Body:
    """Close the chat's sockets with ``code``, or reset their connections with ``abort``."""
    sockets = box.switchboard.sockets(contact)
    for socket in sockets:
        if body.get("abort"):
            socket.abort()
        else:
            socket.close(int(body.get("code", 1001)))
    return {"sockets": len(sockets)}


def half_open(box: Box, contact: Contact, body: Body) -> Body:
    """The chat's sockets stay open and go silent, both ways."""
    sockets = box.switchboard.sockets(contact)
    for socket in sockets:
        socket.go_deaf()
    return {"sockets": len(sockets)}


def send_frame(box: Box, contact: Contact, body: Body) -> Body:
    """Send ``text`` as it is to the chat's sockets; without one, the gateway's error frame."""
    text = str(body.get("text", gateway_error("Internal server error")))
    sockets = box.switchboard.sockets(contact)
    for socket in sockets:
        socket.send(text)
    return {"sockets": len(sockets)}


ACTIONS: dict[str, Callable[[Box, Contact, Body], Body | None]] = {
    "join": join,
    "leave": leave,
    "say": say,
    "event": event,
    "typing": typing,
    "receipt": receipt,
    "attach": attach,
    "stream": stream,
    "transfer": transfer,
    "rename": rename,
    "sign-in": sign_in,
    "view": view,
    "end": end,
    "drop-sockets": drop_sockets,
    "half-open": half_open,
    "send-frame": send_frame,
}
