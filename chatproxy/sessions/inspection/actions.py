"""What an operator may do to a chat: end it, or revoke its keys. Each tells what became of it.

Both go through the same functions as everybody else's calls; both ask first, leave a line in the
admin's own log of who did it, and need a permission of their own.

A call that finds no room in the instance's quota is left for the next round (`rounds.py`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from chatproxy.conf import conf
from chatproxy.sessions import lifecycle, starting
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.models import ChatSession, EndedBy
from chatproxy.upstream.errors import ThrottlingException, UpstreamError

MOST_AT_ONCE = 20
"""With a burst of five and two a second, these take eight seconds to end."""

ROUND_S = 5.0
"""A round begins no further call after this, so that a slow service does not hold its request."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one session; ``is_done`` says whether the action had its effect.

    ``said`` goes on after "Session 1a2b3c4d: ", and is the same for all that fared alike.
    """

    session: ChatSession
    is_done: bool
    said: str
    request_id: str = ""


def _end_chat(session: ChatSession) -> Outcome | None:
    """None: there was no room in the quota."""
    if not session.is_live:
        return Outcome(session, False, f"it was {session.get_state_display().lower()} already.")
    try:
        was_going_on = starting.stop_contact_at_once(session, EndedBy.OPERATOR)
    except (Overloaded, ThrottlingException):
        return None
    except UpstreamError as err:
        return _not_ended(session, err)
    if not was_going_on:
        said = "it had ended unseen, as Amazon Connect says; now it is marked."
        return Outcome(session, True, said)
    return Outcome(session, True, "the chat is being ended; every tab is told within seconds.")


def _not_ended(session: ChatSession, err: UpstreamError) -> Outcome:
    request_id = err.request_id or ""
    cause = re.sub(r"( \(|, )request id .*$", "", str(err))
    again = "Try again." if err.retryable else "Trying again will not help."
    return Outcome(session, False, f"the chat goes on: {cause}. {again}", request_id)


def _revoke_keys(session: ChatSession) -> Outcome:
    count = lifecycle.revoke_keys(session)
    if not count:
        return Outcome(session, False, "it had no valid key.")
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
        "Browsers that hold a key are shut out: the visitor cannot read or write any more. "
        "The chat itself goes on for the agent until somebody ends it.",
        _revoke_keys,
    )

    def __init__(
        self,
        permission: str,
        label: str,
        consequence: str,
        perform: Callable[[ChatSession], Outcome | None],
    ) -> None:
        self.permission = f"chat_sessions.{permission}"
        self.name_on_list = permission
        self.path = permission.replace("_", "-")
        self.label = label
        self.consequence = consequence
        self._perform = perform

    def perform(
        self, sessions: Iterable[ChatSession], clock: Callable[[], float] = time.monotonic
    ) -> tuple[list[Outcome], list[ChatSession]]:
        """Do it to each; one that fails does not keep the others from it.

        Returns:
            What became of those it was done to, and the sessions the quota had no room for now.
        """
        outcomes, left, until = list[Outcome](), list[ChatSession](), clock() + ROUND_S
        for session in sessions:
            outcome = self._perform(session) if clock() < until else None
            if outcome is None:
                left.append(session)
            else:
                outcomes.append(outcome)
        return outcomes, left
