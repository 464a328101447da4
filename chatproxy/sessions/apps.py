"""Django app of the chat sessions; "sessions" is taken by Django, hence the label."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    name = "chatproxy.sessions"
    label = "chat_sessions"
    verbose_name = "Chat sessions"
