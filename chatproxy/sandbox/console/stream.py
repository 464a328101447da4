"""What the console's page hears while it is open: changes of the desk and frames of its chats.

One ``EventStream`` per open page, as server-sent events; the browser reconnects by itself and gets
the overview again, so nothing is remembered here for a page that is gone. A page that reads too
slowly is let go for the same reason.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from chatproxy.sandbox.agents import AgentDesk, State
from chatproxy.sandbox.center import Observer
from chatproxy.sandbox.console.summaries import overview, summary
from chatproxy.sandbox.contacts import Contact, Wire

QUEUE_MAX = 2000
KEEPALIVE_S = 15.0


class EventStream(Observer):
    """Turns what happens into lines of ``text/event-stream``, until closed."""

    def __init__(self, desk: AgentDesk) -> None:
        self._desk = desk
        self._queue: asyncio.Queue[str] = asyncio.Queue(QUEUE_MAX + 1)
        self._is_over = False

    async def events(self) -> AsyncIterator[str]:
        """The overview first, then each change; a comment now and then keeps the line open."""
        self._desk.listen(self._chat_changed)
        self._desk.center.observe(self)
        try:
            yield _event("overview", overview(self._desk))
            while not self._is_over:
                try:
                    yield await asyncio.wait_for(self._queue.get(), KEEPALIVE_S)
                except TimeoutError:
                    yield ": still here\n\n"
        finally:
            self._desk.center.unobserve(self)
            self._desk.unlisten(self._chat_changed)

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        """Pass on what the chat's sockets see; chats nobody has open are left out."""
        if "watched" in contact.notes or self._desk.agent_in(contact) is not None:
            self._put(_event("frame", {"chat": contact.initial_contact_id, "frame": frame}))

    def _chat_changed(self, contact: Contact | None) -> None:
        if contact is None:
            self._put(_event("overview", overview(self._desk)))
        elif self._desk.state(contact) is not State.STARTING:
            self._put(_event("chat", summary(self._desk, contact)))

    def _put(self, event: str) -> None:
        if self._queue.qsize() >= QUEUE_MAX:
            self._is_over = True
        else:
            self._queue.put_nowait(event)


def watch(contact: Contact) -> None:
    """Somebody has this chat open: from now on its frames go to the console's pages."""
    contact.notes["watched"] = True


def _event(name: str, value: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(value, ensure_ascii=False)}\n\n"
