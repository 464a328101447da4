"""One ``aws/chat`` frame, and what its text tells without being decoded.

Decoding two JSON documents costs more than all else a frame needs on its way to a browser, and most
frames are one new message, passed on as it came. Such *plain* frames are known by their spelling.
"""

import json
from typing import Any, Final

from pydantic_core import from_json, to_json

from chatproxy.upstream.items import Item
from chatproxy.upstream.vocabulary import ItemType, ParticipantRole

# Members of the inner document, as they stand in the outer one. Nothing that people write can look
# like that: its quotes are escaped once more.
_HEAD: Final = rb'{"content":"{\"AbsoluteTime\":\"'
_ID: Final = rb"\"Id\":\""
_METADATA: Final = rb"\"MessageMetadata\""
_FILES: Final = rb"\"Attachments\""
_TIME: Final = slice(len(_HEAD), len(_HEAD) + len("2000-01-01T00:00:00.000Z"))
_TIME_ENDS: Final = rb"Z\","
_TIME_END: Final = _TIME.stop - 1
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
_BEFORE_ID: Final = ["AbsoluteTime", "Content", "ContentType", "Id"]
MOST_TAILS: Final = 16
ID_MAX: Final = 256


class ChatFrame:
    """A frame: its text as it came, and the item inside, decoded when first asked for.

    Attributes:
        payload: As it came, UTF-8; JSON and nothing behind it.
        id: The item's ``Id`` if the frame is plain, else "".
        instant: Its ``AbsoluteTime`` if it is plain, else empty.
        is_customers: It is plain, and the customer's.
    """

    __slots__ = ("_item", "id", "instant", "is_customers", "payload")

    def __init__(self, payload: bytes, item: Item | None = None) -> None:
        self.payload = payload
        self.id = ""
        self.instant = b""
        self.is_customers = False
        self._item = item

    @property
    def item(self) -> Item:
        """The item inside.

        Raises:
            ValueError: there is none; only of a frame that looked plain.
        """
        if self._item is None:
            self._item = self.peek()
        return self._item

    def peek(self) -> Item:
        """The item inside, not kept if it has not been: decoded, it takes several times the memory.

        Raises:
            ValueError: as ``item``.
        """
        if self._item is None:
            return item_of(decoded(self.payload).get("content"))
        return self._item

    def __repr__(self) -> str:
        return f"<ChatFrame {self.id or self._item!r}>"


class PlainFrames:
    """Knows the plain frames of one socket: a message in its only form, without files or metadata.

    What one participant says in a chat differs in time, content and Id only, so whatever follows
    the Id is the same text each time. It is learned from a frame that was decoded; a frame with the
    same end, which starts as the service's frames do, is not decoded. Nothing that tells one kind
    of item from another may stand before the Id, where it is not looked at.
    """

    __slots__ = ("_tails",)

    def __init__(self) -> None:
        self._tails: list[tuple[bytes, bool]] = []

    def read(self, payload: bytes) -> ChatFrame | None:
        """The frame if it is known to be plain; ``None``: decode it."""
        for tail, is_customers in self._tails:
            if payload.endswith(tail):
                return self._read(payload, len(payload) - len(tail), is_customers)
        return None

    def _read(self, payload: bytes, end: int, is_customers: bool) -> ChatFrame | None:
        start = payload.rfind(_ID, max(0, end - ID_MAX), end) + len(_ID)
        if (
            not len(_ID) <= start < end
            or payload.find(b"\\", start) != end
            or not payload.startswith(_HEAD)
            or not payload.startswith(_TIME_ENDS, _TIME_END)
            or payload.find(_METADATA, _TIME_END, start) >= 0
            or payload.find(_FILES, _TIME_END, start) >= 0
            or not (payload.isascii() or _is_utf8(payload))
        ):
            return None
        frame = ChatFrame(payload)
        frame.id = payload[start:end].decode()
        frame.instant = payload[_TIME]
        frame.is_customers = is_customers
        return frame

    def learn(self, payload: bytes, item: Item) -> None:
        """Remember the end of a decoded frame if frames like it are plain."""
        if item.type != ItemType.MESSAGE or not item.wire.keys() <= _PLAIN_MEMBERS:
            return
        item_id = item.id.encode("utf-8", "surrogatepass")
        start = payload.rfind(_ID) + len(_ID)
        end = start + len(item_id)
        if (
            item_id
            and list(item.wire)[: len(_BEFORE_ID)] == _BEFORE_ID
            and payload.startswith(item_id + b"\\", start)
            and payload.endswith(b"}")
            and payload[_TIME] == item.absolute_time.encode("utf-8", "surrogatepass")
        ):
            tail = (payload[end:], item.participant_role == ParticipantRole.CUSTOMER)
            if tail not in self._tails:
                # The newest first: who has just spoken goes on.
                self._tails = [tail, *self._tails[: MOST_TAILS - 1]]


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True


def item_of(content: object) -> Item:
    """The item that a frame's ``content`` spells, or is.

    Raises:
        ValueError: none.
    """
    inner = decoded(content) if isinstance(content, str) else content
    if not isinstance(inner, dict):
        raise ValueError("no item in the frame")
    return Item(inner)


def decoded(text: str | bytes) -> Any:
    """As `json.loads`, at half its price.

    Raises:
        ValueError: no JSON, or nested too deeply.
    """
    try:
        return from_json(text)
    except (ValueError, TypeError):
        # Half a surrogate pair, which Python's own reader takes; or no JSON.
        try:
            return json.loads(text)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def encoded(wire: dict[str, Any]) -> bytes:
    """As `json.dumps`, at a third of its price.

    Raises:
        TypeError, ValueError: not what JSON can hold.
    """
    try:
        return to_json(wire, inf_nan_mode="constants")
    except ValueError:  # half a surrogate pair, which Python's writer escapes; or no JSON
        return json.dumps(wire).encode()
