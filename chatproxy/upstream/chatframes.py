"""One ``aws/chat`` frame, and what its text tells without being decoded.

Decoding two JSON documents costs more than all else a frame needs on its way to a browser, and most
frames are one new message, passed on as it came. Such *plain* frames are known by their spelling.
"""

import json
from typing import Any, Final

from pydantic_core import from_json

from chatproxy.upstream.items import Item
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

# Members of the inner document, as they stand in the outer one. Nothing that people write can look
# like that: its quotes are escaped once more.
_HEAD: Final = r'{"content":"{\"AbsoluteTime\":\"'
_ID: Final = r"\"Id\":\""
_METADATA: Final = r"\"MessageMetadata\""
_TIME: Final = slice(len(_HEAD), len(_HEAD) + len("2000-01-01T00:00:00.000Z"))
_TIME_ENDS: Final = r"Z\","
_PLAIN_MEMBERS: Final = frozenset(
    {
        "AbsoluteTime",
        "Content",
        "ContentType",
        "Id",
        "Type",
        "ParticipantId",
        "DisplayName",
        "ParticipantRole",
        "InitialContactId",
        "ContactId",
    }
)
MOST_TAILS: Final = 16


class ChatFrame:
    """A frame: its text as it came, and the item inside, decoded when first asked for.

    Attributes:
        text: As it came.
        id: The item's ``Id`` if the frame is plain, else "".
        instant: Its ``AbsoluteTime`` if it is plain, else "".
        is_customers: It is plain, and the customer's.
    """

    __slots__ = ("_item", "id", "instant", "is_customers", "text")

    def __init__(self, text: str, item: Item | None = None) -> None:
        self.text = text
        self.id = self.instant = ""
        self.is_customers = False
        self._item = item

    @property
    def item(self) -> Item:
        """The item inside.

        Raises:
            ValueError: there is none; only of a frame that looked plain.
        """
        if self._item is None:
            self._item = item_of(decoded(self.text).get("content"))
        return self._item

    def __repr__(self) -> str:
        return f"<ChatFrame {self.id or self._item!r}>"


class PlainFrames:
    """Knows the plain frames of one socket: a message in its only form, without files or metadata.

    What one participant says in a chat differs in time, content and Id only, so whatever follows
    the Id is the same text each time. It is learned from a frame that was decoded; a frame with the
    same end, which starts as the service's frames do, is not decoded.
    """

    def __init__(self) -> None:
        self._tails: dict[str, bool] = {}

    def read(self, text: str) -> ChatFrame | None:
        """The frame if it is known to be plain; ``None``: decode it."""
        start = text.rfind(_ID) + len(_ID)
        end = text.find("\\", start)
        is_customers = self._tails.get(text[end:])
        if (
            is_customers is None
            or not text.startswith(_HEAD)
            or not text.startswith(_TIME_ENDS, _TIME.stop - 1)
            or _METADATA in text
        ):
            return None
        frame = ChatFrame(text)
        frame.id = text[start:end]
        frame.instant = text[_TIME]
        frame.is_customers = is_customers
        return frame

    def learn(self, text: str, item: Item) -> None:
        """Remember the end of a decoded frame if frames like it are plain."""
        start = text.rfind(_ID) + len(_ID)
        end = start + len(item.id)
        if (
            item.type == ItemType.MESSAGE
            and item.id
            and item.wire.keys() <= _PLAIN_MEMBERS
            and text.startswith(item.id + "\\", start)
            and text[_TIME] == item.absolute_time
        ):
            if len(self._tails) >= MOST_TAILS:
                self._tails.clear()
            self._tails[text[end:]] = item.participant_role == ParticipantRole.CUSTOMER


def item_of(content: object) -> Item:
    """The item that a frame's ``content`` spells, or is.

    Raises:
        ValueError: none.
    """
    inner = decoded(content) if isinstance(content, str) else content
    if not isinstance(inner, dict):
        raise ValueError("no item in the frame")
    return Item(inner)


def decoded(text: str) -> Any:
    """As `json.loads`, at half its price.

    Raises:
        ValueError: no JSON, or nested too deeply.
    """
    try:
        return from_json(text)
    except ValueError:  # half a surrogate pair, which Python's reader takes; or no JSON
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None
