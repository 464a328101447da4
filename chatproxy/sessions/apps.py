"""Django app of the chat sessions; "sessions" is taken by Django, hence the label."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class SessionsConfig(AppConfig):
    name = "chatproxy.sessions"
    label = "chat_sessions"
    verbose_name = "Chats"
    default = True


class OperatorsAdminConfig(admin_apps.AdminConfig):
    """Django's admin with our site in it."""

    default_site = "chatproxy.sessions.site.OperatorsSite"
    default = False
