"""A token that is refused is no end of a chat."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatproxy.api import participant
from chatproxy.api.access import Visitor
from chatproxy.sessions.errors import Overloaded
from chatproxy.sessions.models import State
from chatproxy.sessions.opened import OpenedSession
from chatproxy.upstream.errors import AccessDeniedException
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.shapes import ConnectionToken


def refused(_: Visitor) -> Any:
    raise AccessDeniedException("SendMessage")


@pytest.mark.parametrize(
    ("state", "told"), [(State.ACTIVE, Overloaded), (State.LEAVING, AccessDeniedException)]
)
def test_who_has_tried_every_token_is_told_to_wait_unless_they_have_left(
    settings: Any, monkeypatch: pytest.MonkeyPatch, state: State, told: type[Exception]
) -> None:
    settings.CHAT_GOVERNOR = False
    monkeypatch.setattr(participant, "MORE_TOKENS", 0)
    chat = SimpleNamespace(
        id="s-1",
        instance_id="i-1",
        state=state,
        generation=1,
        token=lambda _: (1, ConnectionToken("t")),
    )
    visitor = Visitor(cast(OpenedSession, chat), 1, 1, 1, "")
    with pytest.raises(told):
        participant.spent(visitor, Group.MESSAGE, Priority.MESSAGE, refused)
