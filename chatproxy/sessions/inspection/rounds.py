"""An action on many sessions, done in rounds: what was told so far travels in the page's form.

StopContact's quota is two a second, and no thread of ours waits for it. So a round ends as many
chats as the quota has room for; its page names the rest, and sends itself again after a moment. At
the end everything is told once, one sentence for all sessions that fared alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

from django.core import signing

from chatproxy.sessions.inspection.actions import Outcome
from chatproxy.sessions.models import ChatSession

PAUSE_MS = 2000
GIVE_UP_S = 30.0
"""Three times what the most chats at once need; beyond it somebody else uses up the quota."""

NO_ROOM = "the chat goes on: the quota for ending chats is used up. Try again in a minute."
STOPPED = "the chat goes on, as you wished."
_SALT = "chatproxy.sessions.rounds"


@dataclass
class Sentence:
    """What is said of all sessions that fared alike; ids are as short as in the list."""

    said: str
    is_done: bool
    ids: list[str] = field(default_factory=list)
    request_ids: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ids = ", ".join(self.ids)
        whose = f"Session {ids}" if len(self.ids) == 1 else f"Sessions {ids}, each"
        traces = f" Request id: {', '.join(self.request_ids)}." if self.request_ids else ""
        return f"{whose}: {self.said}{traces}"


@dataclass
class Progress:
    """What became of the sessions so far, and since when this goes on (seconds since 1970)."""

    begun_at: float
    sentences: list[Sentence] = field(default_factory=list)

    @classmethod
    def resumed(cls, sealed: str, clock: Callable[[], float] = time.time) -> Progress:
        """As the form brings it back. One that we did not make counts as none."""
        try:
            found = signing.loads(sealed, salt=_SALT)
        except signing.BadSignature:
            return cls(clock())
        return cls(found["begun_at"], [Sentence(**each) for each in found["sentences"]])

    def sealed(self) -> str:
        return signing.dumps(asdict(self), salt=_SALT, compress=True)

    def add(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            sentence = self._alike(outcome)
            sentence.ids.append(str(outcome.session.pk)[:8])
            if outcome.request_id:
                sentence.request_ids.append(outcome.request_id)

    def give_up(self, sessions: Iterable[ChatSession], why: str) -> None:
        self.add(Outcome(session, False, why) for session in sessions)

    def is_too_long(self, clock: Callable[[], float] = time.time) -> bool:
        return clock() - self.begun_at > GIVE_UP_S

    @property
    def count(self) -> int:
        return sum(len(sentence.ids) for sentence in self.sentences)

    def _alike(self, outcome: Outcome) -> Sentence:
        for sentence in self.sentences:
            if (sentence.said, sentence.is_done) == (outcome.said, outcome.is_done):
                return sentence
        self.sentences.append(Sentence(outcome.said, outcome.is_done))
        return self.sentences[-1]
