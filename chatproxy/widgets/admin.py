"""Widgets in the admin: made, changed, and put on a page with what can be copied from here."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString

from chatproxy.conf import conf
from chatproxy.widgets import lookup, snippet
from chatproxy.widgets.forms import WidgetForm
from chatproxy.widgets.models import Widget

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Widget]
else:
    ModelAdmin = admin.ModelAdmin


@admin.register(Widget)
class WidgetAdmin(ModelAdmin):
    """Create and edit. A widget that has had chats is switched off rather than deleted."""

    form = WidgetForm
    list_display = ("name", "key", "enabled", "origins", "chats", "changed")
    list_filter = ("enabled",)
    search_fields = ("name", "key")
    actions = None
    show_facets = admin.ShowFacets.NEVER
    readonly_fields = ("tag", "policy", "trusted_types", "created", "changed")
    fieldsets = (
        (None, {"fields": ("name", "key", "enabled")}),
        ("Put it on a page", {"fields": ("tag", "policy", "trusted_types")}),
        ("Where it may be used", {"fields": ("allowed_origins", "accepts_no_origin")}),
        (
            "Look",
            {
                "fields": (
                    "title",
                    "subtitle",
                    "accent",
                    "scheme",
                    "position",
                    "locale",
                    "texts",
                )
            },
        ),
        (
            "What visitors may do",
            {
                "fields": (
                    "visitor_name",
                    "content_types",
                    "max_length",
                    "attachments",
                    "attachment_max_bytes",
                    "attribute_names",
                    "storage",
                )
            },
        ),
        (
            "Amazon Connect",
            {"fields": ("instance_id", "contact_flow_id", "chat_minutes", "streams_answers")},
        ),
        ("Limits", {"fields": ("starts_per_day", "live_chats")}),
        ("Dates", {"fields": (("created", "changed"),)}),
    )

    class Media:
        js = ("widgets/admin.js",)

    # --- what the list and the form show ---------------------------------------------------------

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "title": "Widgets"})

    @admin.display(description="origins")
    def origins(self, widget: Widget) -> str:
        return ", ".join(widget.allowed_origins) or "none"

    @admin.display(description="chats")
    def chats(self, widget: Widget) -> str:
        sessions = reverse("admin:chat_sessions_chatsession_changelist")
        return format_html('<a href="{}?widget__id__exact={}">Show</a>', sessions, widget.pk)

    @admin.display(description="created", ordering="created_at")
    def created(self, widget: Widget) -> str:
        return _when(widget.created_at)

    @admin.display(description="changed", ordering="changed_at")
    def changed(self, widget: Widget) -> str:
        return _when(widget.changed_at)

    @admin.display(description="Tag")
    def tag(self, widget: Widget) -> str:
        if widget._state.adding:
            return "Save it first."
        note = "Paste it into every page that shall have the chat, before </body>."
        return _to_copy(str(snippet.tag(widget)), "the tag", note)

    @admin.display(description="Content security policy")
    def policy(self, widget: Widget) -> str:
        note = (
            "For pages that have such a policy: add these sources to it. Nothing inline is needed. "
            "The last source of connect-src and that of img-src is where attachments lie; pictures "
            "that your flows show lie elsewhere: allow their hosts in img-src too."
        )
        return _to_copy(snippet.csp_lines(), "the policy's lines", note)

    @admin.display(description="Trusted Types")
    def trusted_types(self, widget: Widget) -> str:
        note = "For pages that enforce Trusted Types: this too."
        return _to_copy(snippet.trusted_types_line(), "the line for Trusted Types", note)

    # --- what may be done ------------------------------------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Widget | None = None) -> Any:
        # Pages out there carry the key.
        return (*self.readonly_fields, "key") if obj else self.readonly_fields

    def has_delete_permission(self, request: HttpRequest, obj: Widget | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.sessions.exists())

    def save_model(self, request: HttpRequest, obj: Widget, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        lookup.forget()
        if not obj.allowed_origins and not obj.accepts_no_origin:
            self.message_user(
                request,
                "No page may embed it yet: give the origins of those that shall.",
                messages.WARNING,
            )
        if change:
            wait = f"Every process knows of the change within {conf.opened_cache_s:.0f} seconds."
            self.message_user(request, wait, messages.INFO)

    def delete_model(self, request: HttpRequest, obj: Widget) -> None:
        super().delete_model(request, obj)
        lookup.forget()


def _when(at: datetime | None) -> str:
    """As the pages about sessions write it; nothing yet on the page that adds one."""
    return f"{at:%d %b %Y %H:%M:%S} UTC" if at else "—"


def _to_copy(text: str, what: str, note: str) -> SafeString:
    """``text`` as it is, in a box with a button beside it (``admin.js`` does the copying)."""
    return format_html(
        '<div class="to-copy"><pre><code>{}</code></pre>'
        '<button type="button" data-copy aria-label="Copy {}">Copy</button></div>'
        '<div class="help">{}</div>',
        escape(text),  # the tag is markup itself, and is to be read, not to be run
        what,
        note,
    )
