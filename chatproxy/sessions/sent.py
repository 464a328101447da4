"""Which item each message became that was answered here, while its chat goes on.

The service knows a ClientToken on the connection token of its first try only. What it answered is
kept beside the session, so that a repeat on another token, after a restart, or by another process
is told from somebody saying the same words again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from chatproxy.sessions.keys import digest
from chatproxy.sessions.models import SentMessage


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that was answered: its ClientToken and the item's Id."""

    session_id: str
    client_token: str
    item_id: str


def keep(batch: Iterable[Sent]) -> None:
    """Write a batch; what is there already stays."""
    rows = [
        SentMessage(
            session_id=UUID(one.session_id),
            item_id=one.item_id,
            client_token_digest=digest(one.client_token),
        )
        for one in batch
    ]
    SentMessage.objects.bulk_create(rows, ignore_conflicts=True)


def owners(session_id: str, item_ids: Iterable[str]) -> dict[str, str]:
    """Of items that are a message's, the digest of its ClientToken, by Id."""
    rows = SentMessage.objects.filter(session=UUID(session_id), item_id__in=list(item_ids))
    return dict(rows.values_list("item_id", "client_token_digest"))


def forget(session_id: UUID) -> None:
    """The chat is over: nothing of it is repeated any more."""
    SentMessage.objects.filter(session=session_id).delete()
