"""Tokens and websocket URLs: issued, looked up, spent, expired; and a ledger of all secrets.

Tokens look as opaque as the service's: base64 with ``+``, ``/`` and ``=``, so that a client
which forgets to quote one finds out here. The ledger lets a test search a proxy's responses,
logs and database for them.
"""

import base64
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from chatproxy.sandbox.clock import Clock, as_instant
from chatproxy.sandbox.contacts import Contact, Participant, Wire
from chatproxy.sandbox.options import Options


@dataclass(eq=False)
class ParticipantGrant:
    """What a participant token stands for: it lives as long as the participant in the contact."""

    contact: Contact
    participant: Participant
    is_expired: bool = False

    @property
    def is_spent(self) -> bool:
        return self.is_expired or self.contact.is_over or self.participant.left_at is not None


@dataclass(eq=False)
class ConnectionGrant:
    """What a connection token stands for, and the answers it got, by operation and ClientToken."""

    contact: Contact
    participant: Participant
    expires_at: float
    answers: dict[tuple[str, str], Wire] = field(default_factory=dict)


@dataclass(eq=False)
class SocketGrant:
    """What a websocket URL stands for: one handshake in time, one connection until it expires."""

    contact: Contact
    participant: Participant
    connect_by: float
    connection_expires_at: float
    is_used: bool = False


def _opaque(length: int = 150) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode()


class TokenDesk:
    """Issues and checks. None for whatever is unknown, spent or expired, not saying which."""

    def __init__(self, options: Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self.websocket_base = "ws://127.0.0.1:8001/socket"
        self._participants: dict[str, ParticipantGrant] = {}
        self._connections: dict[str, ConnectionGrant] = {}
        self._sockets: dict[str, SocketGrant] = {}
        self.ledger: deque[dict[str, str]] = deque(maxlen=100_000)

    def issue_participant(self, contact: Contact, participant: Participant) -> str:
        token = self._noted("participant_token", _opaque(), contact)
        self._participants[token] = ParticipantGrant(contact, participant)
        return token

    def issue_connection(self, grant: ParticipantGrant) -> tuple[str, float]:
        """A new connection token and its expiry; earlier ones stay valid."""
        token = self._noted("connection_token", _opaque(), grant.contact)
        expires_at = self._clock.now() + self._options.connection_token_s
        self._connections[token] = ConnectionGrant(grant.contact, grant.participant, expires_at)
        return token, expires_at

    def issue_socket(self, grant: ParticipantGrant) -> tuple[str, float]:
        """A websocket URL and its ConnectionExpiry."""
        now = self._clock.now()
        secret = _opaque(60)
        expires_at = now + self._options.websocket_s
        self._sockets[secret] = SocketGrant(
            grant.contact, grant.participant, now + self._options.websocket_url_s, expires_at
        )
        query = f"X-Amz-Expires={self._options.websocket_url_s:.0f}"
        port = self._options.public_port
        base = f"ws://127.0.0.1:{port}/socket" if port else self.websocket_base
        url = f"{base}?{query}&X-Amz-Signature={quote(secret, safe='')}"
        self._noted("websocket_url", url, grant.contact)
        self._noted("websocket_signature", secret, grant.contact)
        return url, expires_at

    def participant(self, token: str) -> ParticipantGrant | None:
        grant = self._participants.get(token)
        return None if grant is None or grant.is_spent else grant

    def connection(self, token: str) -> ConnectionGrant | None:
        grant = self._connections.get(token)
        if grant is None or grant.contact.is_over or grant.participant.left_at is not None:
            return None
        return grant if self._clock.now() < grant.expires_at else None

    def peek_socket(self, secret: str) -> SocketGrant | None:
        """What a websocket URL stands for, spent or not."""
        return self._sockets.get(secret)

    def spend_socket(self, secret: str) -> SocketGrant | None:
        """Use a websocket URL: works once, in time, while the participant is in the chat."""
        grant = self._sockets.get(secret)
        if grant is None or grant.is_used or self._clock.now() >= grant.connect_by:
            return None
        if grant.contact.is_over or grant.participant.left_at is not None:
            return None
        grant.is_used = True
        return grant

    def expire(self, kind: str, wanted: Callable[[Contact], bool]) -> int:
        """End the life of tokens or URLs now; ``kind`` participant, connection or websocket."""
        now = self._clock.now()
        count = 0
        if kind == "participant":
            for entry in self._participants.values():
                if wanted(entry.contact):
                    entry.is_expired, count = True, count + 1
        elif kind == "connection":
            for grant in self._connections.values():
                if wanted(grant.contact):
                    grant.expires_at, count = min(grant.expires_at, now), count + 1
        elif kind == "websocket":
            for ticket in self._sockets.values():
                if wanted(ticket.contact):
                    ticket.connect_by, count = min(ticket.connect_by, now), count + 1
        return count

    def forget(self, contact: Contact) -> None:
        """Drop what a chat that is long over was given; the ledger keeps it."""
        self._participants = {k: v for k, v in self._participants.items() if v.contact != contact}
        self._connections = {k: v for k, v in self._connections.items() if v.contact != contact}
        self._sockets = {k: v for k, v in self._sockets.items() if v.contact != contact}

    def note_secret(self, kind: str, value: str, contact_id: str) -> None:
        self.ledger.append({"kind": kind, "value": value, "contact_id": contact_id})

    def clear(self) -> None:
        self._participants.clear()
        self._connections.clear()
        self._sockets.clear()
        self.ledger.clear()

    def _noted(self, kind: str, value: str, contact: Contact) -> str:
        self.note_secret(kind, value, contact.contact_id)
        return value


def websocket(desk: TokenDesk, grant: ParticipantGrant) -> Wire:
    """A new websocket URL, as answers carry it."""
    url, expires_at = desk.issue_socket(grant)
    return {"Url": url, "ConnectionExpiry": as_instant(expires_at)}


def credentials(desk: TokenDesk, grant: ParticipantGrant) -> Wire:
    """A new connection token, as answers carry it."""
    token, expires_at = desk.issue_connection(grant)
    return {"ConnectionToken": token, "Expiry": as_instant(expires_at)}
