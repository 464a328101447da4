"""The service's secrets, as values that do not show themselves.

A token or websocket URL prints as its class and a fingerprint, whatever prints it: ``repr``,
``str``, an f-string, a log record, ``json.dumps(default=str)``. Pickling is refused, so that none
ends up in a cache or a task queue by accident; whoever stores one seals what ``reveal()`` gives.
"""

import hashlib
import hmac
from typing import NoReturn, Self, SupportsIndex
from urllib.parse import urlsplit

FINGERPRINT_LENGTH = 8


class Secret:
    """One string that only ``reveal()`` gives away. Immutable; equal to its own kind only.

    Raises:
        ValueError: when empty, or not printable ASCII, which a header could not carry.
    """

    __slots__ = ("__value",)
    __value: str

    def __init__(self, value: str) -> None:
        if not value or not (value.isascii() and value.isprintable()):
            raise ValueError(f"a {type(self).__name__} is a non-empty printable ASCII string")
        object.__setattr__(self, "_Secret__value", value)

    def reveal(self) -> str:
        """The secret itself: for a header, a socket's address or the vault, nowhere else."""
        return self.__value

    @property
    def fingerprint(self) -> str:
        """Eight hexadecimal digits by which people tell two secrets apart."""
        return hashlib.sha256(self.__value.encode()).hexdigest()[:FINGERPRINT_LENGTH]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.fingerprint}>"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        return format(repr(self), spec)

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return hmac.compare_digest(self.__value, other.reveal())

    def __hash__(self) -> int:
        return hash((type(self), self.__value))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} does not change")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} is not to be pickled")


class ParticipantToken(Secret):
    """From StartChatContact; buys connections for as long as the participant is in the chat."""

    __slots__ = ()


class ConnectionToken(Secret):
    """From CreateParticipantConnection; opens the other ten operations, for about a day."""

    __slots__ = ()


class WebsocketUrl(Secret):
    """Where a link dials: presigned, to be used once, within 100 s."""

    __slots__ = ()

    @property
    def host(self) -> str:
        """Host, with the port if one is given: what a pinned list is compared with."""
        return urlsplit(self.reveal()).netloc.rpartition("@")[2].lower()

    @property
    def scheme(self) -> str:
        """``wss``, or ``ws`` when talking to a sandbox."""
        return urlsplit(self.reveal()).scheme
