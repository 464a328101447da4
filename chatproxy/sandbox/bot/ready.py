"""Ready-made messages for the agent console's menu: anybody may send them, nobody answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from chatproxy.sandbox.bot import samples, texts
from chatproxy.sandbox.bot.paper import one_page_pdf
from chatproxy.sandbox.bot.words import pieces
from chatproxy.sandbox.center import Center, ContactOver
from chatproxy.sandbox.contacts import Contact, Participant, json_content, new_id
from chatproxy.upstream.vocabulary import EventType, MessageType, ParticipantRole

PIECE_PAUSE_S = 0.12

Sender = Callable[[Center, Contact, Participant], None]


@dataclass(frozen=True)
class Ready:
    """One entry of the menu.

    Attributes:
        word: Its id; the bot's word for the same thing.
        label: What people call it.
        hint: What the customer sees.
        send: Says it in a chat, as a participant.
    """

    word: str
    label: str
    hint: str
    send: Sender


@dataclass(frozen=True)
class Group:
    """Entries that belong together, under one heading."""

    label: str
    entries: Sequence[Ready]


def _interactive(build: Callable[[samples.Context], samples.Template]) -> Sender:
    def say(center: Center, contact: Contact, sender: Participant) -> None:
        template = build(samples.context(center))
        center.post_message(contact, sender, json_content(template), MessageType.INTERACTIVE)

    return say


def _view(center: Center, contact: Contact, sender: Participant) -> None:
    content = json_content(samples.new_view(center))
    center.post_message(contact, sender, content, MessageType.INTERACTIVE)


def _text(content: str, content_type: MessageType) -> Sender:
    def say(center: Center, contact: Contact, sender: Participant) -> None:
        center.post_message(contact, sender, content, content_type)

    return say


def _pages(context: samples.Context) -> samples.Template:
    return samples.paged_list(context, new_id())


def _invoice(center: Center, contact: Contact, sender: Participant) -> None:
    document = one_page_pdf(texts.INVOICE_LINES)
    center.attach(contact, sender, texts.INVOICE_NAME, "application/pdf", document)


def _stream(center: Center, contact: Contact, sender: Participant) -> None:
    """In pieces, and by the bot: the service streams nobody else."""
    del sender
    voice = _system(center, contact)
    answer = center.stream(contact, voice)
    left = iter(pieces(texts.STREAMED))

    def go_on() -> None:
        piece = next(left, None)
        try:
            if piece is None:
                answer.finish()
                return
            answer.chunk(piece)
        except ContactOver:
            return
        center.clock.call_later(PIECE_PAUSE_S, go_on)

    go_on()


def _event(event: EventType) -> Sender:
    """An event about the customer, which the service would send by itself."""

    def tell(center: Center, contact: Contact, sender: Participant) -> None:
        del sender
        center.post_event(contact, event, contact.customer)

    return tell


def _sign_in(center: Center, contact: Contact, sender: Participant) -> None:
    del sender
    center.begin_authentication(contact)


_INTERACTIVE = Group(
    "Interactive",
    (
        Ready("quick", "Quick replies", "Two to five buttons", _interactive(samples.quick_reply)),
        Ready("list", "List picker", "Choices with pictures", _interactive(samples.list_picker)),
        Ready("panel", "Panel", "Short choices, one picture", _interactive(samples.panel)),
        Ready("time", "Time picker", "Appointments", _interactive(samples.time_picker)),
        Ready("carousel", "Carousel", "Cards side by side", _interactive(samples.carousel)),
        Ready("pages", "Paged list", "Goes on with Show more", _interactive(_pages)),
        Ready("view", "Form", "A view to fill in", _view),
    ),
)
_TEXTS_AND_FILES = Group(
    "Text and files",
    (
        Ready(
            "markdown",
            "Markdown",
            "Bold, links, lists",
            _text(texts.MARKDOWN, MessageType.MARKDOWN),
        ),
        Ready("stream", "Streamed answer", "By the bot, piece by piece", _stream),
        Ready(
            "json",
            "JSON",
            "For the customer's app",
            _text(json_content(texts.JSON), MessageType.JSON),
        ),
        Ready("file", "Invoice", "A PDF to open", _invoice),
    ),
)
_SERVICE = Group(
    "Service",
    (
        Ready("signin", "Ask to sign in", "authentication.initiated", _sign_in),
        Ready("idle", "Customer is idle", "participant.idle", _event(EventType.PARTICIPANT_IDLE)),
        Ready(
            "returned",
            "Customer is back",
            "participant.returned",
            _event(EventType.PARTICIPANT_RETURNED),
        ),
    ),
)

MENU: Sequence[Group] = (_INTERACTIVE, _TEXTS_AND_FILES, _SERVICE)

BY_WORD: Mapping[str, Ready] = MappingProxyType(
    {entry.word: entry for group in MENU for entry in group.entries}
)


def _system(center: Center, contact: Contact) -> Participant:
    """The bot's own voice, if it has spoken here, else a new one."""
    speaking = contact.active_participants(ParticipantRole.SYSTEM)
    return (
        speaking[0]
        if speaking
        else center.join(contact, ParticipantRole.SYSTEM, "BOT", announce=False)
    )
