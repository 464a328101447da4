"""Django app of the doors: its system checks and the CORS rule, per widget."""

from django.apps import AppConfig
from django.http import HttpRequest


class ApiConfig(AppConfig):
    name = "chatproxy.api"
    label = "chat_api"

    def ready(self) -> None:
        from corsheaders.signals import check_request_enabled

        from chatproxy import checks  # noqa: F401 - registers the system checks

        check_request_enabled.connect(_origin_is_some_widgets, dispatch_uid="chatproxy.cors")


def _origin_is_some_widgets(sender: object, request: HttpRequest, **_: object) -> bool:
    """CORS for any origin on any widget's list; the route then holds it to the right one."""
    from chatproxy.widgets.lookup import all_origins

    origin = request.headers.get("Origin")  # without one there is nothing to look up
    return origin is not None and origin in all_origins()
