"""The bot as an observer of the center: which script runs in which chat, and when it goes on.

One script at a time per chat, in the order of the customer's lines. It falls silent as soon as a
person is in the chat, while the customer waits for one, and while ``options.bot`` is off.
"""

from collections import deque
from dataclasses import dataclass, field

from chatproxy.sandbox.agents import AgentDesk, State
from chatproxy.sandbox.bot import answers, texts, words
from chatproxy.sandbox.bot.conversation import Conversation, Script
from chatproxy.sandbox.center import Center, ContactOver, Observer
from chatproxy.sandbox.contacts import Authentication, Contact, Item, Participant
from chatproxy.upstream.vocabulary import AttachmentStatus, ItemType, MessageType, ParticipantRole

NAME = "BOT"


@dataclass
class _Stage:
    """A chat's scripts: the first runs, the others wait for it."""

    chat: Conversation
    scripts: deque[Script] = field(default_factory=deque)
    is_resuming: bool = False


class Bot(Observer):
    """Answers every chat that no person answers."""

    def __init__(self, center: Center, desk: AgentDesk) -> None:
        self.center = center
        self.desk = desk
        center.observe(self)

    # Observing

    def on_customer_connected(self, contact: Contact) -> None:
        if not self.center.options.bot:
            return
        stage = self._stage(contact)
        greeting = texts.GREETING.format(name=contact.customer.display_name)
        self._play(stage, stage.chat.say(greeting))
        # What the customer said at the start was said before anybody could hear it.
        for item in list(contact.items):
            if item.type == ItemType.MESSAGE and item.speaker is contact.customer:
                self._hear(contact, item)

    def on_item(self, contact: Contact, item: Item) -> None:
        if item.speaker is contact.customer and contact.connected_at is not None:
            self._hear(contact, item)

    def on_authentication(self, contact: Contact, authentication: Authentication) -> None:
        if authentication.outcome is not None and self._is_on(contact):
            stage = self._stage(contact)
            stage.chat.sign_in = None
            self._play(stage, answers.to_sign_in(stage.chat, authentication.outcome))

    def on_participant_left(self, contact: Contact, participant: Participant) -> None:
        if participant.role == ParticipantRole.AGENT and self._is_on(contact):
            stage = self._stage(contact)
            self._play(stage, stage.chat.say(texts.RETURNED))

    # Deciding

    def _is_on(self, contact: Contact) -> bool:
        """Whether it is the bot's turn: nobody else's, and the customer is there."""
        return (
            self.center.options.bot
            and contact.customer.is_active
            and self.desk.state(contact) is State.UNATTENDED
            and not contact.active_participants(ParticipantRole.AGENT, ParticipantRole.CUSTOM_BOT)
        )

    def _hear(self, contact: Contact, item: Item) -> None:
        if self._wants_bot_back(contact, item):
            stage = self._stage(contact)
            self._play(stage, words.leave_queue(stage.chat))
        elif self._is_on(contact):
            stage = self._stage(contact)
            script = self._script_for(stage.chat, item)
            if script is not None:
                self._play(stage, script)

    def _script_for(self, chat: Conversation, item: Item) -> Script | None:
        if item.type == ItemType.ATTACHMENT:
            is_scanned = all(
                each.status != AttachmentStatus.IN_PROGRESS for each in item.attachments
            )
            return answers.to_attachment(chat, item) if is_scanned else None
        if item.type != ItemType.MESSAGE or item.processing_status is not None:
            return None
        text = item.content or ""
        if text.strip() == answers.TO_A_PERSON:
            return self._hand_over(chat)
        spoken = words.spoken(text) if item.content_type != MessageType.JSON else None
        if spoken is None:
            return answers.to_message(chat, item)
        word, rest = spoken
        return self._hand_over(chat) if word.word == "agent" else word.script(chat, rest)

    def _wants_bot_back(self, contact: Contact, item: Item) -> bool:
        return (
            self.center.options.bot
            and item.type == ItemType.MESSAGE
            and (item.content or "").strip().lower() == "bot"
            and self.desk.state(contact) is State.WAITING
        )

    def _hand_over(self, chat: Conversation) -> Script:
        yield from words.agent(chat, "")
        contact = chat.contact
        asked_at = self.desk.seat(contact).waiting_since

        def nobody_came() -> None:
            is_same_wait = self.desk.seat(contact).waiting_since == asked_at
            if is_same_wait and self.desk.state(contact) is State.WAITING:
                self._play(self._stage(contact), chat.say(texts.STILL_LOOKING))

        self.center.clock.call_later(self.center.options.agent_patience_s, nobody_came)

    # Playing

    def _stage(self, contact: Contact) -> _Stage:
        known = contact.notes.get("bot")
        if isinstance(known, _Stage):
            return known
        voice = self.center.join(contact, ParticipantRole.SYSTEM, NAME, announce=False)
        stage = _Stage(Conversation(self.center, self.desk, contact, voice))
        contact.notes["bot"] = stage
        return stage

    def _play(self, stage: _Stage, script: Script) -> None:
        stage.scripts.append(script)
        self._resume_later(stage, 0.5)

    def _resume_later(self, stage: _Stage, pause: float) -> None:
        if stage.is_resuming:
            return
        stage.is_resuming = True
        delay_s = pause * self.center.options.bot_delay_s
        self.center.clock.call_later(delay_s, lambda: self._resume(stage))

    def _resume(self, stage: _Stage) -> None:
        """Let the first script go on to its next pause; at its end, the next one's turn."""
        stage.is_resuming = False
        if not stage.scripts:
            return
        if self._is_silenced(stage.chat.contact):
            stage.scripts.clear()
            return
        try:
            pause = next(stage.scripts[0])
        except ContactOver:
            stage.scripts.clear()
        except StopIteration:
            stage.scripts.popleft()
            if stage.scripts:
                self._resume_later(stage, 0.5)
        else:
            self._resume_later(stage, pause)

    def _is_silenced(self, contact: Contact) -> bool:
        """A person took over in the middle of a script, or the customer has gone."""
        return (
            contact.is_over
            or not contact.customer.is_active
            or not self.center.options.bot
            or bool(contact.active_participants(ParticipantRole.AGENT, ParticipantRole.CUSTOM_BOT))
        )
