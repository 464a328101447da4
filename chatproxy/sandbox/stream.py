"""A bot's answer told in pieces, the way contacts in INCREMENTAL mode see it."""

from typing import TYPE_CHECKING

from chatproxy.sandbox.contacts import Contact, Item, Participant, Wire
from chatproxy.upstream.vocabulary import ItemType, MessageType, ResponseMode

if TYPE_CHECKING:
    from chatproxy.sandbox.center import Center


class Stream:
    """One answer in pieces: deltas under one Id, then a last frame with the whole text."""

    def __init__(self, center: "Center", contact: Contact, participant: Participant) -> None:
        self._center = center
        self._contact = contact
        self._is_seen = contact.response_mode == ResponseMode.INCREMENTAL
        self._chunks: list[str] = []
        self._item = center.new_item(contact, ItemType.MESSAGE, participant, MessageType.PLAIN, "")

    def chunk(self, text: str) -> None:
        """Add ``text``; seen at once by contacts in INCREMENTAL mode."""
        self._center.must_live(self._contact)
        self._chunks.append(text)
        if not self._is_seen:
            return
        frame = self._item.frame(
            self._contact, {"MessageCompleted": False, "ChunkNumber": len(self._chunks)}
        )
        self._center.emit(self._contact, frame | {"Content": text})

    def finish(self, text: str | None = None) -> Item:
        """Close it with ``text``, or with all chunks joined; only now the transcript has it."""
        center, contact, item = self._center, self._contact, self._item
        center.must_live(contact)
        item.content = "".join(self._chunks) if text is None else text
        center.keep(contact, item)
        metadata: Wire | None = {"MessageCompleted": True} if self._is_seen else None
        center.emit(contact, item.frame(contact, metadata))
        center.tell("on_item", contact, item)
        return item
