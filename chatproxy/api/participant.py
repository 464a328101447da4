"""The Participant Service's eleven operations, wire-compatible: one view each, in its own order.

A view reads the body into the operation's request, takes a permit, makes one call, answers what the
service answered. ``ConnectParticipant`` and CreateParticipantConnection are ours to answer
(``connection.py``), as are typing and receipts (``signals.py``) and, when the relay has it all, the
transcript (``transcript.py``). DisconnectParticipant may take another way (``leaving.py``).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from chatproxy.api.access import Key, Policy, Visitor, door
from chatproxy.api.failures import noted
from chatproxy.api.permits import with_permit
from chatproxy.api.repeats import said_once
from chatproxy.onehop import Deferred
from chatproxy.relay import runtime
from chatproxy.sessions import messaging, opened
from chatproxy.sessions.errors import MalformedBody, Overloaded
from chatproxy.sessions.models import State
from chatproxy.sessions.opened import OpenedSession
from chatproxy.sessions.sent import Sent
from chatproxy.upstream.errors import AccessDeniedException
from chatproxy.upstream.fields import Request
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import (
    AttachmentRequest,
    AuthenticationCancellation,
    AuthenticationUrlRequest,
    OutgoingMessage,
    UploadCompletion,
    UploadStart,
    ViewRequest,
)

R = TypeVar("R", bound=Request)

CONNECTED = Policy(Key.CONNECTION)
CONNECTED_GET = Policy(Key.CONNECTION, methods=("GET",))
CONNECT_WAIT_S = 5.0
#: Tokens that are tried when that of the client's key was refused.
MORE_TOKENS = 2


def body_as(kind: type[R], request: HttpRequest) -> R:
    """The request's JSON body, read and checked.

    Raises:
        MalformedBody: not JSON.
        ValidationException: a field is missing or out of bounds; unknown ones are ignored.
    """
    return kind.from_wire(json_body(request))


def json_body(request: HttpRequest) -> Any:
    """The decoded body; an empty one counts as ``{}``, as with the service."""
    if not request.body:
        return {}
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError) as err:
        raise MalformedBody("The body is not valid JSON. Send a JSON object.") from err


def answer(wire: dict[str, Any]) -> HttpResponse:
    """A 200 of the service: its own JSON."""
    return HttpResponse(json.dumps(wire), content_type="application/json")


def permitted(
    visitor: Visitor, group: Group, priority: Priority, call: Callable[[], HttpResponseBase]
) -> HttpResponseBase:
    """``call()`` under a permit of the session's instance, which needs a connection to spend it."""
    messaging.token_of(visitor.chat, visitor.generation)

    def made() -> HttpResponseBase:
        with noted(visitor.chat.id):
            return call()

    return with_permit(visitor.chat.instance_id, visitor.chat.id, group, priority, made)


def when_connected(
    visitor: Visitor, call: Callable[[Visitor], HttpResponseBase]
) -> HttpResponseBase:
    """``call`` once the session has a connection token, or has had time enough to get one."""
    if visitor.chat.token(visitor.generation) is not None:
        return call(visitor)
    hub = runtime.hub()

    async def connected() -> None:
        place = hub.ensure(visitor.chat.id, visitor.chat.contact_id)
        await hub.wait_connected(place, CONNECT_WAIT_S)

    def resume() -> HttpResponseBase:
        chat = opened.reopen(visitor.chat.id)
        chat.must_be_live()
        return call(replace(visitor, chat=chat))

    return Deferred(wait=connected, resume=resume)


