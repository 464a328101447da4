"""Filters named for what an operator asks."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from chatproxy.sessions.inspection.lists import without_connected_link
from chatproxy.sessions.models import ChatSession, State

STUCK_AFTER = timedelta(minutes=10)


class Question(admin.SimpleListFilter):
    """Which chats are live, stuck, without a link, failed?"""

    title = "question"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return (
            ("live", "Live now"),
            ("stuck", "Stuck: live, nothing said for 10 minutes"),
            ("unlinked", "No upstream link"),
            ("failed", "Failed to start"),
            ("incomplete", "Ended unseen, may be incomplete"),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChatSession]) -> Any:
        sessions: Any = queryset
        match self.value():
            case "live":
                return sessions.live()
            case "stuck":
                return sessions.live().filter(last_activity_at__lt=timezone.now() - STUCK_AFTER)
            case "unlinked":
                return without_connected_link(sessions)
            case "failed":
                return sessions.filter(state=State.FAILED)
            case "incomplete":
                return sessions.filter(incomplete_since__isnull=False)
        return sessions


class HasErrors(admin.SimpleListFilter):
    title = "errors"
    parameter_name = "errors"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return (("yes", "With errors"), ("no", "Without"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChatSession]) -> Any:
        match self.value():
            case "yes":
                return queryset.filter(errors__gt=0)
            case "no":
                return queryset.filter(errors=0)
        return queryset


class StartedBetween(admin.ListFilter):
    """Two dates (UTC), both included; either may be left open."""

    title = "start"
    template = "chat_sessions/date_range.html"
    names = ("started_from", "started_to")

    def __init__(
        self, request: HttpRequest, params: dict[str, list[str]], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if name in params:
                self.used_parameters[name] = params.pop(name)[-1]

    def has_output(self) -> bool:
        return True

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def queryset(self, request: HttpRequest, queryset: QuerySet[ChatSession]) -> Any:
        first, last = (self._day(name) for name in self.names)
        if first:
            queryset = queryset.filter(created_at__gte=_moment(first, time.min))
        if last:
            queryset = queryset.filter(created_at__lte=_moment(last, time.max))
        return queryset

    def choices(self, changelist: Any) -> Any:
        """One "choice": what the template needs to draw the two boxes."""
        others = changelist.get_filters_params()
        yield {
            "values": {name: self.used_parameters.get(name, "") for name in self.names},
            "others": [
                (name, value)
                for name, values in others.items()
                if name not in self.names
                for value in (values if isinstance(values, list) else [values])
            ],
            "search": changelist.query,
            "clear": changelist.get_query_string(remove=list(self.names)),
        }

    def _day(self, name: str) -> date | None:
        text = str(self.used_parameters.get(name, ""))
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError as err:
            raise IncorrectLookupParameters(ValidationError(f"{name} is not a date.")) from err


def _moment(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=timezone.get_current_timezone())
