"""The words the bot listens to, each with its script: ``WORDS``, which ``help`` lists."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chatproxy.sandbox.bot import samples, texts
from chatproxy.sandbox.bot.conversation import Conversation, Script
from chatproxy.sandbox.bot.paper import one_page_pdf
from chatproxy.sandbox.contacts import new_id
from chatproxy.upstream.vocabulary import EventType, MessageType

SIGN_IN_WITHIN_S = 180.0


@dataclass(frozen=True)
class Word:
    """One thing the bot can show.

    Attributes:
        word: What the customer writes.
        shows: What comes then, for ``help``.
        script: Takes the chat and what followed the word on its line.
    """

    word: str
    shows: str
    script: Callable[[Conversation, str], Script]


def _help(chat: Conversation, rest: str) -> Script:
    del rest
    formatted = MessageType.MARKDOWN in chat.contact.content_types
    lines = [
        f"* **{each.word}**: {each.shows}" if formatted else f"{each.word}: {each.shows}"
        for each in WORDS
    ]
    text = "\n".join(["I can show you:", *lines])
    yield from chat.say(text, MessageType.MARKDOWN if formatted else MessageType.PLAIN)


def _interactive(build: Callable[[samples.Context], samples.Template]) -> Callable[..., Script]:
    def script(chat: Conversation, rest: str) -> Script:
        del rest
        yield from chat.ask(build(samples.context(chat.center)))

    return script


def _pages(chat: Conversation, rest: str) -> Script:
    del rest
    yield from chat.ask(samples.paged_list(samples.context(chat.center), new_id()))


def _view(chat: Conversation, rest: str) -> Script:
    del rest
    yield from chat.ask(samples.new_view(chat.center))


def _markdown(chat: Conversation, rest: str) -> Script:
    del rest
    yield from chat.say(texts.MARKDOWN, MessageType.MARKDOWN)


def _json(chat: Conversation, rest: str) -> Script:
    del rest
    yield from chat.say_json(texts.JSON)


def _file(chat: Conversation, rest: str) -> Script:
    del rest
    yield from chat.say("Here is your invoice.")
    yield 1.0
    document = one_page_pdf(texts.INVOICE_LINES)
    name = texts.INVOICE_NAME
    chat.center.attach(chat.contact, chat.voice, name, "application/pdf", document)


def stream(chat: Conversation, rest: str) -> Script:
    """An answer in pieces; contacts that did not ask for INCREMENTAL get it whole, at the end."""
    del rest
    chat.center.typing(chat.contact, chat.voice)
    yield 1.0
    answer = chat.center.stream(chat.contact, chat.voice)
    for piece in pieces(texts.STREAMED):
        answer.chunk(piece)
        yield 0.15
    answer.finish()


def _idle(chat: Conversation, rest: str) -> Script:
    """The three idle events, as if the customer's timers had run; nobody is thrown out."""
    del rest
    center, contact = chat.center, chat.contact
    for event in (
        EventType.PARTICIPANT_IDLE,
        EventType.PARTICIPANT_RETURNED,
        EventType.PARTICIPANT_IDLE,
        EventType.PARTICIPANT_AUTODISCONNECTION,
    ):
        center.post_event(contact, event, contact.customer)
        yield 2.0
    yield from chat.say("You were idle, came back, were idle again, and ran out of time.")


_OUTCOMES = {
    "ok": EventType.AUTHENTICATION_SUCCEEDED,
    "fail": EventType.AUTHENTICATION_FAILED,
    "timeout": EventType.AUTHENTICATION_TIMEOUT,
    "expire": EventType.AUTHENTICATION_EXPIRED,
    "cancel": EventType.AUTHENTICATION_CANCELLED,
}


def _sign_in(chat: Conversation, rest: str) -> Script:
    """Ask for a sign-in; with an outcome after the word, play that as well."""
    outcome = _OUTCOMES.get(rest.strip().lower())
    if outcome is None or chat.sign_in is None:
        yield from chat.say(texts.SIGN_IN)
        chat.sign_in = chat.center.begin_authentication(chat.contact)
        _give_up_later(chat, chat.sign_in)
    if outcome is not None:
        yield 1.0
        session_id, chat.sign_in = chat.sign_in, None
        chat.center.finish_authentication(chat.contact, session_id, outcome)


def _give_up_later(chat: Conversation, session_id: str) -> None:
    """The flow does not wait for ever: without an outcome, the sign-in times out."""
    center, contact = chat.center, chat.contact

    def give_up() -> None:
        if not contact.is_over:
            center.finish_authentication(contact, session_id, EventType.AUTHENTICATION_TIMEOUT)

    center.clock.call_later(SIGN_IN_WITHIN_S, give_up)


def agent(chat: Conversation, rest: str) -> Script:
    """Put the customer in line for a person, and say so once more when nobody comes."""
    del rest
    yield from chat.say(texts.LOOKING_FOR_AGENT)
    chat.desk.request(chat.contact)


def leave_queue(chat: Conversation) -> Script:
    """The customer would rather go on with the bot."""
    chat.desk.withdraw(chat.contact)
    yield from chat.say(texts.NO_LONGER_LOOKING)


def _end(chat: Conversation, rest: str) -> Script:
    del rest
    yield from chat.say(texts.GOODBYE.format(name=chat.customer_name))
    yield 1.0
    chat.center.end(chat.contact, ended_by="system")


WORDS: Sequence[Word] = (
    Word("help", "this list", _help),
    Word("list", "a list picker", _interactive(samples.list_picker)),
    Word("time", "a time picker", _interactive(samples.time_picker)),
    Word("panel", "a panel", _interactive(samples.panel)),
    Word("quick", "quick replies", _interactive(samples.quick_reply)),
    Word("carousel", "a carousel", _interactive(samples.carousel)),
    Word("pages", "a list that is leafed through", _pages),
    Word("view", "a form (ViewResource)", _view),
    Word("markdown", "formatted text", _markdown),
    Word("json", "a JSON message", _json),
    Word("file", "an attachment", _file),
    Word("stream", "an answer that arrives word by word", stream),
    Word("idle", "the idle events", _idle),
    Word("signin", "a request to sign in", _sign_in),
    Word("agent", "a person, if there is one", agent),
    Word("end", "the end of this chat", _end),
)

_BY_WORD = {each.word: each for each in WORDS}


def spoken(text: str) -> tuple[Word, str] | None:
    """The word ``text`` begins with and what follows it. Only signin takes anything after it."""
    first, _, rest = text.strip().partition(" ")
    word = _BY_WORD.get(first.lower().rstrip(".!?"))
    if word is None or (rest and word.word != "signin"):
        return None
    return word, rest


def pieces(text: str) -> Iterator[str]:
    """``text`` in deltas of two words."""
    words = text.split(" ")
    for start in range(0, len(words), 2):
        yield (" " if start else "") + " ".join(words[start : start + 2])
