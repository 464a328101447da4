"""One entry of a chat, as the service's own JSON with names to read it by."""

from datetime import datetime
from typing import Any, Self

from chatproxy.upstream.reading import BadShape, Json, parse_time
from chatproxy.upstream.vocabulary import EventType, ItemType


class Item:
    """One entry of a chat: message, event, attachment or receipt, in one of its versions.

    A view of the service's dict, which is parsed once and never changed; a member that is missing
    or not a string reads as "". Cheap, because one is made for every frame.
    """

    __slots__ = ("id", "type", "wire")

    def __init__(self, wire: Json) -> None:
        self.wire = wire
        self.id = self._text("Id")
        self.type = self._text("Type")

    @classmethod
    def parse(cls, value: object) -> Self:
        """An item from decoded JSON.

        Raises:
            BadShape: not an object. Anything else is passed on as it came: a member we miss must
                not cost the reader a message.
        """
        if not isinstance(value, dict):
            raise BadShape("an item is not an object")
        return cls(value)

    def _text(self, name: str) -> str:
        value = self.wire.get(name)
        return value if isinstance(value, str) else ""

    @property
    def content_type(self) -> str:
        """``ContentType``; attachments have none of their own."""
        return self._text("ContentType")

    @property
    def content(self) -> str:
        """``Content``: text, or a JSON string."""
        return self._text("Content")

    @property
    def absolute_time(self) -> str:
        """``AbsoluteTime`` as sent."""
        return self._text("AbsoluteTime")

    @property
    def at(self) -> datetime | None:
        """``AbsoluteTime`` as an aware UTC datetime; None if it is not a time."""
        try:
            return parse_time(self.wire.get("AbsoluteTime"))
        except BadShape:
            return None

    @property
    def participant_id(self) -> str:
        """``ParticipantId`` of the sender."""
        return self._text("ParticipantId")

    @property
    def participant_role(self) -> str:
        """``ParticipantRole`` of the sender; compare with the vocabulary's."""
        return self._text("ParticipantRole")

    @property
    def display_name(self) -> str:
        """``DisplayName`` of the sender."""
        return self._text("DisplayName")

    @property
    def contact_id(self) -> str:
        """``ContactId``: the contact of the chain to which it belongs."""
        return self._text("ContactId")

    @property
    def attachments(self) -> list[Json]:
        """``Attachments``, those that are objects."""
        return [entry for entry in self._list("Attachments") if isinstance(entry, dict)]

    @property
    def metadata(self) -> Json:
        """``MessageMetadata``, or {}."""
        value = self.wire.get("MessageMetadata")
        return value if isinstance(value, dict) else {}

    @property
    def receipts(self) -> list[Json]:
        """``MessageMetadata.Receipts``, those that are objects."""
        value = self.metadata.get("Receipts")
        found = value if isinstance(value, list) else []
        return [entry for entry in found if isinstance(entry, dict)]

    @property
    def is_chunk(self) -> bool:
        """A part of a streamed answer: its content is a piece, and the whole text will follow."""
        return self.metadata.get("MessageCompleted") is False

    @property
    def is_chat_ended(self) -> bool:
        """The last thing a chat says."""
        return self.wire.get("ContentType") == EventType.CHAT_ENDED

    @property
    def is_receipt(self) -> bool:
        """A MESSAGEMETADATA item: receipts of the message whose Id it carries."""
        return self.type == ItemType.MESSAGE_METADATA

    def _list(self, name: str) -> list[Any]:
        value = self.wire.get(name)
        return value if isinstance(value, list) else []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and self.wire == other.wire

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Item {self.type} {self.content_type} {self.id}>"
