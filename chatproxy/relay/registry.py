"""Who holds which link, with a time to live; and how many tabs each session has, for the admin.

Rows in the database, renewed in one statement every few seconds. A tab that comes gets a link at
once, and of two processes that hold one for the same session the earlier lets go, unless tabs watch
it there. Sessions no process holds are *orphans*: after a crash they are adopted.
"""

from __future__ import annotations

import os
import secrets
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from chatproxy.sessions.models import ChatSession, LinkLease, ServerProcess

LEASE_S = 15
RENEW_EVERY_S = 5
MOST_LINKS = 3  # of the five sockets the service allows; a renewal needs one more for a moment

# host:process:when it started, so that a successor knows a dead predecessor on its own host.
HOLDER = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


class TooManyLinks(Exception):
    """Other processes hold as many links for the session as there may be."""


@dataclass(frozen=True, slots=True)
class Held:
    """One link of this process, as others should know it."""

    session_id: str
    link_state: str
    tabs: int


def renew(held: Iterable[Held]) -> None:
    """Say, for the next seconds, which links this process holds."""
    until = timezone.now() + timedelta(seconds=LEASE_S)
    rows = [_lease(one, until) for one in held]
    LinkLease.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["session", "holder"],
        update_fields=["link_state", "tabs", "expires_at"],
        batch_size=500,
    )


def _lease(one: Held, until: datetime) -> LinkLease:
    return LinkLease(
        session_id=one.session_id,
        holder=HOLDER,
        link_state=one.link_state,
        tabs=one.tabs,
        expires_at=until,
    )


def claim(one: Held) -> int:
    """Enter this process as a holder, before it opens its link.

    Returns:
        How many other processes hold a live link for the session.

    Raises:
        TooManyLinks: so many that one more is not allowed; nothing was entered.
    """
    with transaction.atomic():
        # One at a time for each session, so that two never count past each other.
        session = ChatSession.objects.select_for_update().get(pk=one.session_id)
        others = session.leases.filter(expires_at__gt=timezone.now()).exclude(holder=HOLDER).count()
        if others >= MOST_LINKS:
            raise TooManyLinks(one.session_id)
        renew([one])
    return int(others)


def outlived(session_ids: list[str]) -> list[str]:
    """Of these sessions, those for which another process has opened a link after this one did."""
    mine = LinkLease.objects.filter(session__in=map(uuid.UUID, session_ids), holder=HOLDER)
    opened_at = dict(mine.values_list("session", "opened_at"))
    others = LinkLease.objects.filter(
        session__in=list(opened_at), link_state="connected", expires_at__gt=timezone.now()
    ).exclude(holder=HOLDER)
    found = others.values_list("session", "opened_at")
    return sorted({str(session) for session, since in found if since > opened_at[session]})


def mark_leaving(held: Iterable[Held]) -> None:
    """Offer these links to other processes, who open their own; ours stay up until then."""
    held = list(held)
    renew(held)
    mine = LinkLease.objects.filter(session__in=[uuid.UUID(one.session_id) for one in held])
    mine.filter(holder=HOLDER).update(is_leaving=True)


def release(session_id: str) -> None:
    """This process no longer holds a link for the session."""
    LinkLease.objects.filter(session=uuid.UUID(session_id), holder=HOLDER).delete()


def release_all() -> None:
    """This process holds no link any more, and serves nobody."""
    LinkLease.objects.filter(holder=HOLDER).delete()
    ServerProcess.objects.filter(holder=HOLDER).delete()


def show_up() -> int:
    """Say, for the next seconds, that this process serves.

    Returns:
        How many do, this one included.
    """
    here = ServerProcess(holder=HOLDER)
    ServerProcess.objects.bulk_create(
        [here], update_conflicts=True, unique_fields=["holder"], update_fields=["seen_at"]
    )
    return _seen().count()


def take_leave() -> None:
    """Say that this process takes nothing over any more."""
    ServerProcess.objects.filter(holder=HOLDER).update(is_leaving=True)


def has_successor() -> bool:
    """Whether another process is there to take over what this one holds."""
    return _seen().filter(is_leaving=False).exclude(holder=HOLDER).exists()


def _seen() -> QuerySet[ServerProcess]:
    return ServerProcess.objects.filter(seen_at__gt=timezone.now() - timedelta(seconds=LEASE_S))


def orphans(most: int) -> list[str]:
    """Sessions that should have a link and have none, those with visitors lately first.

    They are this process's from now on: each is entered as held, so that no other adopts it too.
    """
    with transaction.atomic():
        found = ChatSession.objects.without_link().order_by("-last_activity_at")
        locked = found.select_for_update(skip_locked=True, of=("self",))
        session_ids = [str(each) for each in locked.values_list("pk", flat=True)[:most]]
        renew(Held(session_id, "connecting", 0) for session_id in session_ids)
    return session_ids


def release_dead_neighbours() -> int:
    """Give up leases of processes on this host that are gone, so that a restart waits for nothing.

    Returns:
        How many leases were given up.
    """
    host = HOLDER.split(":", maxsplit=1)[0]
    holders = LinkLease.objects.filter(holder__startswith=f"{host}:").values_list(
        "holder", flat=True
    )
    gone = ServerProcess.objects.filter(holder__startswith=f"{host}:")
    for holder in gone.exclude(holder=HOLDER).values_list("holder", flat=True):
        if _is_dead(holder):
            gone.filter(holder=holder).delete()
    dead = [holder for holder in set(holders) if holder != HOLDER and _is_dead(holder)]
    return LinkLease.objects.filter(holder__in=dead).delete()[0] if dead else 0


def _is_dead(holder: str) -> bool:
    pid = holder.split(":")[1]
    # Our own number in another's lease: a container was restarted, we are its first process too.
    if pid == str(os.getpid()):
        return True
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return False
    except OSError:
        return True
    return False
