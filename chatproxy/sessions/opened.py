"""Sessions as requests see them: opened once, remembered for a few seconds.

Loading a session, its keys and its tokens costs more than the upstream call's own CPU, so a process
remembers an opened session for at most ``CHAT_OPENED_CACHE_SECONDS``. That bounds how long a
revoked key can live on; ``forget`` makes it immediate in the process that knows better.
"""

from __future__ import annotations

import hmac
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from chatproxy.conf import conf
from chatproxy.sessions import keys
from chatproxy.sessions.errors import SessionEnded, SessionKeyInvalid, SessionNotFound
from chatproxy.sessions.models import ChatSession, State
from chatproxy.sessions.vault import unseal
from chatproxy.upstream.shapes import ConnectionToken, ParticipantToken

_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """What a request needs to know of its session. Tokens print as hidden."""

    id: str
    state: str
    widget_key: str
    instance_id: str
    origins: frozenset[str]
    accepts_no_origin: bool
    contact_id: str
    is_continued: bool
    participant_id: str
    display_name: str
    content_types: frozenset[str]
    participant_token: ParticipantToken | None
    tokens: dict[int, tuple[ConnectionToken, datetime]] = field(repr=False)
    generation: int
    keys: dict[int, str] = field(repr=False)
    expires_at: datetime
    loaded_at: float

    @property
    def is_live(self) -> bool:
        return self.state in (State.STARTING, State.ACTIVE, State.LEAVING)

    def token(self, generation: int) -> tuple[int, ConnectionToken] | None:
        """The connection token of ``generation``, or the current one where that is gone.

        Returns:
            (generation, token), or ``None`` while the session has no connection yet.
        """
        for candidate in (generation, self.generation):
            found = self.tokens.get(candidate)
            if found and found[1] > timezone.now():
                return candidate, found[0]
        return None

    def key_id(self, session_key: str) -> int:
        """The id of this session's unrevoked key that is ``session_key``.

        Raises:
            SessionKeyInvalid: it is none of them.
        """
        wanted = keys.digest(session_key)
        for key_id, digest in self.keys.items():
            if hmac.compare_digest(digest, wanted):
                return key_id
        raise SessionKeyInvalid("The session key is unknown or was revoked. Start a new chat.")

    def must_be_live(self) -> None:
        """Raises SessionEnded once the chat is over."""
        if not self.is_live:
            raise SessionEnded("The chat is over. Start a new one to go on.")


_opened: dict[str, OpenedSession] = {}
_loading: dict[str, set[object]] = {}
# Over, whatever the database still says: it is being written down.
_over: set[str] = set()
_lock = threading.Lock()


def open_session(session_id: str) -> OpenedSession:
    """The session with this id, from memory if opened within the last seconds.

    Raises:
        SessionNotFound: no such session, or it has expired.
    """
    found = _opened.get(session_id)
    if found is not None and time.monotonic() - found.loaded_at < conf.opened_cache_s:
        return found
    ticket = object()
    with _lock:
        _loading.setdefault(session_id, set()).add(ticket)
    try:
        loaded = _load(session_id)
    except BaseException:
        _finished(session_id, ticket, None)
        raise
    if session_id in _over:
        loaded = replace(loaded, state=State.ENDED)
    _finished(session_id, ticket, loaded)
    return loaded


def age_s(session: OpenedSession) -> float:
    """Seconds since ``session`` was loaded."""
    return time.monotonic() - session.loaded_at


def reopen(session_id: str) -> OpenedSession:
    """The session as the database has it now."""
    forget(session_id)
    return open_session(session_id)


def mark_over(session_id: str) -> None:
    """The chat is known to be over, before the database says so: refuse from this moment on.

    ``written_down`` says that the database has it too.
    """
    with _lock:
        _over.add(session_id)
        _loading.pop(session_id, None)
        known = _opened.get(session_id)
        if known is not None:
            now = time.monotonic()
            _opened[session_id] = replace(known, state=State.ENDED, loaded_at=now)


def forget(session_id: str) -> None:
    """Drop what is remembered of a session, for example because a key of it was revoked.

    What is being loaded at this moment may be the old state: it will not be remembered either.
    """
    with _lock:
        _opened.pop(session_id, None)
        _loading.pop(session_id, None)


def written_down(session_id: str) -> None:
    """The end of a session is in the database: what is remembered of it can go."""
    forget(session_id)
    with _lock:
        _over.discard(session_id)


def drop_outdated() -> None:
    """Drop what would be loaded anew anyway: of chats that are over nobody asks any more."""
    oldest = time.monotonic() - conf.opened_cache_s
    with _lock:
        for session_id in [one for one, known in _opened.items() if known.loaded_at < oldest]:
            if session_id not in _over:
                del _opened[session_id]


def forget_all() -> None:
    with _lock:
        _over.clear()
        _opened.clear()
        _loading.clear()


def _finished(session_id: str, ticket: object, loaded: OpenedSession | None) -> None:
    """A load has ended: remember what it found, unless the session was forgotten meanwhile."""
    with _lock:
        tickets = _loading.get(session_id, set())
        is_current = ticket in tickets
        tickets.discard(ticket)
        if not tickets:
            _loading.pop(session_id, None)
        if is_current and loaded is not None:
            if len(_opened) >= _REMEMBERED:
                _opened.clear()
            _opened[session_id] = loaded


def _load(session_id: str) -> OpenedSession:
    began = time.monotonic()
    row = (
        ChatSession.objects.select_related("widget")
        .prefetch_related("keys")
        .filter(pk=UUID(session_id))
        .first()
    )
    if row is None or row.state == State.EXPIRED or row.expires_at <= timezone.now():
        raise SessionNotFound("The session is unknown or has expired. Start a new chat.")
    widget = row.widget
    return OpenedSession(
        id=session_id,
        state=row.state,
        widget_key=widget.key,
        instance_id=widget.instance_id or conf.instance_id,
        origins=frozenset(widget.allowed_origins),
        accepts_no_origin=widget.accepts_no_origin,
        contact_id=row.contact_id,
        is_continued=row.continued_from_id is not None,
        participant_id=row.participant_id,
        display_name=row.display_name,
        content_types=frozenset(widget.sendable_content_types),
        participant_token=_participant_token(row),
        tokens=_connection_tokens(row),
        generation=row.connection_generation,
        keys={key.pk: key.digest for key in row.keys.all() if key.revoked_at is None},
        expires_at=row.expires_at,
        loaded_at=began,
    )


def _participant_token(row: ChatSession) -> ParticipantToken | None:
    if not row.participant_token_sealed:
        return None
    return ParticipantToken(unseal(row.participant_token_sealed, bound_to=f"{row.pk}:participant"))


def _connection_tokens(row: ChatSession) -> dict[int, tuple[ConnectionToken, datetime]]:
    found: dict[int, tuple[ConnectionToken, datetime]] = {}
    now = timezone.now()
    pairs = (
        (row.connection_generation, row.connection_token_sealed, row.connection_expiry),
        (row.connection_generation - 1, row.previous_token_sealed, row.previous_expiry),
    )
    for generation, sealed, expiry in pairs:
        if sealed and expiry and expiry > now:
            text = unseal(sealed, bound_to=f"{row.pk}:connection:{generation}")
            found[generation] = (ConnectionToken(text), expiry)
    return found
