"""The states of a session, and every way from one to the next.

``starting → active → leaving → ended → expired``, and ``failed`` where a chat never came to be. How
a session comes into being is told in ``admission.py``. Plain functions on the database; REST,
relay, admin and commands all call these. Upstream calls that need a permit of the governor are made
by the caller, who can wait without holding a thread.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from chatproxy.conf import conf
from chatproxy.sessions import control, keys, opened, sent
from chatproxy.sessions.control import Control
from chatproxy.sessions.errors import SessionEnded, SessionKeyInvalid
from chatproxy.sessions.models import (
    LIVE_STATES,
    ChatSession,
    EndedBy,
    LinkLease,
    ServerProcess,
    SessionEvent,
    SessionKey,
    SpentTicket,
    State,
)
from chatproxy.sessions.vault import seal
from chatproxy.upstream.shapes import ConnectionCredentials, StartedChat
from chatproxy.upstream.vocabulary import FIRST_CONNECTION_WITHIN_S

logger = logging.getLogger(__name__)

# --- starting -----------------------------------------------------------------------------------


def keep_contact(session: ChatSession, started: StartedChat) -> None:
    """Record the contact that StartChatContact made for ``session``; its token sealed.

    Raises:
        SessionEnded: somebody ended the chat meanwhile. The contact ends by itself, since nobody
            can connect to it: its token is not kept.
    """
    session.contact_id = str(started.contact_id)
    session.participant_id = str(started.participant_id)
    rows = ChatSession.objects.filter(pk=session.pk)
    token = started.participant_token.reveal()
    with transaction.atomic():
        rows.update(contact_id=session.contact_id, participant_id=session.participant_id)
        is_kept = rows.filter(state__in=(*LIVE_STATES, State.FAILED)).update(
            participant_token_sealed=seal(token, bound_to=f"{session.pk}:participant"),
            started_at=timezone.now(),
        )
        # It took longer than a start may, and was given up. The contact is there all the same.
        rows.filter(state=State.FAILED).update(state=State.STARTING, failure="", ended_at=None)
    opened.forget(str(session.pk))
    note(session.pk, "started", contact_id=session.contact_id)
    if not is_kept:
        raise SessionEnded("The chat was ended while it was started. Start a new one.")


def fail(session: ChatSession, reason: str, *, request_id: str = "") -> None:
    """No contact came of this try. If none other may bring one, the start's place is free.

    Args:
        reason: For the operator; holds no secret.
    """
    rows = ChatSession.objects.filter(pk=session.pk, contact_id="", state=State.STARTING)
    with transaction.atomic():
        rows.filter(open_tries__gt=0).update(open_tries=F("open_tries") - 1)
        rows.filter(open_tries=0).update(
            state=State.FAILED, failure=reason[:300], ended_at=timezone.now()
        )
    opened.forget(str(session.pk))
    note(session.pk, "start_failed", reason=reason[:300], request_id=request_id)


def issue_key(session: ChatSession, asked_at: datetime | None = None) -> str:
    """A fresh session key for one device; the session's earlier ones stay as they are.

    Args:
        asked_at: When it was asked for, if not just now.
    """
    key = keys.new_session_key(str(session.pk))
    SessionKey.objects.create(
        session=session, digest=keys.digest(key), created_at=asked_at or timezone.now()
    )
    opened.forget(str(session.pk))
    return key


def replace_key(session: ChatSession, asked_at: datetime | None = None) -> str:
    """A fresh session key in place of all there are: what a start is answered with.

    Of starts with one client token that overlap, the one that asked last holds the key that lives:
    a page that gave up waiting and repeated its start may be answered before its first try is.

    Args:
        asked_at: When the start came in, if not just now.
    """
    with transaction.atomic():
        # One after the other, or two that begin together would each leave the other's key alone.
        ChatSession.objects.select_for_update(no_key=True).get(pk=session.pk)
        key = issue_key(session, asked_at)
        living = session.keys.filter(revoked_at=None).order_by("-created_at", "-pk")
        newest = living.values_list("pk", flat=True)[0]
        revoked = living.exclude(pk=newest).update(revoked_at=timezone.now())
    opened.forget(str(session.pk))
    if revoked:
        control.publish(Control.REVOKED, str(session.pk))
    return key


# --- connecting ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pass:
    """What CreateParticipantConnection hands to a browser in place of Amazon's."""

    connection_key: str = field(repr=False)
    connection_expiry: datetime
    ticket: str = field(repr=False)
    ticket_expiry: datetime


