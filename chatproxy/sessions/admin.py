"""Sessions in the admin: which chats are live, stuck, failing, and since when?

Read-only but for two actions. This file wires list, page and actions into Django's admin; what they
show and do is in ``inspection/``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from chatproxy.sessions.inspection import detail, filters, lists, rounds
from chatproxy.sessions.inspection.actions import MOST_AT_ONCE, Action
from chatproxy.sessions.inspection.rounds import Progress
from chatproxy.sessions.models import LIVE_STATES, ChatSession, State

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[ChatSession]
else:
    ModelAdmin = admin.ModelAdmin

NOTHING = "—"
TONES = {State.STARTING: "warn", State.ACTIVE: "good", State.LEAVING: "warn", State.FAILED: "bad"}
LINK_TONES = {lists.CONNECTED: "good", "connecting": "warn", "degraded": "warn"}


@admin.register(ChatSession)
class ChatSessionAdmin(ModelAdmin):
    """The list, the page of one session, and the actions on both."""

    list_display = (
        "session",
        "state_pill",
        "link",
        "tabs",
        "widget_name",
        "origin_host",
        "contact",
        "started",
        "activity",
        "messages_count",
        "error_flag",
        "ended_by",
    )
    list_filter = (
        filters.Question,
        filters.HasErrors,
        filters.StartedBetween,
        "state",
        "ended_by",
        "widget",
    )
    list_select_related = ("widget",)
    empty_value_display = NOTHING
    list_per_page = 50
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = lists.BoundedPaginator
    search_fields = ("id",)  # shows the box; what is searched is in get_search_results
    search_help_text = "Contact id, participant id, session id (or its beginning), visitor's name"
    actions = ("end_chat", "revoke_keys")

    # --- what may be done ------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChatSession | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChatSession | None = None) -> bool:
        return False

    def has_end_chat_permission(self, request: HttpRequest) -> bool:
        return _may(request, Action.END_CHAT.permission)

    def has_revoke_keys_permission(self, request: HttpRequest) -> bool:
        return _may(request, Action.REVOKE_KEYS.permission)

    # --- the list --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChatSession]:
        return lists.with_links(ChatSession.objects.all())

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": "Sessions"})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ChatSession], search_term: str
    ) -> tuple[Any, bool]:
        return lists.search(queryset, search_term), False  # type: ignore[arg-type]

    @admin.display(description="session", ordering="id")
    def session(self, row: ChatSession) -> str:
        return _short(str(row.pk))

    @admin.display(description="state", ordering="state")
    def state_pill(self, row: ChatSession) -> str:
        return _pill(row.get_state_display(), TONES.get(State(row.state), ""))

    @admin.display(description="link")
    def link(self, row: Any) -> str:
        if row.state not in LIVE_STATES or (row.link_state is None and not row.connected_at):
            return NOTHING
        state = row.link_state or "none"
        return _pill(state, LINK_TONES.get(state, "bad"))

    @admin.display(description="tabs")
    def tabs(self, row: Any) -> str:
        return str(row.tabs_open) if row.state in LIVE_STATES else NOTHING

    @admin.display(description="widget", ordering="widget__name")
    def widget_name(self, row: ChatSession) -> str:
        return row.widget.name

    @admin.display(description="origin", ordering="origin")
    def origin_host(self, row: ChatSession) -> str:
        return row.origin.partition("://")[2] or NOTHING

    @admin.display(description="contact id", ordering="contact_id")
    def contact(self, row: ChatSession) -> str:
        return _short(row.contact_id)

    @admin.display(description="started", ordering="created_at")
    def started(self, row: ChatSession) -> str:
        return f"{row.created_at:%d %b %H:%M:%S}"

    @admin.display(description="last activity", ordering="last_activity_at")
    def activity(self, row: ChatSession) -> str:
        at = row.last_activity_at
        exactly = f"{at:%Y-%m-%d %H:%M:%S}"
        seconds = int((timezone.now() - at).total_seconds())
        since = f"{max(seconds, 0)} s" if seconds < 60 else timesince(at, depth=1)
        return format_html('<span title="{}">{} ago</span>', exactly, since)

    @admin.display(description="in / out")
    def messages_count(self, row: ChatSession) -> str:
        return f"{row.messages_in} / {row.messages_out}"

    @admin.display(description="errors", ordering="errors")
    def error_flag(self, row: ChatSession) -> str:
        return _pill(str(row.errors), "bad") if row.errors else NOTHING

    # --- the page of one session -----------------------------------------------------------------

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        session = self.get_object(request, unquote(object_id))
        if not self.has_view_permission(request, session):
            raise PermissionDenied
        if session is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined, no-any-return]
        context = {**self._page(request, session), **_told(request, session)}
        return TemplateResponse(request, "chat_sessions/session.html", context)

    def _page(self, request: HttpRequest, session: ChatSession) -> dict[str, Any]:
        """What all pages about one session share."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "session": session,
            "short_id": str(session.pk)[:8],
            "title": f"Session {str(session.pk)[:8]}",
            "pill": self.state_pill(session),
            "tools": [
                (action, reverse(f"admin:chat_sessions_{action.path}", args=(session.pk,)))
                for action in Action
                if _may(request, action.permission) and _makes_sense(action, session)
            ],
        }

    # --- actions ---------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"<uuid:session_id>/{action.path}/",
                self.admin_site.admin_view(self._one(action)),
                name=f"chat_sessions_{action.path}",
            )
            for action in Action
        ]
        return own + super().get_urls()

    def _one(self, action: Action) -> Any:
        """The view that does ``action`` to one session, after asking."""

        def view(request: HttpRequest, session_id: Any) -> HttpResponseBase:
            chosen = ChatSession.objects.filter(pk=session_id).select_related("widget")
            back = reverse("admin:chat_sessions_chatsession_change", args=(session_id,))
            return self._ask_or_do(request, action, chosen, back)

        return view

    @admin.action(description="End chat", permissions=["end_chat"])
    def end_chat(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        return self._ask_or_do(request, Action.END_CHAT, _asked_for(request, queryset))

    @admin.action(description="Revoke keys", permissions=["revoke_keys"])
    def revoke_keys(self, request: HttpRequest, queryset: Any) -> HttpResponseBase | None:
        return self._ask_or_do(request, Action.REVOKE_KEYS, _asked_for(request, queryset))

    def _ask_or_do(
        self, request: HttpRequest, action: Action, chosen: Any, back: str = ""
    ) -> HttpResponseBase:
        if not _may(request, action.permission):
            raise PermissionDenied
        back = back or request.get_full_path()
        sessions = list(chosen.select_related("widget")[: MOST_AT_ONCE + 1])
        if len(sessions) > MOST_AT_ONCE:
            self.message_user(request, f"Choose {MOST_AT_ONCE} at most.", messages.ERROR)
            return HttpResponseRedirect(back)
        if request.method == "POST" and "confirmed" in request.POST:
            return self._do(request, action, sessions, back)
        return self._form(request, action, sessions, back, title=f"{action.label}?")

    def _do(
        self, request: HttpRequest, action: Action, sessions: list[ChatSession], back: str
    ) -> HttpResponseBase:
        """A round of it, and the page for the next one; after the last, all that is to be told."""
        progress = Progress.resumed(request.POST.get("progress", ""))
        if "stop" in request.POST:
            progress.give_up(sessions, rounds.STOPPED)
        else:
            outcomes, left = action.perform(sessions)
            progress.add(outcomes)
            for outcome in outcomes:
                if outcome.is_done:
                    self.log_change(request, outcome.session, action.label)
            if left and not progress.is_too_long():
                return self._form(request, action, left, back, title=action.label, done=progress)
            progress.give_up(left, rounds.NO_ROOM)
        for sentence in progress.sentences:
            level = messages.SUCCESS if sentence.is_done else messages.WARNING
            self.message_user(request, str(sentence), level)
        return HttpResponseRedirect(back)

    def _form(
        self,
        request: HttpRequest,
        action: Action,
        sessions: list[ChatSession],
        back: str,
        *,
        title: str,
        done: Progress | None = None,
    ) -> TemplateResponse:
        """The page that asks; or, with what is ``done``, the one that goes on by itself."""
        return TemplateResponse(
            request,
            "chat_sessions/confirm.html",
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": title,
                "action": action,
                "sessions": [(session, self.state_pill(session)) for session in sessions],
                "back": back,
                "done": done,
                "everybody": done.count + len(sessions) if done else 0,
                "pause_ms": rounds.PAUSE_MS,
            },
        )


