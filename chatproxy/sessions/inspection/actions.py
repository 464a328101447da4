"""What an operator may do to a chat: end it, or revoke its keys. Each tells what became of it.

Both go through the same functions as everybody else's calls; both ask first, leave a line in the
admin's own log of who did it, and need a permission of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from chatproxy.conf import conf
from chatproxy.sessions import lifecycle, starting
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.models import ChatSession, EndedBy
from chatproxy.upstream.errors import UpstreamError

MOST_AT_ONCE = 20
"""StopContact's quota is two a second; a longer list would only be refused half-way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one session; ``is_done`` says whether the action had its effect."""

    session: ChatSession
    is_done: bool
    said: str


def _end_chat(session: ChatSession) -> Outcome:
    if not session.is_live:
        return Outcome(session, False, f"was {session.get_state_display().lower()} already.")
    try:
        was_going_on = starting.stop_contact_at_once(session, EndedBy.OPERATOR)
    except Overloaded as err:
        return Outcome(session, False, f"goes on. {err}")
    except UpstreamError as err:
        again = "Try again." if err.retryable else "Trying again will not help."
        return Outcome(session, False, f"goes on: {err} {again}")
    if not was_going_on:
        return Outcome(session, True, "had ended unseen, as Amazon Connect says; now it is marked.")
    return Outcome(session, True, "is being ended: every tab is told within seconds.")


def _revoke_keys(session: ChatSession) -> Outcome:
    count = lifecycle.revoke_keys(session)
    if not count:
        return Outcome(session, False, "had no valid key.")
    wait = f"within {conf.opened_cache_s:.0f} seconds"
    keys = "1 key is" if count == 1 else f"{count} keys are"
    return Outcome(session, True, f"{keys} revoked; the visitor is shut out {wait}.")


class Action(Enum):
    """name, permission, button, question, and what follows from it."""

    END_CHAT = (
        "end_chat",
        "End chat",
        "The visitor and the agent see that the chat is over. It cannot be taken up again.",
        _end_chat,
    )
    REVOKE_KEYS = (
        "revoke_keys",
        "Revoke keys",
        "Browsers that hold a key of it are shut out: the visitor cannot read or write any more. "
        "The chat itself goes on for the agent until somebody ends it.",
        _revoke_keys,
    )

    def __init__(
        self,
        permission: str,
        label: str,
        consequence: str,
        perform: Callable[[ChatSession], Outcome],
    ) -> None:
        self.permission = f"chat_sessions.{permission}"
        self.name_on_list = permission
        self.path = permission.replace("_", "-")
        self.label = label
        self.consequence = consequence
        self._perform = perform

    def perform(self, sessions: Iterable[ChatSession]) -> list[Outcome]:
        """Do it to each; one that fails does not keep the others from it."""
        return [self._perform(session) for session in sessions]