def issue_pass(session: opened.OpenedSession, key_id: int, origin: str) -> Pass:
    """A connection key and a ticket. Touches no database: both are signed, not stored."""
    now = timezone.now()
    expiry = now + timedelta(seconds=keys.CONNECTION_KEY_SECONDS)
    ticket_expiry = now + timedelta(seconds=keys.TICKET_SECONDS)
    # Before the first connection is up, the key already names the generation that is to come.
    generation = max(1, session.generation)
    return Pass(
        keys.new_connection_key(session.id, generation, key_id, int(expiry.timestamp())),
        expiry,
        keys.new_ticket(session.id, origin, key_id, int(ticket_expiry.timestamp())),
        ticket_expiry,
    )


def spend(ticket: keys.Ticket) -> None:
    """Use a ticket up, atomically for all processes.

    Raises:
        SessionKeyInvalid: it was spent before.
    """
    expires_at = datetime.fromtimestamp(ticket.expires_at, tz=timezone.get_default_timezone())
    try:
        with transaction.atomic():
            SpentTicket(nonce=ticket.nonce, expires_at=expires_at).save(force_insert=True)
    except IntegrityError as err:
        raise SessionKeyInvalid(
            "The ticket has opened a socket before. Create a new connection."
        ) from err


def keep_token(
    session_id: str,
    credentials: ConnectionCredentials,
    *,
    needed_until: datetime,
    replace: bool = False,
) -> datetime:
    """Seal a new connection token into the session, unless one is there that lasts long enough.

    One that is replaced is kept beside the new one until it expires, for sends first tried on it.
    One that comes when the chat is over is not kept: nothing would erase it any more.

    Args:
        needed_until: when there will be a newer one, at the latest.
        replace: the token there was refused, so this one takes its place in any case.

    Returns:
        When the session's token, old or new, expires.
    """
    with transaction.atomic():
        row = ChatSession.objects.select_for_update().get(pk=session_id)
        if not row.is_live:
            return credentials.expiry
        kept_until = row.connection_expiry
        if kept_until is not None and kept_until > needed_until and not replace:
            return kept_until
        generation = row.connection_generation + 1
        row.previous_token_sealed, row.previous_expiry = (
            row.connection_token_sealed,
            row.connection_expiry,
        )
        row.connection_token_sealed = seal(
            credentials.token.reveal(), bound_to=f"{row.pk}:connection:{generation}"
        )
        row.connection_expiry, row.connection_generation = credentials.expiry, generation
        row.save(
            update_fields=[
                "previous_token_sealed",
                "previous_expiry",
                "connection_token_sealed",
                "connection_expiry",
                "connection_generation",
            ]
        )
    opened.forget(session_id)
    return credentials.expiry


def mark_connected(session_id: str) -> None:
    """The link is up: a starting session becomes active."""
    now = timezone.now()
    ChatSession.objects.filter(pk=session_id, state=State.STARTING).update(state=State.ACTIVE)
    ChatSession.objects.filter(pk=session_id, connected_at=None).update(connected_at=now)
    opened.forget(session_id)


# --- ending -------------------------------------------------------------------------------------