@door(CONNECTED)
def send_message(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """SendMessage: post one message as the customer; answers the item's id and time."""
    message = body_as(OutgoingMessage, request)
    messaging.check_content_type(visitor.chat, message)
    return spent(visitor, Group.MESSAGE, Priority.MESSAGE, lambda ready: _sent(ready, message))


def _sent(visitor: Visitor, message: OutgoingMessage) -> HttpResponse:
    chat = visitor.chat
    generation = _used(visitor)
    accepted = said_once(
        chat,
        message,
        generation,
        lambda: messaging.send_message(chat, generation, message),
        is_key_outdated=generation != visitor.key_generation,
    )
    item_id = str(accepted["Id"])
    hub = runtime.running_hub()
    if hub is not None:
        hub.recorder.remember(Sent(chat.id, message.client_token, item_id))
        if (place := hub.place(chat.id)) is not None:
            place.stream.expect(item_id)
    return answer(accepted)


def _used(visitor: Visitor) -> int:
    """The generation of the token that a call of this visitor goes out on."""
    found = visitor.chat.token(visitor.generation)
    return found[0] if found else visitor.chat.generation


@door(CONNECTED)
def start_attachment_upload(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """StartAttachmentUpload: where to put one file. The address passes through, unlogged."""
    asked = body_as(UploadStart, request)
    return _forwarded(visitor, Group.UPLOAD_START, messaging.start_upload, asked)


@door(CONNECTED)
def complete_attachment_upload(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """CompleteAttachmentUpload: the file is in its place; show it to everybody."""
    asked = body_as(UploadCompletion, request)
    return _forwarded(visitor, Group.UPLOAD_COMPLETE, messaging.complete_upload, asked)


@door(CONNECTED)
def get_attachment(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """GetAttachment: a short-lived address to download one file from."""
    asked = body_as(AttachmentRequest, request)
    return _forwarded(visitor, Group.ATTACHMENT_GET, messaging.get_attachment, asked)


@door(CONNECTED_GET)
def describe_view(request: HttpRequest, visitor: Visitor, view_token: str) -> HttpResponseBase:
    """DescribeView: the view behind a ViewToken."""
    asked = ViewRequest(view_token).validate()
    return _forwarded(visitor, Group.OTHER, messaging.describe_view, asked)


@door(CONNECTED)
def get_authentication_url(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """GetAuthenticationUrl: where the customer signs in."""
    asked = body_as(AuthenticationUrlRequest, request)
    return _forwarded(visitor, Group.OTHER, messaging.authentication_url, asked)


@door(CONNECTED)
def cancel_participant_authentication(request: HttpRequest, visitor: Visitor) -> HttpResponseBase:
    """CancelParticipantAuthentication: the flow goes on as if the customer had declined."""
    asked = body_as(AuthenticationCancellation, request)
    return _forwarded(visitor, Group.OTHER, messaging.cancel_authentication, asked)


class _Answered(Protocol):
    """What the service answered, as it spelled it."""

    @property
    def wire(self) -> dict[str, Any]: ...


def _forwarded(
    visitor: Visitor,
    group: Group,
    ask: Callable[[OpenedSession, int, R], _Answered | None],
    asked: R,
) -> HttpResponseBase:
    """Make an upstream call once there is a connection and a permit for it; answer its answer.

    Raises:
        Overloaded: either is not to be had in time.
    """

    def call(ready: Visitor) -> HttpResponse:
        found = ask(ready.chat, ready.generation, asked)
        return answer({} if found is None else found.wire)

    return spent(visitor, group, Priority.NORMAL, call)


def spent(
    visitor: Visitor, group: Group, priority: Priority, call: Callable[[Visitor], HttpResponseBase]
) -> HttpResponseBase:
    """``call`` once there is a connection and a permit; again on a newer token if one was refused.

    A refusal is a definite no, so that another try can do nothing twice. The first token is that of
    the client's key, which may be old; of the newest, too, the service may have thought better.
    """

    def attempt(ready: Visitor, more: int) -> HttpResponseBase:
        return permitted(ready, group, priority, lambda: tried_once(ready, more))

    def tried_once(ready: Visitor, more: int) -> HttpResponseBase:
        tried = _used(ready)
        try:
            return call(ready)
        except AccessDeniedException as err:
            if ready.chat.state == State.LEAVING:
                raise  # the customer has left, so the service has taken the token back
            if not more:
                # Each was refused in its turn; whether the chat is over, its link will be told.
                raise Overloaded("The connection is being renewed. Try again.", 1.0) from err
            return _on_a_newer_token(ready, tried, err, lambda again: attempt(again, more - 1))

    return when_connected(visitor, lambda ready: attempt(ready, MORE_TOKENS))


def _on_a_newer_token(
    visitor: Visitor,
    tried: int,
    refused: AccessDeniedException,
    go_on: Callable[[Visitor], HttpResponseBase],
) -> HttpResponseBase:
    """Go on with a newer token than that of generation ``tried``: there may be one, or one is got.

    Raises:
        AccessDeniedException: there will be none, because the chat is over.
        Overloaded: there is none yet: the service is asked, or does not answer.
    """
    hub, session_id = runtime.hub(), visitor.chat.id
    is_renewed = opened.reopen(session_id).generation > tried

    async def renewed() -> None:
        if not is_renewed:
            place = hub.ensure(session_id, visitor.chat.contact_id)
            with suppress(TimeoutError):
                await place.link.renew_token()

    def resume() -> HttpResponseBase:
        chat = opened.reopen(session_id)
        chat.must_be_live()
        if chat.generation <= tried:
            place = hub.place(session_id)
            if place is not None and place.link.is_refused:
                raise refused
            raise Overloaded("The connection is being renewed. Try again in a moment.", 2.0)
        return go_on(replace(visitor, chat=chat, generation=chat.generation))

    return Deferred(wait=renewed, resume=resume)
