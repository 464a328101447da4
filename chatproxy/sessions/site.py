"""The admin's site: its name, and its parts in the order an operator needs them."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest

from chatproxy.conf import conf

_ORDER = ["chat_sessions", "widgets", "auth"]


class OperatorsSite(AdminSite):
    site_header = site_title = "Chat proxy"
    index_title = "Chats at a glance"
    enable_nav_sidebar = False  # the few parts there are stand in the header: lists need the width

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().each_context(request), "site_url": "/demo/" if conf.demo else ""}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        found = super().get_app_list(request, app_label)
        known = {label: place for place, label in enumerate(_ORDER)}
        return sorted(found, key=lambda app: known.get(app["app_label"], len(known)))
