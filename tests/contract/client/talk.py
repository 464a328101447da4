"""What tests of our own upstream client say, and where they hear it."""

import time
from collections.abc import Callable
from typing import TypeVar

import pytest
from websockets.sync.client import ClientConnection

from chatproxy.upstream.inputs import OutgoingMessage
from chatproxy.upstream.items import Item
from chatproxy.upstream.topics import ChatFrame, TopicsProtocol
from chatproxy.upstream.vocabulary import MessageType

INSTANCE, FLOW = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
EVERY_TYPE = tuple(MessageType)
T = TypeVar("T")


class Socket:
    """One upstream socket, driven by `TopicsProtocol`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.protocol = TopicsProtocol()
        self.events: list[object] = []
        for text in self.protocol.opening():
            connection.send(text)
        self.until(lambda: self.protocol.is_subscribed)

    @property
    def items(self) -> list[Item]:
        return [event.item for event in self.events if isinstance(event, ChatFrame)]

    def until(self, found: Callable[[], T]) -> T:
        """Read on until ``found()`` gives something."""
        deadline = time.monotonic() + 10
        while not (result := found()):
            text = self.connection.recv(timeout=max(0.0, deadline - time.monotonic()))
            assert isinstance(text, str)
            self.events.append(self.protocol.receive(text.encode()))
        return result

    def item(self, content_type: str) -> Item:
        """The first item of that content type, or of that Type."""
        return self.until(
            lambda: next((i for i in self.items if content_type in (i.content_type, i.type)), None)
        )


WITH_BOT = pytest.mark.parametrize("bot", [True], ids=["with bot"])


def words(text: str) -> OutgoingMessage:
    return OutgoingMessage(MessageType.PLAIN, text)
