"""The one lock of all doors: origin, key, state and rate, one policy per route.

A route declares its ``Policy``; ``admit`` holds a request against it and answers with the
``Visitor`` it comes from. Nothing here reads a cookie: a key travels in ``X-Amz-Bearer`` (or
``Authorization: Bearer``), so there is no credential a foreign page could borrow.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from chatproxy.api.limits import limit_requests
from chatproxy.sessions import keys, opened
from chatproxy.sessions.errors import (
    OriginNotAllowed,
    SessionEnded,
    SessionKeyInvalid,
)
from chatproxy.sessions.opened import OpenedSession

View = Callable[..., HttpResponseBase]


class Key(StrEnum):
    """Which key a route takes."""

    NONE = "none"
    SESSION = "session"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a route asks of a request.

    ``live``: the chat must not be over. ``limited``: a session that asks too fast is refused.
    """

    key: Key
    live: bool = True
    limited: bool = True
    methods: tuple[str, ...] = ("POST",)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request: a session, through one of its keys, from a page at ``origin``.

    ``key_generation`` is that of the connection token the key stands for, ``generation`` that of
    the one to use, where it is still there.
    """

    chat: OpenedSession
    key_id: int
    key_generation: int
    generation: int
    origin: str


def admit(request: HttpRequest, policy: Policy) -> Visitor:
    """The visitor behind a request that carries a key.

    Raises:
        SessionKeyInvalid, SessionNotFound: no key, a wrong one, or one of the other kind.
        OriginNotAllowed: the page is not on the widget's list.
        SessionEnded: the chat is over and the route needs it live.
        RateLimited: the session asks too fast.
    """
    key = bearer(request)
    if policy.key is Key.SESSION:
        chat = opened.open_session(keys.session_id_of(key))
        key_id, generation = _known_key(chat, key), chat.generation
    else:
        read = keys.read_connection_key(key)
        chat = opened.open_session(read.session_id)
        if read.key_id not in chat.keys:
            chat = _freshly(chat)
        if read.key_id not in chat.keys:
            raise SessionKeyInvalid("The key was revoked. Start a new chat.")
        key_id, generation = read.key_id, read.generation
    origin = request.headers.get("Origin", "")
    check_origin(origin, chat)
    if policy.live and not chat.is_live:
        raise SessionEnded("The chat is over. Start a new one to go on.")
    if policy.limited:
        limit_requests(chat.id)
    return Visitor(chat, key_id, generation, generation, origin)


def _known_key(chat: OpenedSession, key: str) -> int:
    """The key's id; a key made in another process since we last looked is looked up once more."""
    try:
        return chat.key_id(key)
    except SessionKeyInvalid:
        return _freshly(chat).key_id(key)


def _freshly(chat: OpenedSession) -> OpenedSession:
    # Strangers must not be able to cause a database query per request with made-up keys.
    if opened.age_s(chat) < 1.0:
        return chat
    return opened.reopen(chat.id)


def check_origin(origin: str, chat: OpenedSession) -> None:
    """Raises OriginNotAllowed unless ``origin`` is absent or exactly on the widget's list."""
    if origin and origin not in chat.origins:
        raise OriginNotAllowed(
            f"Pages at {_shown(origin)} may not use this widget. "
            "Add that origin to the widget's allowed origins."
        )


def bearer(request: HttpRequest) -> str:
    """The key a request carries.

    Raises:
        SessionKeyInvalid: none.
    """
    found = request.META.get("HTTP_X_AMZ_BEARER", "")
    if not found:
        scheme, _, value = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        found = value.strip() if scheme.lower() == "bearer" else ""
    if not found:
        raise SessionKeyInvalid("Send the key in the header X-Amz-Bearer.")
    return str(found)


def door(policy: Policy) -> Callable[[View], View]:
    """Decorate a view with its policy: it is called as ``view(request, visitor, …)``."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, **captured: Any) -> HttpResponseBase:
            if request.method not in policy.methods:
                return HttpResponseNotAllowed(policy.methods)
            return view(request, admit(request, policy), **captured)

        guarded.policy = policy  # type: ignore[attr-defined]
        guarded.csrf_exempt = True  # type: ignore[attr-defined]
        return guarded

    return decorate


def _shown(origin: str) -> str:
    return origin[:100] if origin.isprintable() else "this address"
