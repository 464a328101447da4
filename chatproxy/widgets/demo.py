"""What the demo needs in the database: a widget and somebody who may open the admin.

The password is printed in the README, so these rows exist on loopback and in demo mode only;
``seed_demo`` refuses everywhere else.
"""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model

from chatproxy.widgets.demo_login import ADMIN_NAME, ADMIN_PASSWORD
from chatproxy.widgets.models import Widget, normal_origin

WIDGET_KEY = "demo"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class NotADemo(Exception):
    """Asked for demo rows where they do not belong; the sentence says where that is."""


def seed_demo(port: int) -> None:
    """Make the demo's widget and log-in as they should be, on every run.

    Args:
        port: Where the demo page is served; the widget's origins name it, and change with it.

    Raises:
        NotADemo: ``CHAT_DEMO`` is not on, or ``CHAT_PUBLIC_URL`` is not on loopback.
    """
    public = urlsplit(settings.CHAT_PUBLIC_URL)
    host = public.hostname
    if not settings.CHAT_DEMO:
        raise NotADemo("The demo's widget and log-in are for CHAT_DEMO=1 only, which is not set.")
    if host not in _LOOPBACK:
        raise NotADemo(
            f"The demo's widget and log-in are for this machine only, and CHAT_PUBLIC_URL is at "
            f"{host or 'no host'}: leave it unset, or give it the host 127.0.0.1."
        )
    pages = [f"http://{name}:{port}" for name in ("127.0.0.1", "localhost")]
    pages.append(f"{public.scheme}://{public.netloc}")  # a server of one's own in front
    _make_widget([normal_origin(page) for page in pages])
    _make_admin()


def _make_widget(origins: list[str]) -> None:
    """Origins are added; the rest is left as it is: a person may have changed it in the admin."""
    widget, _ = Widget.objects.get_or_create(
        key=WIDGET_KEY, defaults={"name": "Demo", "accepts_no_origin": True}
    )
    widget.allowed_origins = list(dict.fromkeys([*widget.allowed_origins, *origins]))
    widget.save()


def _make_admin() -> None:
    users = get_user_model()
    admin, _ = users.objects.get_or_create(username=ADMIN_NAME)
    admin.is_staff = admin.is_superuser = admin.is_active = True
    if not admin.check_password(ADMIN_PASSWORD):  # keeps a log-in alive from one run to the next
        admin.set_password(ADMIN_PASSWORD)
    admin.save()
