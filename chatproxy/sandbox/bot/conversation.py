"""One chat as the bot's scripts see it: who they speak as, and how they say things."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

from chatproxy.sandbox.agents import AgentDesk
from chatproxy.sandbox.bot import samples
from chatproxy.sandbox.center import Center
from chatproxy.sandbox.contacts import Contact, Participant, json_content
from chatproxy.upstream.vocabulary import MessageType

Script = Generator[float, None, None]
"""Does something between yields; what it yields is a pause, in units of the bot's delay."""


@dataclass
class Conversation:
    """What a script needs of a chat.

    Attributes:
        voice: The SYSTEM participant the bot speaks as.
        asked: The choices offered last, so that a picked title is told from free text.
        sign_in: SessionId of the sign-in the bot asked for last.
    """

    center: Center
    desk: AgentDesk
    contact: Contact
    voice: Participant
    asked: set[str] = field(default_factory=set)
    sign_in: str | None = None

    @property
    def customer_name(self) -> str:
        return self.contact.customer.display_name

    def say(self, text: str, content_type: MessageType = MessageType.PLAIN) -> Script:
        """Type for a moment, then say ``text``."""
        self.center.typing(self.contact, self.voice)
        yield 1.0
        self.center.post_message(self.contact, self.voice, text, content_type)

    def say_json(self, value: dict[str, Any]) -> Script:
        """Say an application/json message."""
        yield from self.say(json_content(value), MessageType.JSON)

    def ask(self, template: samples.Template) -> Script:
        """Show an interactive message and remember its choices."""
        yield from self.say(json_content(template), MessageType.INTERACTIVE)
        self.asked = set(samples.choices(template))
