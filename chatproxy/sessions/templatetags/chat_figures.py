"""The figures on the admin's first page: how many chats are live, stuck, unlinked, failing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone

from chatproxy.sessions.inspection.filters import STUCK_AFTER
from chatproxy.sessions.inspection.lists import COUNTED, without_connected_link
from chatproxy.sessions.models import ChatSession, State

register = template.Library()


@dataclass(frozen=True, slots=True)
class Figure:
    name: str
    count: int
    address: str
    is_bad: bool = False


@register.inclusion_tag("chat_sessions/figures.html", takes_context=True)
def chat_figures(context: Any) -> dict[str, list[Figure]]:
    """Each figure leads to the list it counts; none for those who may not see sessions."""
    if not context["request"].user.has_perm("chat_sessions.view_chatsession"):
        return {"figures": []}
    now = timezone.now()
    sessions, day = ChatSession.objects, timedelta(hours=24)
    live, lately = sessions.live(), sessions.started_since(day)
    since = f"started_from={now - day:%Y-%m-%d}"
    return {
        "figures": [
            _figure("Live now", live, "show=live"),
            _figure("Started in 24 hours", lately, since),
            _figure(
                "Quiet for 10 minutes",
                live.filter(last_activity_at__lt=now - STUCK_AFTER),
                "show=stuck",
            ),
            _bad("No upstream link", without_connected_link(sessions.all()), "show=unlinked"),
            _bad(
                "Failed in 24 hours",
                lately.filter(state=State.FAILED),
                f"show=failed&{since}",
            ),
        ]
    }


def _bad(name: str, counted: Any, query: str) -> Figure:
    """A figure that should be nought."""
    figure = _figure(name, counted, query)
    return replace(figure, is_bad=figure.count > 0)


def _figure(name: str, counted: Any, query: str) -> Figure:
    count = counted.order_by().values("pk")[:COUNTED].count()
    address = f"{reverse('admin:chat_sessions_chatsession_changelist')}?{query}"
    return Figure(name, count, address)
