"""The list of sessions: what is counted beside each row, how it is searched, and paged cheaply.

Nothing here may cost more as the table grows: counts beside a row are asked for the rows of a page
only, search goes through indexes, and nobody counts past a bound.
"""

from __future__ import annotations

import re
import uuid
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.db.models import Case, CharField, IntegerField, OuterRef, Q, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from chatproxy.sessions.models import ChatSession, ChatSessionQuerySet, LinkLease

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:
    _Paginator = Paginator

CONNECTED = "connected"
COUNTED = 10_000
# Names like "Dada" are hexadecimal too: fewer than eight characters need a digit among them.
_ID_START = re.compile(r"\A(?=.*\d|.{8})[0-9a-f][0-9a-f-]{3,35}\Z", re.IGNORECASE)


def with_links(sessions: ChatSessionQuerySet) -> ChatSessionQuerySet:
    """``sessions`` with ``tabs_open`` and ``link_state`` (``None``: nobody holds a link)."""
    leases = LinkLease.objects.filter(session=OuterRef("pk"), expires_at__gt=timezone.now())
    tabs = leases.order_by().values("session").annotate(sum=Sum("tabs")).values("sum")
    # A link that is connected stands for the session, whoever else is still trying.
    connected_first = Case(When(link_state=CONNECTED, then=Value(0)), default=Value(1))
    best = leases.order_by(connected_first, "-opened_at").values("link_state")[:1]
    return sessions.annotate(
        tabs_open=Coalesce(Subquery(tabs, output_field=IntegerField()), 0),
        link_state=Subquery(best, output_field=CharField()),
    )


def without_connected_link(sessions: ChatSessionQuerySet) -> ChatSessionQuerySet:
    """Those that should be linked, and are not: nobody holds a link, or it is not up."""
    up = Q(leases__expires_at__gt=timezone.now(), leases__link_state=CONNECTED)
    return sessions.linkable().exclude(
        pk__in=ChatSession.objects.linkable().filter(up).values("pk")
    )


def search(sessions: ChatSessionQuerySet, term: str) -> ChatSessionQuerySet:
    """Sessions whose id or contact begins with ``term``, whose participant is it, or by name.

    What may be the beginning of an id is looked up as one, through indexes, and not as a name.
    """
    term = term.strip()
    if not term:
        return sessions
    if not _ID_START.match(term):
        return sessions.filter(
            Q(display_name__istartswith=term) | Q(contact_id=term) | Q(participant_id=term)
        )
    start = term.lower()
    # "g" comes after whatever an id goes on with; plain bounds, since LIKE would use no index.
    contact = Q(contact_id__gte=start, contact_id__lt=f"{start}g", contact_id__startswith=start)
    return sessions.filter(Q(pk__range=_ids_from(start)) | contact | Q(participant_id=start))


def _ids_from(start: str) -> tuple[uuid.UUID, uuid.UUID]:
    """The first and the last id that begin with these hexadecimal digits."""
    digits = start.replace("-", "").lower()[:32]
    return uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))


class BoundedPaginator(_Paginator):
    """Counts to ``COUNTED`` and no further: a number nobody reads is not worth a table scan."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by().values("pk")[:COUNTED].count())
