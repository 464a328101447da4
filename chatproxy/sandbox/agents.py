"""Which chats wait for a person, and which have one: the desk between the bot and the console.

The bot asks for a person here, the console's page picks chats up here. What the desk knows of a
chat lies in the chat's own ``notes``, so it is gone when the chat is. It says nothing itself;
joining and leaving are events of the service, made by ``center``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from chatproxy.sandbox.center import Center, Observer
from chatproxy.sandbox.contacts import Contact, Item, Participant
from chatproxy.upstream.vocabulary import EventType, ItemType, ParticipantRole

DEFAULT_NAME = "Ann"
DISPLAY_NAME_MAX = 60

Listener = Callable[[Contact | None], None]


class State(StrEnum):
    """Where a chat stands, as an agent sees it."""

    STARTING = "starting"  # no connection yet; nothing to do for anybody
    UNATTENDED = "bot"  # with the bot, or with whoever the control API brought in
    WAITING = "waiting"
    OPEN = "open"
    ENDED = "ended"


@dataclass
class Seat:
    """What the desk remembers of one chat.

    Attributes:
        waiting_since: Epoch seconds since when it waits for a person, else None.
        agent: Who took it at the console; stays after they left, so that their lines are known.
        since: When the state last changed.
        seen: Number of the customer's lines the agent has read.
    """

    waiting_since: float | None = None
    agent: Participant | None = None
    since: float = 0.0
    seen: int = 0


class AgentDesk(Observer):
    """Queue and open chats of the one agent who sits at the console."""

    def __init__(self, center: Center) -> None:
        self.center = center
        self.name = DEFAULT_NAME
        self._listeners: list[Listener] = []
        center.observe(self)

    # Reading

    def seat(self, contact: Contact) -> Seat:
        """The desk's note on this chat, made on first use."""
        known = contact.notes.get("seat")
        if not isinstance(known, Seat):
            known = contact.notes["seat"] = Seat(since=contact.connected_at or contact.started_at)
        return known

    def state(self, contact: Contact) -> State:
        """Where the chat stands."""
        seat = self.seat(contact)
        if contact.is_over:
            return State.ENDED
        if self.agent_in(contact) is not None:
            return State.OPEN
        if seat.waiting_since is not None:
            return State.WAITING
        return State.STARTING if contact.connected_at is None else State.UNATTENDED

    def agent_in(self, contact: Contact) -> Participant | None:
        """The console's agent, if they are in this chat now."""
        agent = self.seat(contact).agent
        return agent if agent is not None and agent.is_active else None

    def unread(self, contact: Contact) -> int:
        """How many of the customer's lines nobody at the console has read."""
        return max(0, _customer_lines(contact) - self.seat(contact).seen)

    # Doing

    def request(self, contact: Contact) -> None:
        """Put a chat into the queue, once."""
        seat = self.seat(contact)
        if seat.waiting_since is None and self.agent_in(contact) is None:
            seat.waiting_since = seat.since = self.center.clock.now()
            self._changed(contact)

    def withdraw(self, contact: Contact) -> None:
        """Take a chat out of the queue: the customer would rather not wait."""
        seat = self.seat(contact)
        if seat.waiting_since is not None:
            seat.waiting_since, seat.since = None, self.center.clock.now()
            self._changed(contact)

    def accept(self, contact: Contact) -> Participant:
        """The agent joins, from the queue or straight from the bot; joined already is fine.

        Raises:
            ContactOver: the chat has ended.
        """
        seat = self.seat(contact)
        agent = self.agent_in(contact)
        if agent is None:
            # Noted before it is announced: whoever hears the event already sees an open chat.
            agent = self.center.join(contact, ParticipantRole.AGENT, self.name, announce=False)
            seat.agent, seat.waiting_since, seat.since = agent, None, self.center.clock.now()
            self.center.post_event(contact, EventType.PARTICIPANT_JOINED, agent)
            self._changed(contact)
        return agent

    def hand_back(self, contact: Contact, *, to_queue: bool) -> None:
        """The agent leaves and the chat goes on: in the queue, or with the bot."""
        agent = self.agent_in(contact)
        if agent is None:
            return
        seat = self.seat(contact)
        now = self.center.clock.now()
        # In the queue before the agent is out, so that the bot does not think it is its turn.
        seat.waiting_since, seat.since = (now if to_queue else None), now
        self.center.leave(contact, agent)
        self._changed(contact)

    def end(self, contact: Contact) -> None:
        """The agent ends the chat for everybody."""
        agent = self.agent_in(contact)
        if agent is not None:
            self.center.leave(contact, agent)
        self.center.end(contact, ended_by="agent")

    def mark_read(self, contact: Contact) -> None:
        """All the customer has said so far has been read."""
        self.seat(contact).seen = _customer_lines(contact)
        self._changed(contact)

    def rename(self, name: str) -> None:
        """Change the agent's display name, in open chats from their next line on."""
        self.name = name.strip()[:DISPLAY_NAME_MAX] or DEFAULT_NAME
        for contact in self.center.live_contacts():
            agent = self.agent_in(contact)
            if agent is not None:
                agent.display_name = self.name
        self._changed(None)

    # Telling

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` called with each chat that changes; with None when everything did."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    def clear(self) -> None:
        """As fresh as started. The chats and their notes are the center's to forget."""
        self.name = DEFAULT_NAME
        self._changed(None)

    def _changed(self, contact: Contact | None) -> None:
        for listener in tuple(self._listeners):
            listener(contact)

    # Observing

    def on_contact_started(self, contact: Contact) -> None:
        self._changed(contact)

    def on_customer_connected(self, contact: Contact) -> None:
        self.seat(contact).since = self.center.clock.now()
        if not self.center.options.bot:
            self.request(contact)
        self._changed(contact)

    def on_item(self, contact: Contact, item: Item) -> None:
        if item.type != ItemType.EVENT or item.content_type in _KEPT_IN_VIEW:
            self._changed(contact)

    def on_participant_left(self, contact: Contact, participant: Participant) -> None:
        if participant is self.seat(contact).agent:
            self._changed(contact)

    def on_contact_ended(self, contact: Contact) -> None:
        seat = self.seat(contact)
        seat.waiting_since, seat.since = None, self.center.clock.now()
        self._changed(contact)


_KEPT_IN_VIEW = frozenset({EventType.PARTICIPANT_DISPLAYNAME_UPDATED, EventType.TRANSFER_SUCCEEDED})


def lines(contact: Contact) -> Iterator[Item]:
    """What people said and sent, newest first; events left out."""
    return (item for item in reversed(contact.items) if item.type != ItemType.EVENT)


def _customer_lines(contact: Contact) -> int:
    return sum(1 for item in lines(contact) if item.speaker is contact.customer)
