"""The contact center itself: who talks to whom, what is said, what everybody sees. No wire.

REST, sockets, bot, console and control API are all clients of one ``Center``; it knows none of
them. Everything runs on one event loop and every method is an ordinary call that has taken
effect, frames included, when it returns. So there are no locks, and an observer may call back
in.

**Acting** (bot, console, control API). A participant other than the customer comes from ``join``::

    bot = center.join(contact, ParticipantRole.SYSTEM, "BOT", announce=False)
    agent = center.join(contact, ParticipantRole.AGENT, "Ann")        # posts participant.joined

    center.post_message(contact, agent, "Hello", MessageType.MARKDOWN)      -> Item
    center.post_event(contact, EventType.TRANSFER_FAILED)                   -> Item
    center.typing(contact, agent)
    center.receipt(contact, agent, item.id, is_read=True)
    center.attach(contact, agent, "plan.pdf", "application/pdf", data)      -> Item
    stream = center.stream(contact, bot); stream.chunk("The re"); stream.finish()  -> Item
    center.rename(contact, contact.customer, "Jane")                        displayname.updated
    session_id = center.begin_authentication(contact)                       authentication.initiated
    center.finish_authentication(contact, session_id, EventType.AUTHENTICATION_SUCCEEDED)
    token = center.views.add({...})                                         for DescribeView
    center.transfer(contact)                                                new ContactId, same chat
    center.leave(contact, agent)                                            participant.left
    center.end(contact, ended_by="agent")                                   chat.ended, always last

They raise ``ContactOver`` when the chat has ended. ``center.contacts`` finds a chat by any id
it has had; ``contact.items`` is its transcript, ``contact.notes`` a dict of your own,
``center.clock`` the time and the only source of timers (``center.clock.call_later(seconds,
callback)``).

**Watching.** Subclass ``Observer``, override what you need, ``center.observe(it)``. Hooks run
at once, in the order observers came; one that raises is logged and disturbs nobody.

``chatproxy.sandbox.box.current()`` gives the running box, whose ``.center`` this is.
"""

from collections import deque
from collections.abc import Iterator

from chatproxy.sandbox.clock import Clock
from chatproxy.sandbox.contacts import (
    Attachment,
    Authentication,
    Contact,
    Item,
    Participant,
    Receipt,
    Wire,
    json_content,
    new_id,
)
from chatproxy.sandbox.observer import Announcer, ContactOver, Observer
from chatproxy.sandbox.options import Options
from chatproxy.sandbox.screening import Screening
from chatproxy.sandbox.storage import Files
from chatproxy.sandbox.stream import Stream
from chatproxy.sandbox.tokens import TokenDesk
from chatproxy.sandbox.views import Views
from chatproxy.upstream.vocabulary import (
    KEPT_EVENT_TYPES,
    AttachmentStatus,
    EventType,
    ItemType,
    MessageType,
    ParticipantRole,
)

__all__ = ["Center", "ContactOver", "Observer", "Stream"]


