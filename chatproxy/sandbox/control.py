"""The control API: turn the knobs, look inside, break things, speak as somebody. JSON.

    GET    /control/state                      counts, chats, sockets, every secret ever issued
    GET    /control/calls                      the last calls, one by one
    GET    /control/settings   PUT             options; PUT changes the ones it names
    POST   /control/reset                      as fresh as started
    POST   /control/clock                      {"advance_s": 3600}, {"stopped": true}
    POST   /control/expire                     {"kind": "connection", "contact_id": …}
    GET    /control/faults     POST   DELETE   list, add one, remove all
    DELETE /control/faults/{id}                remove one; what it held goes out
    POST   /control/faults/{id}/release        let go of what it holds; {"in_reverse": true}
    GET    /control/contacts/{id}              one chat
    POST   /control/contacts/{id}/{action}     see ``puppets``

A wrong request is 400 with ``{"message": …}``.
"""

import json
from collections.abc import Callable
from typing import Any

from chatproxy.sandbox import puppets
from chatproxy.sandbox.box import Box
from chatproxy.sandbox.center import ContactOver
from chatproxy.sandbox.contacts import Contact
from chatproxy.sandbox.web import Answer, Request

PATH = "/control/"

Body = dict[str, Any]


class NotFound(Exception):
    """No such thing here; the message says what."""


def answer(box: Box, request: Request) -> Answer:
    """Answer one control request."""
    if "origin" in request.headers:
        # A page that a browser on this machine happens to show has no business here.
        return _problem(403, "The control API is not for pages")
    try:
        result = _dispatch(box, request)
    except NotFound as error:
        return _problem(404, str(error))
    except (ValueError, KeyError, TypeError) as error:
        return _problem(400, f"{type(error).__name__}: {error}")
    except ContactOver:
        return _problem(409, "The chat has ended")
    return Answer(204) if result is None else Answer.json(result)


def _dispatch(box: Box, request: Request) -> object:
    body = _body(request)
    parts = request.path.removeprefix(PATH).strip("/").split("/")
    match parts:
        case ["contacts", contact_id]:
            return contact_as_dict(box, _contact(box, contact_id))
        case ["contacts", contact_id, action]:
            return puppets.act(box, _contact(box, contact_id), action, body)
        case ["faults", fault_id]:
            removed = box.faults.remove(fault_id)
            released = box.switchboard.mishaps.release(fault_id)
            return {"removed": len(removed), "released": released}
        case ["faults", fault_id, "release"]:
            return _release(box, fault_id, body)
    handler = _HANDLERS.get((request.method, parts[0])) if len(parts) == 1 else None
    if handler is None:
        raise NotFound(f"There is no {request.method} {request.path}")
    return handler(box, body)


def _body(request: Request) -> Body:
    value = json.loads(request.body) if request.body.strip() else {}
    if not isinstance(value, dict):
        raise ValueError("The body is a JSON object")
    return value


def _contact(box: Box, contact_id: str) -> Contact:
    contact = box.center.contacts.get(contact_id)
    if contact is None:
        raise NotFound("There is no such contact")
    return contact


def _state(box: Box, body: Body) -> object:
    contacts = dict.fromkeys(box.center.contacts.values())
    return box.ledger.as_dict() | {
        "now": box.clock.now(),
        "sockets_open": len(box.switchboard.all_sockets()),
        "sockets_opened": box.switchboard.opened,
        "handshakes_refused": box.switchboard.refused,
        "contacts": [contact_as_dict(box, each) for each in contacts],
        "faults": [each.wire() for each in box.faults.all()],
        "secrets": list(box.center.tokens.ledger),
    }


def contact_as_dict(box: Box, contact: Contact) -> Body:
    """One chat as the control API shows it, transcript oldest first."""
    return {
        "contact_id": contact.contact_id,
        "initial_contact_id": contact.initial_contact_id,
        "instance_id": contact.instance_id,
        "contact_flow_id": contact.contact_flow_id,
        "attributes": contact.attributes,
        "segment_attributes": contact.segment_attributes,
        "customer_id": contact.customer_id,
        "related_contact_id": contact.related_contact_id,
        "content_types": sorted(contact.content_types),
        "response_mode": str(contact.response_mode),
        "started_at": contact.started_at,
        "ends_at": contact.ends_at,
        "connected_at": contact.connected_at,
        "ended_at": contact.ended_at,
        "ended_by": contact.ended_by,
        "sockets": len(box.switchboard.sockets(contact)),
        "deaf": sum(each.is_deaf for each in box.switchboard.sockets(contact)),
        "subscribed": sum(each.is_subscribed for each in box.switchboard.sockets(contact)),
        "participants": [
            {
                "participant_id": each.participant_id,
                "role": str(each.role),
                "display_name": each.display_name,
                "is_active": each.is_active,
            }
            for each in contact.participants.values()
        ],
        "transcript": [each.entry() for each in contact.items],
    }


def _calls(box: Box, body: Body) -> object:
    return box.ledger.calls_as_dicts()


def _reset(box: Box, body: Body) -> object:
    box.reset()
    return None


def _settings(box: Box, body: Body) -> object:
    box.options.update(body)
    return box.options.as_dict()


def _clock(box: Box, body: Body) -> object:
    if body.get("stopped") is True:
        box.clock.stop()
    elif body.get("stopped") is False:
        box.clock.go_on()
    box.clock.advance(float(body.get("advance_s", 0)))
    return {"now": box.clock.now()}


def _expire(box: Box, body: Body) -> object:
    kind = body["kind"]
    if kind in ("upload", "download"):
        return {"expired": box.center.files.expire("PUT" if kind == "upload" else "GET")}
    if kind not in ("participant", "connection", "websocket"):
        raise ValueError("kind is participant, connection, websocket, upload or download")
    wanted = _contact(box, body["contact_id"]) if "contact_id" in body else None
    count = box.center.tokens.expire(kind, lambda each: wanted is None or each is wanted)
    return {"expired": count}


def _faults(box: Box, body: Body) -> object:
    return [each.wire() for each in box.faults.all()]


def _add_fault(box: Box, body: Body) -> object:
    return box.faults.add(body).wire()


def _remove_all_faults(box: Box, body: Body) -> object:
    removed = box.faults.remove()
    return {"removed": len(removed), "released": box.switchboard.mishaps.release_all()}


def _release(box: Box, fault_id: str, body: Body) -> object:
    in_reverse = bool(body.get("in_reverse", False))
    return {"released": box.switchboard.mishaps.release(fault_id, in_reverse=in_reverse)}


_HANDLERS: dict[tuple[str, str], Callable[[Box, Body], object]] = {
    ("GET", "state"): _state,
    ("GET", "calls"): _calls,
    ("POST", "reset"): _reset,
    ("GET", "settings"): _settings,
    ("PUT", "settings"): _settings,
    ("POST", "clock"): _clock,
    ("POST", "expire"): _expire,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _remove_all_faults,
}


def _problem(status: int, message: str) -> Answer:
    return Answer.json({"message": message}, status)
