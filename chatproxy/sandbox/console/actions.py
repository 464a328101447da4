"""What the agent can do in a chat, one function per action, as the page asks for them.

Each takes the chat and the request's JSON, and returns what the page wants to know, if anything.
``ACTIONS`` is the table.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from chatproxy.sandbox.agents import AgentDesk
from chatproxy.sandbox.bot import ready
from chatproxy.sandbox.contacts import Contact, Participant
from chatproxy.upstream.vocabulary import CONTENT_MAX, MessageType, ParticipantRole

Reply = dict[str, Any]

MAX_FOR_RECEIPTS = 2
"""The service takes receipts only while at most this many people are in the chat."""


class NotPossible(Exception):
    """The action does not fit; the message is a sentence for the agent."""


def accept(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Join the chat."""
    del body
    desk.accept(contact)
    return {}


def to_bot(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Leave, and let the bot go on."""
    del body
    desk.hand_back(contact, to_queue=False)
    return {}


def to_queue(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Leave, and put the chat back in line for a person."""
    del body
    desk.hand_back(contact, to_queue=True)
    return {}


def end(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """End the chat for everybody."""
    del body
    desk.end(contact)
    return {}


def message(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Say something; the same ``token`` twice says it once."""
    text, kind = body.get("text"), body.get("contentType", MessageType.PLAIN)
    if not isinstance(text, str) or not text.strip():
        raise NotPossible("There is nothing to send.")
    if kind not in (MessageType.PLAIN, MessageType.MARKDOWN):
        raise NotPossible("An agent sends plain text or Markdown.")
    if len(text.encode()) > CONTENT_MAX:
        raise NotPossible("That is too long for one message.")
    agent = _agent(desk, contact)
    sent: dict[str, Reply] = contact.notes.setdefault("sent", {})
    token = str(body.get("token", ""))
    if not token or token not in sent:
        sent[token] = {"item": desk.center.post_message(contact, agent, text, kind).entry()}
    return sent[token]


def typing(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Show the customer that the agent is writing."""
    del body
    desk.center.typing(contact, _agent(desk, contact))
    return {}


def receipt(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Tell the customer that a line of theirs arrived, or was read."""
    is_read = body.get("isRead") is True
    if is_read:
        desk.mark_read(contact)
    agent = desk.agent_in(contact)
    message_id = str(body.get("messageId"))
    people = contact.active_participants(
        ParticipantRole.CUSTOMER, ParticipantRole.AGENT, ParticipantRole.SUPERVISOR
    )
    if agent and message_id in contact.by_id and len(people) <= MAX_FOR_RECEIPTS:
        desk.center.receipt(contact, agent, message_id, is_read=is_read)
    return {}


def canned(desk: AgentDesk, contact: Contact, body: Mapping[str, Any]) -> Reply:
    """Send one of the ready-made messages."""
    made = ready.BY_WORD.get(str(body.get("word")))
    if made is None:
        raise NotPossible("There is no such message.")
    made.send(desk.center, contact, _agent(desk, contact))
    return {}


Action = Callable[[AgentDesk, Contact, Mapping[str, Any]], Reply]

ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "accept": accept,
        "to-bot": to_bot,
        "to-queue": to_queue,
        "end": end,
        "message": message,
        "typing": typing,
        "receipt": receipt,
        "canned": canned,
    }
)


def _agent(desk: AgentDesk, contact: Contact) -> Participant:
    agent = desk.agent_in(contact)
    if agent is None:
        raise NotPossible("Take the chat first.")
    return agent