class Center(Announcer):
    """All chats of the sandbox."""

    def __init__(self, options: Options, clock: Clock) -> None:
        super().__init__()
        self.options = options
        self.clock = clock
        self.contacts: dict[str, Contact] = {}
        self.tokens = TokenDesk(options, clock)
        self.files = Files(options, clock)
        self.views = Views()
        # Answers to StartChatContact, by instance and ClientToken.
        self.starts: dict[tuple[str, str], Wire] = {}
        self._screening = Screening(self)
        self._ended: deque[Contact] = deque()

    def live_contacts(self) -> list[Contact]:
        """Chats that have not ended, each once, in the order they started."""
        return [each for each in dict.fromkeys(self.contacts.values()) if not each.is_over]

    def clear(self) -> None:
        """Forget every chat, token, file and view; observers stay."""
        self.contacts.clear()
        self.starts.clear()
        self.tokens.clear()
        self.files.clear()
        self.views.clear()
        self._ended.clear()

    # The life of a contact

    def start(self, contact: Contact, first_message: tuple[str, str] | None = None) -> None:
        """Take in a new contact; ``first_message`` is (content type, content) of InitialMessage."""
        self.contacts[contact.contact_id] = contact
        self.clock.call_later(contact.ends_at - self.clock.now(), lambda: self._expire(contact))
        self.clock.call_later(
            self.options.first_connection_s, lambda: self._expire_unconnected(contact)
        )
        if first_message is not None:
            self.post_message(contact, contact.customer, first_message[1], first_message[0])
        self.tell("on_contact_started", contact)

    def customer_connected(self, contact: Contact) -> None:
        """The customer has a live connection. The first time, the flow starts."""
        if contact.connected_at is not None or contact.is_over:
            return
        contact.connected_at = self.clock.now()
        contact.customer.joined_at = contact.connected_at
        self.post_event(contact, EventType.PARTICIPANT_JOINED, contact.customer)
        if contact.past:
            self.post_event(contact, EventType.CHAT_REHYDRATED)
        self.tell("on_customer_connected", contact)

    def transfer(self, contact: Contact) -> None:
        """Hand the chat on: a new ContactId, everything else stays."""
        self.post_event(contact, EventType.TRANSFER_SUCCEEDED)
        contact.contact_id = new_id()
        self.contacts[contact.contact_id] = contact

    def end(self, contact: Contact, ended_by: str = "system", *, unseen: bool = False) -> None:
        """End the chat for everybody. ``unseen`` keeps the frame back, as a lost one would be."""
        if contact.is_over:
            return
        for participant in contact.active_participants():
            participant.left_at = self.clock.now()
        item = self.new_item(contact, ItemType.EVENT, None, EventType.CHAT_ENDED)
        self.keep(contact, item)
        contact.ended_at = item.absolute_time
        contact.ended_by = ended_by
        if not unseen:
            self.publish(contact, item)
        self.tell("on_contact_ended", contact)
        self._ended.append(contact)
        while len(self._ended) > self.options.ended_chats_kept:
            self._forget(self._ended.popleft())

    # Participants

    def join(
        self,
        contact: Contact,
        role: ParticipantRole,
        display_name: str,
        *,
        announce: bool = True,
    ) -> Participant:
        """Bring somebody in. ``announce`` posts participant.joined; flow prompts and Lex do not."""
        self.must_live(contact)
        participant = Participant(role, display_name, joined_at=self.clock.now())
        contact.participants[participant.participant_id] = participant
        if announce:
            self.post_event(contact, EventType.PARTICIPANT_JOINED, participant)
        return participant

    def leave(self, contact: Contact, participant: Participant, *, announce: bool = True) -> None:
        """Take somebody out. When it is the customer, the flow's disconnect path begins."""
        self.must_live(contact)
        if participant.left_at is not None:
            return
        participant.left_at = self.clock.now()
        if announce:
            self.post_event(contact, EventType.PARTICIPANT_LEFT, participant)
        self.tell("on_participant_left", contact, participant)
        if participant is contact.customer:
            self._begin_disconnect_flow(contact)

    def rename(self, contact: Contact, participant: Participant, display_name: str) -> None:
        """Change a display name, as the service does after a sign-in."""
        participant.display_name = display_name
        self.post_event(contact, EventType.PARTICIPANT_DISPLAYNAME_UPDATED, participant)

    # What is said

    def post_message(
        self,
        contact: Contact,
        participant: Participant,
        content: str,
        content_type: str = MessageType.PLAIN,
    ) -> Item:
        """Say something; held back first when in-flight processing is on."""
        self.must_live(contact)
        item = self.new_item(contact, ItemType.MESSAGE, participant, content_type, content)
        self.keep(contact, item)
        self._screening.publish(contact, item)
        return item

    def post_event(
        self,
        contact: Contact,
        content_type: EventType,
        participant: Participant | None = None,
        content: str | None = None,
    ) -> Item:
        """Tell everybody of an event; the kinds the service keeps also enter the transcript."""
        self.must_live(contact)
        item = self.new_item(contact, ItemType.EVENT, participant, content_type, content)
        if content_type in KEPT_EVENT_TYPES:
            self.keep(contact, item)
        self.publish(contact, item)
        return item

    def typing(self, contact: Contact, participant: Participant) -> Item:
        return self.post_event(contact, EventType.TYPING, participant)

    def receipt(
        self, contact: Contact, recipient: Participant, message_id: str, *, is_read: bool
    ) -> Receipt:
        """Note that ``recipient`` got or read a message and tell everybody.

        Raises:
            KeyError: no such message in this chat.
        """
        self.must_live(contact)
        item = contact.by_id[message_id]
        receipt = item.receipts.setdefault(
            recipient.participant_id, Receipt(recipient.participant_id)
        )
        now = self.clock.now()
        receipt.delivered_at = receipt.delivered_at or now
        if is_read:
            receipt.read_at = receipt.read_at or now
        self.tell("on_receipt", contact, item, receipt)
        self.emit(contact, item.receipt_frame(receipt, now))
        return receipt

    def stream(self, contact: Contact, participant: Participant) -> Stream:
        """A message told in pieces, for contacts that asked for it; others get it whole."""
        self.must_live(contact)
        return Stream(self, contact, participant)

    def attach(
        self, contact: Contact, participant: Participant, name: str, content_type: str, data: bytes
    ) -> Item:
        """Share a file that is not uploaded over the API (bot, console)."""
        attachment_id = self.files.add(contact.initial_contact_id, name, content_type, data)
        return self.post_attachment(contact, participant, attachment_id)

    def post_attachment(
        self, contact: Contact, participant: Participant, attachment_id: str
    ) -> Item:
        """Share an uploaded file; with a scanner it shows IN_PROGRESS until that is done."""
        self.must_live(contact)
        file = self.files.completed(attachment_id)
        item = self.new_item(contact, ItemType.ATTACHMENT, participant)
        in_progress = AttachmentStatus.IN_PROGRESS
        item.attachments.append(
            Attachment(attachment_id, file.name, file.content_type, in_progress)
        )
        contact.attachments_used += 1
        self.keep(contact, item)
        self._screening.publish(contact, item)
        return item

    # Sign-in

    def begin_authentication(self, contact: Contact) -> str:
        """Ask the customer to sign in; returns the SessionId that GetAuthenticationUrl takes."""
        authentication = Authentication(new_id(), self.clock.now())
        contact.authentications[authentication.session_id] = authentication
        self.post_event(
            contact,
            EventType.AUTHENTICATION_INITIATED,
            self._system(contact),
            json_content({"SessionId": authentication.session_id}),
        )
        return authentication.session_id

    def finish_authentication(
        self, contact: Contact, session_id: str, outcome: EventType
    ) -> Authentication:
        """Give a sign-in its outcome (one of the ``AUTHENTICATION_…`` events), once."""
        authentication = contact.authentications[session_id]
        if authentication.outcome is None:
            authentication.outcome = outcome
            self.post_event(
                contact, outcome, self._system(contact), json_content({"SessionId": session_id})
            )
            self.tell("on_authentication", contact, authentication)
        return authentication

    # Inside

    def new_item(
        self,
        contact: Contact,
        item_type: ItemType,
        speaker: Participant | None,
        content_type: str | None = None,
        content: str | None = None,
    ) -> Item:
        return Item(
            type=item_type,
            absolute_time=self.clock.now(),
            contact_id=contact.contact_id,
            content_type=content_type and str(content_type),
            content=content,
            speaker=speaker,
            display_name=speaker.display_name if speaker else None,
        )

    def keep(self, contact: Contact, item: Item) -> None:
        contact.items.append(item)
        contact.by_id[item.id] = item

    def must_live(self, contact: Contact) -> None:
        if contact.is_over:
            raise ContactOver(contact.contact_id)

    def _system(self, contact: Contact) -> Participant:
        """Who speaks for the service: the first SYSTEM participant, brought in quietly."""
        return next(self._in_role(contact, ParticipantRole.SYSTEM), None) or self.join(
            contact, ParticipantRole.SYSTEM, "SYSTEM_MESSAGE", announce=False
        )

    @staticmethod
    def _in_role(contact: Contact, role: ParticipantRole) -> Iterator[Participant]:
        return (each for each in contact.participants.values() if each.role == role)

    def _forget(self, contact: Contact) -> None:
        self.contacts = {key: each for key, each in self.contacts.items() if each is not contact}
        self.starts = {
            key: each
            for key, each in self.starts.items()
            if each["ContactId"] != contact.initial_contact_id
        }
        self.tokens.forget(contact)
        self.files.forget(contact.initial_contact_id)

    def _expire(self, contact: Contact) -> None:
        self.end(contact, ended_by="expiry")

    def _expire_unconnected(self, contact: Contact) -> None:
        if contact.asked_to_connect_at is None:
            self.end(contact, ended_by="unconnected")

    def _begin_disconnect_flow(self, contact: Contact) -> None:
        if contact.drops_agent_on_exit:
            for agent in contact.active_participants(ParticipantRole.AGENT):
                self.leave(contact, agent)
        self.clock.call_later(
            self.options.disconnect_flow_s, lambda: self.end(contact, ended_by="customer")
        )
