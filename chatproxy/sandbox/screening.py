"""What looks at messages and files before everybody may have them.

Stand-ins for the real things: in-flight processing masks long digit runs (card numbers) and
refuses a text that holds the word below; the scanner refuses files whose name holds
``options.scanner_rejects``.
"""

import re
from typing import TYPE_CHECKING

from chatproxy.sandbox.contacts import Contact, Item
from chatproxy.upstream.vocabulary import (
    AttachmentStatus,
    ItemType,
    MessageProcessingStatus,
    MessageType,
)

if TYPE_CHECKING:
    from chatproxy.sandbox.center import Center

REFUSED_WORD = "forbidden"
_CARD_NUMBER = re.compile(r"\b(?:\d[ -]?){13,16}\b")
_PROCESSED_TYPES = frozenset({MessageType.PLAIN, MessageType.MARKDOWN, MessageType.JSON})


class Screening:
    """Decides when and as what an item is published."""

    def __init__(self, center: "Center") -> None:
        self._center = center

    def publish(self, contact: Contact, item: Item) -> None:
        """Publish ``item``, now or when it has been looked at."""
        if item.type == ItemType.ATTACHMENT:
            self._scan(contact, item)
            return
        delay_s = self._center.options.processing_s
        if delay_s is None or item.content_type not in _PROCESSED_TYPES:
            self._center.publish(contact, item)
            return
        item.processing_status = MessageProcessingStatus.PROCESSING
        self._center.clock.call_later(delay_s, lambda: self._processed(contact, item))

    def _processed(self, contact: Contact, item: Item) -> None:
        if contact.is_over:
            return
        content = item.content or ""
        if REFUSED_WORD in content.lower():
            item.processing_status = MessageProcessingStatus.REJECTED
            self._center.emit(contact, item.status_frame(self._center.clock.now()))
            return
        item.content = _CARD_NUMBER.sub("[PII]", content)
        item.processing_status = None
        self._center.publish(contact, item)

    def _scan(self, contact: Contact, item: Item) -> None:
        scan_s = self._center.options.scanner_s
        if scan_s is None:
            self._scanned(contact, item)
            return
        self._center.publish(contact, item)
        self._center.clock.call_later(scan_s, lambda: self._scanned(contact, item))

    def _scanned(self, contact: Contact, item: Item) -> None:
        marker = self._center.options.scanner_rejects
        for attachment in item.attachments:
            is_refused = bool(marker) and marker in attachment.name
            attachment.status = (
                AttachmentStatus.REJECTED if is_refused else AttachmentStatus.APPROVED
            )
        if not contact.is_over:
            self._center.publish(contact, item)
