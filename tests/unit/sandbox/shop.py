"""A sandbox without a wire, for the bot's tests: one customer, and a clock moved by hand."""

from typing import Any

from chatproxy.sandbox.agents import AgentDesk
from chatproxy.sandbox.bot import Bot
from chatproxy.sandbox.center import Center, Observer
from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.contacts import Contact, Item, Participant, Wire
from chatproxy.sandbox.options import Options
from chatproxy.upstream.vocabulary import (
    EventType,
    ItemType,
    MessageType,
    ParticipantRole,
    ResponseMode,
)


class Ears(Observer):
    """What the customer's sockets get."""

    def __init__(self) -> None:
        self.frames: list[Wire] = []

    def on_frame(self, contact: Contact, frame: Wire) -> None:
        self.frames.append(frame)


class Shop:
    """A sandbox without a wire, its clock moved by hand, and one customer in it."""

    def __init__(self, **changes: Any) -> None:
        self.clock = Clock(wall=lambda: 1_767_000_000.0)
        options = Options()
        options.update({"bot_delay_s": 0.0} | changes)
        self.center = Center(options, self.clock)
        self.ears = Ears()
        self.center.observe(self.ears)
        self.desk = AgentDesk(self.center)
        self.bot = Bot(self.center, self.desk)
        now = self.clock.now()
        self.contact = Contact(
            instance_id="i",
            contact_flow_id="f",
            customer=Participant(ParticipantRole.CUSTOMER, "Jane"),
            started_at=now,
            ends_at=now + 90_000,
            content_types=frozenset({MessageType.PLAIN, MessageType.MARKDOWN}),
            response_mode=ResponseMode.INCREMENTAL,
        )

    def open(self, first: tuple[str, str] | None = None) -> "Shop":
        self.center.start(self.contact, first)
        self.center.customer_connected(self.contact)
        self.settle()
        return self

    def settle(self, seconds: float = 1.0) -> None:
        """Let everything happen that is due within ``seconds``."""
        self.clock.advance(seconds)

    def write(self, text: str, content_type: str = MessageType.PLAIN) -> list[Item]:
        """Say ``text`` as the customer and return what was kept after it."""
        self.ears.frames.clear()
        before = len(self.contact.items) + 1
        self.center.post_message(self.contact, self.contact.customer, text, content_type)
        self.settle()
        return self.contact.items[before:]

    def answer(self, text: str, content_type: str = MessageType.PLAIN) -> Item:
        answers = self.write(text, content_type)
        assert len(answers) == 1
        return answers[0]

    def events(self) -> list[str]:
        """Content types of the events heard since the last line, typing left out."""
        return [
            frame["ContentType"]
            for frame in self.ears.frames
            if frame["Type"] == ItemType.EVENT and frame["ContentType"] != EventType.TYPING
        ]
