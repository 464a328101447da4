"""Typing and receipts on their way upstream: answered at once, coalesced, shed first.

They share the quota of messages, ten a second for all chats of an instance, so they go out only as
permits allow: of each session the newest delivered, the newest read (which says all before it is
read) and one typing. Typing that finds no permit in a moment is dropped, a receipt waits for one.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field

from chatproxy.conf import conf
from chatproxy.relay.gateway import Gateway
from chatproxy.sessions import messaging
from chatproxy.sessions.instances import governor
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.errors import ChatProxyError, UpstreamError
from chatproxy.upstream.governor import GovernorBusy, Group, Priority
from chatproxy.upstream.inputs import OutgoingEvent
from chatproxy.upstream.vocabulary import EventType

logger = logging.getLogger(__name__)

RECEIPT_WAIT_S = 30.0
#: Just after a message or two there is none to spare for a moment; later it is no news.
TYPING_WAIT_S = 1.0


@dataclass
class _Pending:
    """What one session still has to say."""

    chat: OpenedSession
    generation: int
    events: dict[EventType, OutgoingEvent] = field(default_factory=dict)


class Signals:
    """Takes events on the loop and sends what survives coalescing."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._pending: dict[str, _Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.shed = 0
        self.sent = 0

    def offer(self, chat: OpenedSession, generation: int, event: OutgoingEvent) -> None:
        """Say this when there is room; replaces what waits of the same kind."""
        kind = EventType(event.content_type)
        pending = self._pending.get(chat.id)
        if pending is None:
            pending = self._pending[chat.id] = _Pending(chat, generation)
            task = asyncio.get_running_loop().create_task(self._send_all(pending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if kind in pending.events:
            self.shed += 1
        pending.chat, pending.generation = chat, generation
        pending.events[kind] = event

    async def _send_all(self, pending: _Pending) -> None:
        try:
            while pending.events:
                kind = next(kind for kind in _ORDER if kind in pending.events)
                if await self._permitted(pending.chat, kind):
                    await self._send(pending, kind)
                else:
                    pending.events.pop(kind, None)
                    self.shed += 1
        except ChatProxyError as err:
            logger.debug("a signal was not sent", extra={"cause": type(err).__name__})
        except Exception:
            logger.exception("a signal failed", extra={"session": pending.chat.id})
        finally:
            self._pending.pop(pending.chat.id, None)

    async def _permitted(self, chat: OpenedSession, kind: EventType) -> bool:
        if not conf.governor:
            return True
        priority, wait_s = Priority.RECEIPT, RECEIPT_WAIT_S
        if kind is EventType.TYPING:
            priority, wait_s = Priority.TYPING, TYPING_WAIT_S
        try:
            await governor(chat.instance_id).acquire(Group.MESSAGE, priority, chat.id, wait_s)
        except GovernorBusy:
            return False
        return True

    async def _send(self, pending: _Pending, kind: EventType) -> None:
        event = pending.events.pop(kind)  # the newest, after the wait
        try:
            await self._gateway.permitted(
                pending.chat.instance_id,
                Group.MESSAGE,
                messaging.send_event,
                pending.chat,
                pending.generation,
                event,
            )
            self.sent += 1
        except UpstreamError as err:
            # Refused (two agents, an unknown message) or lost: nothing the browser can do about.
            logger.debug("a signal was refused", extra={"cause": type(err).__name__})

    async def stop(self) -> None:
        """Drop what waits."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


# A read says more than a delivered; typing comes last.
_ORDER = (EventType.MESSAGE_READ, EventType.MESSAGE_DELIVERED, EventType.TYPING)
