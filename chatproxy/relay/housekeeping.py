"""What a serving process does every few seconds: renew leases, adopt orphans, hear of other
processes.

Each round is a handful of statements however many sessions there are. A round that fails is logged
and tried again; nothing here is needed for a message to arrive.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer

from chatproxy.relay import registry
from chatproxy.relay.hub import Hub
from chatproxy.sessions import control, instances, lifecycle, opened
from chatproxy.sessions.control import Control
from chatproxy.sessions.models import LIVE_STATES, ChatSession, SessionKey

logger = logging.getLogger(__name__)

ADOPT_AT_ONCE = 20
SWEEP_EVERY_ROUNDS = 6
REJOIN_S = 3600.0  # channel layers forget a member after a day


async def keep_house(hub: Hub) -> None:
    """Run rounds for ever; cancel to stop."""
    rounds = 0
    while True:
        try:
            await _round(hub, sweeps=rounds % SWEEP_EVERY_ROUNDS == 0)
        except Exception as err:
            logger.warning("a round of housekeeping failed", extra={"cause": type(err).__name__})
        rounds += 1
        await asyncio.sleep(registry.RENEW_EVERY_S * random.uniform(0.8, 1.0))  # noqa: S311 - jitter


async def _round(hub: Hub, *, sweeps: bool) -> None:
    database = hub.gateway.database
    instances.know_processes(await database(registry.show_up))
    await database(registry.renew, hub.held())
    over, live_keys = await database(_news_of, hub.session_ids())
    for session_id in over:
        await _heard(hub, Control.ENDED, session_id)
    for session_id, keys in live_keys.items():
        hub.close_revoked(session_id, keys)
    for session_id in await database(registry.outlived, hub.unwatched()):
        hub.let_go(session_id)
    if not hub.is_draining:
        await _adopt(hub)
    if sweeps:
        opened.drop_outdated()
        await database(lifecycle.sweep)


def _news_of(session_ids: list[str]) -> tuple[list[str], dict[str, set[int]]]:
    """Of these sessions: which are over by the database, and which keys each still has."""
    over = ChatSession.objects.filter(pk__in=session_ids).exclude(state__in=LIVE_STATES)
    keys: dict[str, set[int]] = {session_id: set() for session_id in session_ids}
    live = SessionKey.objects.filter(
        session__in=[UUID(one) for one in session_ids], revoked_at=None
    )
    for key_id, session_id in live.values_list("pk", "session_id"):
        keys[str(session_id)].add(key_id)
    return [str(pk) for pk in over.values_list("pk", flat=True)], keys


async def _adopt(hub: Hub) -> None:
    """Open links for sessions that lost theirs with their process."""
    for session_id in await hub.gateway.database(registry.orphans, ADOPT_AT_ONCE):
        if hub.place(session_id) is None:
            try:
                chat = await hub.gateway.database(opened.open_session, session_id)
            except Exception:
                logger.warning("an orphan can't be opened", extra={"session": session_id})
                continue
            hub.ensure(session_id, chat.contact_id)


async def hear_control(hub: Hub) -> None:
    """Act on what other processes publish, and ourselves; cancel to stop."""
    layer = get_channel_layer()
    if layer is None:
        return
    is_heard = True
    while True:
        try:
            channel = await layer.new_channel()
            await layer.group_add(control.GROUP, channel)
            if not is_heard:
                logger.info("control is heard again")
            is_heard = True
            with suppress(TimeoutError):
                async with asyncio.timeout(REJOIN_S):
                    while True:
                        await _on_message(hub, await layer.receive(channel))
        except Exception as err:
            if is_heard:
                logger.warning("control is not heard", extra={"cause": type(err).__name__})
            is_heard = False
            await asyncio.sleep(1.0)


async def _on_message(hub: Hub, message: dict[str, Any]) -> None:
    await _heard(hub, Control(message["kind"]), str(message["session"]), message)


async def _heard(
    hub: Hub, kind: Control, session_id: str, message: dict[str, Any] | None = None
) -> None:
    opened.forget(session_id)
    place = hub.place(session_id)
    if place is None:
        return
    if kind is Control.REVOKED:
        _, keys = await hub.gateway.database(_news_of, [session_id])
        hub.close_revoked(session_id, keys[session_id])
    elif kind is Control.LET_GO and (message or {}).get("to") != registry.HOLDER:
        hub.let_go(session_id)
    elif kind is Control.ENDED:
        hub.end_elsewhere(session_id)
