"""A process that is told to stop hands its chats to others, a slice a second.

A slice is as many chats as the quota has connections for: all at once, the last of five hundred
would be without a link for a minute and a half. A chat's tabs are sent away, each with a time of
its own to come back, and whoever they come back to opens a link. A chat without tabs is adopted,
and so is one whose tabs did not come; not before, or two processes would open a link for it.
Ours stays up until the other is, so that nothing is missed in between. Chats whose turn has not
come go on as if nothing were.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque

from django.db import Error as DatabaseError

from chatproxy.conf import conf
from chatproxy.relay import registry
from chatproxy.relay.hub import Hub, Place, held, send_away
from chatproxy.sessions.instances import governor
from chatproxy.upstream.governor import Group

logger = logging.getLogger(__name__)

SLICE_EVERY_S = 1.0
BACK_WITHIN_MS = (0.0, 1000.0)
SLICES_TO_COME_BACK = 3
#: Of the deadline: for those who had no turn, and for writing down what waits.
KEPT_BACK_S = 4.0


async def hand_over(hub: Hub, deadline_s: float) -> None:
    """Return when all is handed over, when there is nobody to take it, or shortly before
    ``deadline_s``; what is left then is for `Hub.drain`."""
    hub.is_draining = True
    end = hub.loop.time() + deadline_s - KEPT_BACK_S
    size, offered = _slice_size(), set[Place]()
    sent_away = deque[list[Place]]([[]] * SLICES_TO_COME_BACK)
    try:
        await hub.gateway.database(registry.take_leave)
        while hub.places() and hub.loop.time() < end:
            if not await hub.gateway.database(registry.has_successor):
                return
            some = _next(hub, offered, size)
            sent_away.append([place for place in some if place.stream.tabs])
            nobody_came = set(sent_away.popleft()) & set(hub.places())
            free = [*nobody_came, *(place for place in some if not place.stream.tabs)]
            await hub.gateway.database(registry.mark_leaving, [held(place) for place in free])
            offered.update(some)
            for place in some:
                for tab in hub.crowd.of(place.stream.session_id):
                    send_away(tab, BACK_WITHIN_MS)
            await asyncio.sleep(SLICE_EVERY_S)
            ours = [place.stream.session_id for place in offered & set(hub.places())]
            # Those others have, whether or not we were told so.
            for session_id in await hub.gateway.database(registry.outlived, ours):
                hub.let_go(session_id)
    except DatabaseError as err:
        # Then nobody can take over either.
        logger.warning("chats are not handed over", extra={"cause": type(err).__name__})


def _next(hub: Hub, offered: set[Place], size: int) -> list[Place]:
    """Those with tabs first: somebody waits there."""
    left = [place for place in hub.places() if place not in offered]
    return sorted(left, key=lambda place: not place.stream.tabs)[:size]


def _slice_size() -> int:
    rate = governor(conf.instance_id).stats()[Group.CONNECTION].rate
    return max(1, int(rate * SLICE_EVERY_S))
