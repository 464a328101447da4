"""What the service has of a message that is tried and tried again, whatever becomes of each try.

One message is said after the other, as the widget does. Each try goes out on the token of the key
of the first, or on the newest where that is refused; between tries tokens are renewed and the
process starts anew, with nothing but the database left.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.utils import timezone
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chatproxy.api import repeats
from chatproxy.sessions import messaging, sent
from chatproxy.sessions.models import ChatSession
from chatproxy.sessions.opened import OpenedSession
from chatproxy.sessions.sent import Sent
from chatproxy.upstream.errors import AccessDeniedException, ThrottlingException, UpstreamTimeout
from chatproxy.upstream.inputs import OutgoingMessage
from chatproxy.upstream.shapes import Accepted, wire_time
from chatproxy.widgets.models import Widget

TEXTS = st.sampled_from(["ok", "and?"])
FATES = st.sampled_from(["answered", "answer lost", "lost", "throttled"])


class Service:
    """Connect: knows a ClientToken on the token it came with, and what was said."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.known: dict[tuple[int, str], dict[str, Any]] = {}
        self.refused: set[int] = set()

    def send(self, generation: int, message: OutgoingMessage, fate: str) -> Accepted:
        if generation in self.refused:
            raise AccessDeniedException("SendMessage")
        if fate == "throttled":
            raise ThrottlingException("SendMessage")
        if fate == "lost":
            raise UpstreamTimeout("SendMessage")
        item = self.known.get((generation, message.client_token))
        if item is None:
            item = {
                "Id": str(uuid.uuid4()),
                "AbsoluteTime": wire_time(datetime.now(UTC)),
                "Type": "MESSAGE",
                "ParticipantRole": "CUSTOMER",
                "ContentType": message.content_type,
                "Content": message.content,
            }
            self.items.append(item)
            self.known[generation, message.client_token] = item
        if fate == "answer lost":
            raise UpstreamTimeout("SendMessage")
        return Accepted.parse({name: item[name] for name in ("Id", "AbsoluteTime")})

    def transcript(self) -> Any:
        return SimpleNamespace(items=[SimpleNamespace(wire=item) for item in self.items[::-1]])


class Sending(RuleBasedStateMachine):
    """A visitor who says one thing after the other."""

    session_id = ""
    service = Service()

    def __init__(self) -> None:
        super().__init__()
        type(self).service = Service()
        self._forget()
        sent.forget(uuid.UUID(self.session_id))
        self.generation = self.key_generation = 1
        self.message: OutgoingMessage | None = None
        self.answered: dict[str, str] = {}
        self.unwritten: list[Sent] = []

    @rule(text=TEXTS)
    @precondition(lambda self: self.message is None)
    def write(self, text: str) -> None:
        self.message = OutgoingMessage(content_type="text/plain", content=text)
        self.key_generation = self.generation

    @rule(fate=FATES, reaches_page=st.booleans())
    @precondition(lambda self: self.message is not None)
    def try_it(self, fate: str, reaches_page: bool) -> None:
        message = cast(OutgoingMessage, self.message)
        for generation in dict.fromkeys((self.key_generation, self.generation)):
            try:
                item_id = self._tried(message, generation, fate)
            except AccessDeniedException:
                continue
            except (UpstreamTimeout, ThrottlingException):
                return
            self.answered[message.client_token] = item_id
            if reaches_page:
                self.message = None
            return

    @rule()
    def renew(self) -> None:
        """The token is refused from now on, so there is another."""
        self.service.refused.add(self.generation)
        self.generation += 1

    @rule()
    def write_down(self) -> None:
        sent.keep(self.unwritten)
        self.unwritten.clear()

    @rule()
    def start_anew(self) -> None:
        """The process, and so the token; the old one is good."""
        self.write_down()
        self._forget()
        self.generation += 1

    @invariant()
    def each_is_said_once(self) -> None:
        said, answered = len(self.service.items), len(self.answered)
        in_the_air = self.message is not None and self.message.client_token not in self.answered
        assert answered <= said <= answered + in_the_air

    @invariant()
    def nobody_is_answered_with_what_another_said(self) -> None:
        assert len(set(self.answered.values())) == len(self.answered)

    def _tried(self, message: OutgoingMessage, generation: int, fate: str) -> str:
        chat = cast(OpenedSession, SimpleNamespace(id=self.session_id, instance_id="i-1"))
        answer = repeats.said_once(
            chat,
            message,
            generation,
            lambda: self.service.send(generation, message, fate),
            is_key_outdated=generation != self.key_generation,
        )
        self.unwritten.append(Sent(self.session_id, message.client_token, answer["Id"]))
        return str(answer["Id"])

    def _forget(self) -> None:
        repeats._tries.clear()


@pytest.mark.django_db
def test_a_message_is_said_once(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.CHAT_GOVERNOR = False
    session = ChatSession.objects.create(
        widget=Widget.objects.create(key="shop", name="Shop"),
        display_name="Ada",
        expires_at=timezone.now() + timedelta(days=1),
    )
    monkeypatch.setattr(Sending, "session_id", str(session.pk))
    monkeypatch.setattr(messaging, "get_transcript", lambda *_: Sending.service.transcript())
    searched = hypothesis_settings(max_examples=200, stateful_step_count=30, deadline=None)
    run_state_machine_as_test(Sending, settings=searched)
