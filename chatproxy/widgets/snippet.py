"""What a site has to copy to have the chat on its pages: one tag, and lines for its policy."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.utils.html import format_html, format_html_join

from chatproxy.conf import conf
from chatproxy.widgets.models import Widget

LOADER_PATH = "/widget/v1/loader.js"
_KNOWN_TO_THE_LAUNCHER = ("storage", "position", "scheme", "accent")


def loader_url() -> str:
    """The one address pages load; it never changes."""
    return conf.public_url + LOADER_PATH


def tag(widget: Widget, **attributes: str) -> str:
    """The script tag for ``widget``, safe HTML, to be pasted before ``</body>``.

    Beside the key it says what the launcher must know before the configuration is fetched, where
    that differs from the default. ``attributes`` are further ``data-…`` ones, and win.
    """
    data = {"widget": widget.key, **_differing(widget), **attributes}
    return format_html(
        '<script src="{}"{} async></script>',
        loader_url(),
        format_html_join("", ' data-{}="{}"', data.items()),
    )


def _differing(widget: Widget) -> dict[str, str]:
    default = Widget()
    values = ((name, str(getattr(widget, name))) for name in _KNOWN_TO_THE_LAUNCHER)
    return {name: value for name, value in values if value != str(getattr(default, name))}


def csp_sources() -> dict[str, list[str]]:
    """What a page's Content-Security-Policy must allow for the chat, by directive."""
    ours, files = conf.public_origin, files_source()
    return {
        "script-src": [ours],
        "connect-src": [ours, conf.websocket_url, files],
        "img-src": [files],
    }


def csp_lines() -> str:
    """The same, as a person adds it to the site's own policy: one directive a line."""
    return "\n".join(f"{name} {' '.join(found)};" for name, found in csp_sources().items())


def trusted_types_line() -> str:
    """What a page adds that enforces Trusted Types: the one policy of the loader."""
    return "require-trusted-types-for 'script'; trusted-types chatproxy;"


def files_source() -> str:
    """Where attachments are put and fetched: Amazon's storage, or the sandbox in the demo."""
    return sandbox_origin() or f"https://*.s3.{conf.region}.amazonaws.com"


def sandbox_origin() -> str:
    """Origin of the sandbox a demo runs against; empty otherwise."""
    parts = urlsplit(conf.connect_endpoint_url or "")
    return f"{parts.scheme}://{parts.netloc}" if conf.demo and parts.netloc else ""
