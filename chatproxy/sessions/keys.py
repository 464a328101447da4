"""What a browser holds: session keys, connection keys and tickets.

All are worth nothing at Amazon, and all carry the session id in clear so that a load balancer can
send REST and socket of one session to the same process.

* Session key ``sk1.<session id>.<secret>``: 256 random bits; the server keeps a SHA-256.
* Connection key ``ck1.<session id>.<generation>.<key id>.<expiry>.<signature>``: made from a
session
  key by CreateParticipantConnection. *Generation* names the connection token it stands for, so
  that every retry of a send goes out on the token of its first try, through any process.
* Ticket ``<nonce>.<key id>.<expiry>.<signature>``: opens one socket once; bound to session and
origin.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from chatproxy.sessions.errors import SessionKeyInvalid

CONNECTION_KEY_SECONDS = 24 * 3600
TICKET_SECONDS = 100

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_SESSION_KEY = re.compile(rf"\Ask1\.({_UUID})\.([A-Za-z0-9_-]{{43}})\Z")
_CONNECTION_KEY = re.compile(
    rf"\Ack1\.({_UUID})\.(\d{{1,9}})\.(\d{{1,18}})\.(\d{{1,12}})\.([A-Za-z0-9_-]{{27}})\Z"
)
_TICKET = re.compile(r"\A([0-9a-f]{32})\.(\d{1,18})\.(\d{1,12})\.([A-Za-z0-9_-]{27})\Z")


@dataclass(frozen=True, slots=True)
class ConnectionKey:
    """A connection key that was checked: its signature is ours and its time is not up."""

    session_id: str
    generation: int
    key_id: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that was checked; whether it was spent before, only the shared store knows."""

    nonce: str
    key_id: int
    expires_at: int


def digest(secret_text: str) -> str:
    """How a session key is stored: SHA-256, hex. Fit for 256 random bits, not for passwords."""
    return hashlib.sha256(secret_text.encode()).hexdigest()


def new_session_key(session_id: str) -> str:
    return f"sk1.{session_id}.{secrets.token_urlsafe(32)}"


def session_id_of(key: str) -> str:
    """The session a well-formed session key names.

    Raises:
        SessionKeyInvalid: not a session key; says so when it is a connection key.
    """
    found = _SESSION_KEY.match(key)
    if found:
        return found[1]
    if key.startswith("ck1."):
        raise SessionKeyInvalid("This takes the session key (sk1.…), not a connection key.")
    raise SessionKeyInvalid("The key is not a session key. Start a chat to get one.")


def new_connection_key(session_id: str, generation: int, key_id: int, expires_at: int) -> str:
    """A signed connection key, valid until ``expires_at`` (seconds since the epoch)."""
    body = f"ck1.{session_id}.{generation}.{key_id}.{expires_at}"
    return f"{body}.{_signature(body)}"


def read_connection_key(key: str, *, now: float | None = None) -> ConnectionKey:
    """Check a connection key's form, signature and time.

    Raises:
        SessionKeyInvalid: says which of these is wrong.
    """
    found = _CONNECTION_KEY.match(key)
    if not found:
        if key.startswith("sk1."):
            raise SessionKeyInvalid(
                "This takes the ConnectionToken from CreateParticipantConnection, "
                "not the session key."
            )
        raise SessionKeyInvalid("The connection key is malformed.")
    body = key.rpartition(".")[0]
    if not hmac.compare_digest(_signature(body), found[5]):
        raise SessionKeyInvalid("The connection key is not one of ours.")
    expires_at = int(found[4])
    if expires_at <= (time.time() if now is None else now):
        raise SessionKeyInvalid("The connection key has expired. Create a new connection.")
    return ConnectionKey(found[1], int(found[2]), int(found[3]), expires_at)


def new_ticket(session_id: str, origin: str, key_id: int, expires_at: int) -> str:
    """A ticket for one socket of the session, from a page at ``origin`` (empty: no page)."""
    body = f"{secrets.token_hex(16)}.{key_id}.{expires_at}"
    return f"{body}.{_signature(_ticket_body(body, session_id, origin))}"


def read_ticket(
    ticket: str, session_id: str, origins: tuple[str, ...], *, now: float | None = None
) -> Ticket:
    """Check a ticket's form, time, session, and that it was made for one of ``origins``.

    Raises:
        SessionKeyInvalid: says which of these is wrong.
    """
    found = _TICKET.match(ticket)
    if not found:
        raise SessionKeyInvalid("The ticket is malformed.")
    body = ticket.rpartition(".")[0]
    fits = [
        hmac.compare_digest(_signature(_ticket_body(body, session_id, origin)), found[4])
        for origin in origins
    ]
    if not any(fits):
        raise SessionKeyInvalid("The ticket was made for another session or another page.")
    expires_at = int(found[3])
    if expires_at <= (time.time() if now is None else now):
        raise SessionKeyInvalid("The ticket has expired. Create a new connection.")
    return Ticket(found[1], int(found[2]), expires_at)


def sign(purpose: str, text: str) -> str:
    """27 characters that only we can make for ``text``, for use in cursors and the like."""
    return _signature(f"{purpose}\0{text}")


def is_signed(purpose: str, text: str, signature: str) -> bool:
    return hmac.compare_digest(sign(purpose, text).encode(), signature.encode())


def _ticket_body(body: str, session_id: str, origin: str) -> str:
    return f"ticket\0{body}\0{session_id}\0{origin}"


def _signature(text: str) -> str:
    mac = hmac.new(_signing_key(settings.SECRET_KEY), text.encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(mac[:20]).decode().rstrip("=")


@lru_cache(maxsize=4)
def _signing_key(secret_key: str) -> bytes:
    return hashlib.sha256(b"chatproxy.keys\0" + secret_key.encode()).digest()
