"""How bot, console, sockets and control API learn what happens in the center: hooks to override.

Hooks run at once, in the order observers came; one that raises is logged and disturbs nobody.
"""

import logging
from typing import Any

from chatproxy.sandbox.contacts import Authentication, Contact, Item, Participant, Receipt, Wire

logger = logging.getLogger(__name__)


class ContactOver(Exception):
    """The chat has ended; nothing more can be said in it."""


class Observer:
    """Hooks into the center. All are empty here."""

    def on_contact_started(self, contact: Contact) -> None:
        """StartChatContact was answered; nobody is connected yet."""

    def on_customer_connected(self, contact: Contact) -> None:
        """The customer's first connection is live: the flow starts now. Once per contact."""

    def on_item(self, contact: Contact, item: Item) -> None:
        """Something was said or happened, or an earlier item changed (same ``item.id``)."""

    def on_receipt(self, contact: Contact, item: Item, receipt: Receipt) -> None:
        """A participant got or read ``item``."""

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        """Everything sockets see, in wire shape and order: items, chunks, typing, receipts."""

    def on_participant_left(self, contact: Contact, participant: Participant) -> None:
        """Somebody left. After the customer, the chat ends in ``options.disconnect_flow_s``."""

    def on_authentication(self, contact: Contact, authentication: Authentication) -> None:
        """A sign-in was cancelled by the customer, or ended otherwise: see ``.outcome``."""

    def on_contact_ended(self, contact: Contact) -> None:
        """``chat.ended`` went out."""


class Announcer:
    """Tells observers."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []

    def observe(self, observer: Observer) -> None:
        self._observers.append(observer)

    def unobserve(self, observer: Observer) -> None:
        self._observers.remove(observer)

    def publish(self, contact: Contact, item: Item) -> None:
        """Everybody sees ``item``, and may react to it."""
        # Sockets first: an answer must not be heard before what it answers to.
        self.emit(contact, item.frame(contact))
        self.tell("on_item", contact, item)

    def emit(self, contact: Contact, frame: Wire) -> None:
        """Everybody sees ``frame``."""
        self.tell("on_frame", contact, frame)

    def tell(self, hook: str, *arguments: Any) -> None:
        """Call one hook of every observer."""
        for observer in tuple(self._observers):
            try:
                getattr(observer, hook)(*arguments)
            except Exception:
                logger.exception("observer failed", extra={"hook": hook})
