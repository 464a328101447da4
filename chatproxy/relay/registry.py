"""Who holds which link, with a time to live; and how many tabs each session has, for the admin.

Rows in the database, renewed in one statement every few seconds. Nothing waits for a lease: a tab
that comes gets a link at once, and two processes that hold one for the same session agree
afterwards who lets go. Sessions no process holds are *orphans*: after a crash they are adopted.
"""

from __future__ import annotations

import os
import secrets
import socket
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from chatproxy.sessions.models import ChatSession, LinkLease

LEASE_S = 15
RENEW_EVERY_S = 5

# host:process:when it started, so that a successor knows a dead predecessor on its own host.
HOLDER = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class Held:
    """One link of this process, as others should know it."""

    session_id: str
    link_state: str
    tabs: int


def renew(held: Iterable[Held]) -> None:
    """Say, for the next seconds, which links this process holds."""
    until = timezone.now() + timedelta(seconds=LEASE_S)
    rows = [
        LinkLease(
            session_id=one.session_id,
            holder=HOLDER,
            link_state=one.link_state,
            tabs=one.tabs,
            expires_at=until,
        )
        for one in held
    ]
    LinkLease.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["session", "holder"],
        update_fields=["link_state", "tabs", "expires_at"],
        batch_size=500,
    )


def release(session_id: str) -> None:
    """This process no longer holds a link for the session."""
    LinkLease.objects.filter(session=uuid.UUID(session_id), holder=HOLDER).delete()


def release_all() -> None:
    LinkLease.objects.filter(holder=HOLDER).delete()


def other_holders(session_id: str) -> list[tuple[str, int]]:
    """Other processes with a live link for the session: (holder, tabs)."""
    leases = LinkLease.objects.filter(session=uuid.UUID(session_id), expires_at__gt=timezone.now())
    return list(leases.exclude(holder=HOLDER).values_list("holder", "tabs"))


def orphans(most: int) -> list[str]:
    """Sessions that should have a link and have none; those with visitors lately first."""
    found = ChatSession.objects.without_link().order_by("-last_activity_at")
    return [str(session_id) for session_id in found.values_list("pk", flat=True)[:most]]


def release_dead_neighbours() -> int:
    """Give up leases of processes on this host that are gone, so that a restart waits for nothing.

    Returns:
        How many leases were given up.
    """
    host = HOLDER.split(":", maxsplit=1)[0]
    holders = LinkLease.objects.filter(holder__startswith=f"{host}:").values_list(
        "holder", flat=True
    )
    dead = [holder for holder in set(holders) if holder != HOLDER and _is_dead(holder)]
    return LinkLease.objects.filter(holder__in=dead).delete()[0] if dead else 0


def _is_dead(holder: str) -> bool:
    pid = holder.split(":")[1]
    # Our own number in another's lease: a container was restarted, we are its first process too.
    return pid == str(os.getpid()) or not Path(f"/proc/{pid}").exists()