def _asked_for(request: HttpRequest, queryset: Any) -> Any:
    """The sessions chosen in the list; once confirmed, also those its filter shows no more."""
    if "confirmed" not in request.POST:
        return queryset
    return ChatSession.objects.filter(pk__in=request.POST.getlist(ACTION_CHECKBOX_NAME))


def _told(request: HttpRequest, session: ChatSession) -> dict[str, Any]:
    """The parts of a session's page; what people wrote only for those who may read it."""
    may_read = _may(request, "chat_sessions.view_transcript")
    notes, notes_page = detail.timeline(session, request.GET.get("events"))
    said, said_page = (
        detail.transcript(session, request.GET.get("said")) if may_read else ([], None)
    )
    return {
        "times": detail.times(session),
        "tokens": detail.tokens(session),
        "keys": session.keys.order_by("-created_at"),
        "leases": session.leases.order_by("-opened_at"),
        "continuations": session.continuations.order_by("created_at").only("pk"),
        "notes": notes,
        "notes_page": notes_page,
        "may_read": may_read,
        "said": said,
        "said_page": said_page,
        "rating_comment": detail.rating_comment(session) if may_read else "",
    }


def _makes_sense(action: Action, session: ChatSession) -> bool:
    return action is not Action.END_CHAT or session.is_live


def _may(request: HttpRequest, permission: str) -> bool:
    user: Any = request.user
    return bool(user.has_perm(permission))


def _pill(text: str, tone: str) -> SafeString:
    return format_html('<span class="pill {}">{}</span>', tone, text)


def _short(identifier: str) -> str:
    """The beginning of an id; all of it when pointed at."""
    if not identifier:
        return NOTHING
    return format_html('<span class="mono" title="{}">{}</span>', identifier, identifier[:8])
