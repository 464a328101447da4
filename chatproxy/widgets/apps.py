"""Django app of the widgets."""

from django.apps import AppConfig


class WidgetsConfig(AppConfig):
    name = "chatproxy.widgets"
    verbose_name = "Widgets"
