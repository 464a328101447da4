"""What the bot says when the customer picks an option, fills a form, sends a file, or writes."""

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from chatproxy.sandbox.bot import samples
from chatproxy.sandbox.bot.conversation import Conversation, Script
from chatproxy.sandbox.contacts import Item
from chatproxy.upstream.vocabulary import AttachmentStatus, EventType, MessageType

QUOTE_MAX = 800

TO_A_PERSON = "I would like to talk to a person"
"""The option, in the quick replies, that does what the word ``agent`` does."""

_PICKED = MappingProxyType(
    {
        "Where is my order?": "Parcel 1042 left the warehouse this morning. It is due tomorrow.",
        "Send something back": "A label is on its way to your mailbox. Free within 30 days.",
        "Opening hours": "Monday to Saturday from 9 to 18, on Thursday until 21.",
        "Something else": "Tell me in your own words.",
        "Yes, thank you": "I am glad it did.",
        "Not yet": "Then tell me what is missing.",
    }
)

_PAGING = ("SHOW_MORE", "PREVIOUS_OPTIONS")

_SIGNED = MappingProxyType(
    {
        EventType.AUTHENTICATION_SUCCEEDED: "You are signed in. Welcome.",
        EventType.AUTHENTICATION_FAILED: "That did not work. Write signin to try again.",
        EventType.AUTHENTICATION_TIMEOUT: "The time for signing in is over. We go on without.",
        EventType.AUTHENTICATION_EXPIRED: "That sign-in is over. Write signin for another.",
        EventType.AUTHENTICATION_CANCELLED: "No sign-in, then. We go on without.",
    }
)


def to_text(chat: Conversation, text: str) -> Script:
    """Answer a plain line: a picked option by its meaning, anything else by quoting it."""
    card = _carousel_choice(text)
    if card is not None:
        yield from chat.say(f"You picked “{card['selectionText']}” for {card['listTitle']}.")
    elif text not in chat.asked:
        yield from chat.say(f"You wrote: “{_shortened(text)}”")
    elif text in _PICKED:
        yield from chat.say(_PICKED[text])
    else:
        yield from chat.say(_slot_sentence(text) or f"You picked “{text}”.")


def to_interactive_response(chat: Conversation, content: str) -> Script:
    """Answer ``interactive.response``: leaf through the paged list, or repeat what a form held."""
    response = _parsed(content)
    data = response.get("data")
    data = data if isinstance(data, Mapping) else {}
    action = str(response.get("action", "")).strip()
    if action in _PAGING:
        yield from chat.ask(_page(chat, action, data))
    elif not action and "content" in data:
        yield from to_text(chat, str(data["content"]))
    elif action == "Back" or not data:
        yield from chat.say(f"You chose “{action or 'nothing'}”.")
    else:
        fields = ", ".join(f"{name}: {value}" for name, value in data.items())
        yield from chat.say(f"You sent “{action}” with {_shortened(fields)}.")


def to_attachment(chat: Conversation, item: Item) -> Script:
    """Name the files that came, or say that the scanner refused them."""
    for attachment in item.attachments:
        if attachment.status == AttachmentStatus.APPROVED:
            yield from chat.say(f"I have your file {attachment.name} ({attachment.content_type}).")
        elif attachment.status == AttachmentStatus.REJECTED:
            yield from chat.say(f"The scanner refused {attachment.name}. Nobody has seen it.")


def to_sign_in(chat: Conversation, outcome: EventType) -> Script:
    """Say how the sign-in went."""
    yield from chat.say(_SIGNED.get(outcome, "The sign-in is over."))


def to_message(chat: Conversation, item: Item) -> Script:
    """Answer a message that is none of the bot's words."""
    content = item.content or ""
    if item.content_type == MessageType.INTERACTIVE_RESPONSE:
        yield from to_interactive_response(chat, content)
    elif item.content_type == MessageType.JSON:
        yield from chat.say(f"You sent JSON: {_shortened(content)}")
    else:
        yield from to_text(chat, content)


def _page(chat: Conversation, action: str, data: Mapping[str, Any]) -> samples.Template:
    member = "nextIndex" if action == "SHOW_MORE" else "preIndex"
    start = data.get(member)
    start = start if isinstance(start, int) else 0
    return samples.paged_list(samples.context(chat.center), str(data.get("referenceId", "")), start)


def _carousel_choice(text: str) -> Mapping[str, Any] | None:
    """What a choice in a carousel sends: JSON in a plain text."""
    choice = _parsed(text)
    return choice if {"templateIdentifier", "listTitle", "selectionText"} <= choice.keys() else None


def _slot_sentence(text: str) -> str | None:
    try:
        slot = datetime.fromisoformat(text)
    except ValueError:
        return None
    return f"You are expected on {slot:%A, %d %B} at {slot:%H:%M} UTC."


def _parsed(text: str) -> dict[str, Any]:
    """The JSON object in ``text``, or an empty one: customers may write anything."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _shortened(text: str) -> str:
    return text if len(text) <= QUOTE_MAX else f"{text[:QUOTE_MAX]}…"