def mark_leaving(session_id: str) -> None:
    """The customer disconnected; the link stays for the flow's survey until ``chat.ended``."""
    now = timezone.now()
    changed = ChatSession.objects.filter(
        pk=session_id, state__in=(State.STARTING, State.ACTIVE)
    ).update(state=State.LEAVING, left_at=now)
    if changed:
        note(session_id, "customer_left")
    opened.forget(session_id)


def mark_ended(session_id: str, *, by: str = "", incomplete_since: datetime | None = None) -> None:
    """The chat is over: tokens are erased, its keys read for a while longer. Idempotent."""
    now = timezone.now()
    row = ChatSession.objects.filter(pk=session_id).first()
    if row is None or not row.is_live:
        opened.written_down(session_id)
        return
    if incomplete_since is not None:
        incomplete_since = max(incomplete_since, row.started_at or row.created_at)
    left = EndedBy.CUSTOMER if row.state == State.LEAVING else ""
    # Who left first ended it, whoever was the last to go.
    who = row.ended_by or left or by or EndedBy.SERVICE
    changed = ChatSession.objects.filter(pk=session_id, state__in=LIVE_STATES).update(
        state=State.ENDED,
        ended_at=now,
        ended_by=who,
        incomplete_since=incomplete_since,
        expires_at=now + timedelta(seconds=conf.ended_readable_s),
        **_NO_TOKENS,
    )
    opened.written_down(session_id)
    if changed:
        sent.forget(row.pk)
        note(session_id, "ended", by=str(who), incomplete_since=_iso(incomplete_since))
        control.publish(Control.ENDED, session_id)


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


_NO_TOKENS: dict[str, Any] = {
    "participant_token_sealed": "",
    "connection_token_sealed": "",
    "connection_expiry": None,
    "previous_token_sealed": "",
    "previous_expiry": None,
}


def revoke_keys(session: ChatSession) -> int:
    """Make every key of the session worthless, everywhere within the cache's seconds.

    Returns:
        How many keys were revoked.
    """
    count = session.keys.filter(revoked_at=None).update(revoked_at=timezone.now())
    opened.forget(str(session.pk))
    note(session.pk, "keys_revoked", count=count)
    control.publish(Control.REVOKED, str(session.pk))
    return int(count)


def sweep() -> None:
    """Move on what time has moved on: starts nobody connected to, ended and outlived sessions."""
    now = timezone.now()
    late = now - timedelta(seconds=FIRST_CONNECTION_WITHIN_S + 30)
    unconnected = ChatSession.objects.filter(state=State.STARTING, connected_at=None)
    unconnected.annotate(since=Coalesce("started_at", "last_activity_at")).filter(
        since__lt=late
    ).update(
        state=State.FAILED,
        failure="No connection within the five minutes that Connect allows.",
        ended_at=now,
        **_NO_TOKENS,
    )
    outlived = ChatSession.objects.filter(state__in=(State.ACTIVE, State.LEAVING))
    over = outlived.filter(expires_at__lte=now).values_list("pk", "last_activity_at")
    for session_id, heard_at in over[:200]:
        mark_ended(str(session_id), by=EndedBy.SERVICE, incomplete_since=heard_at)
    ChatSession.objects.filter(state__in=(State.ENDED, State.FAILED), expires_at__lte=now).update(
        state=State.EXPIRED
    )
    SpentTicket.objects.filter(expires_at__lt=now).delete()
    LinkLease.objects.filter(expires_at__lt=now - timedelta(minutes=5)).delete()
    ServerProcess.objects.filter(seen_at__lt=now - timedelta(minutes=5)).delete()


# --- the timeline -------------------------------------------------------------------------------


def note(session_id: UUID | str, kind: str, **detail: Any) -> None:
    """One line in the session's technical timeline; ``detail`` holds facts, never content."""
    facts = {name: value for name, value in detail.items() if value not in ("", None)}
    if SessionEvent.objects.create(session_id=session_id, kind=kind, detail=facts).is_error:
        ChatSession.objects.filter(pk=session_id).update(errors=F("errors") + 1)
