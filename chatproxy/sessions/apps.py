"""Django app of the chat sessions; "sessions" is taken by Django, hence the label."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "chatproxy.sessions"
    label = "chat_sessions"
    verbose_name = "Chats"

    def ready(self) -> None:
        from django.contrib import admin

        admin.site.site_header = admin.site.site_title = "Chat proxy"
        admin.site.index_title = "Chats at a glance"
        admin.site.site_url = "/demo/" if _is_demo() else ""


def _is_demo() -> bool:
    from chatproxy.conf import conf

    return conf.demo
