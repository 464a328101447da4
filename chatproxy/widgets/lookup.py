"""Widgets as requests find them: by public key, and all their origins at once for preflights.

Both change rarely and are asked for often, so each is remembered for a few seconds.
"""

from __future__ import annotations

import time

from chatproxy.conf import conf
from chatproxy.widgets.models import Widget

_widgets: dict[str, tuple[float, Widget | None]] = {}
_origins: tuple[float, frozenset[str]] = (0.0, frozenset())
_REMEMBERED = 1000


def widget_by_key(key: str) -> Widget | None:
    """The enabled widget with this key, or ``None``; at most some seconds old."""
    now = time.monotonic()
    found = _widgets.get(key)
    if found is not None and now - found[0] < conf.opened_cache_s:
        return found[1]
    widget = Widget.objects.filter(key=key, enabled=True).first()
    if len(_widgets) >= _REMEMBERED:
        _widgets.clear()
    _widgets[key] = (now, widget)
    return widget


def all_origins() -> frozenset[str]:
    """Every origin on any list: a preflight names no widget, so it is held to all of them."""
    global _origins
    now = time.monotonic()
    if not _origins[0] or now - _origins[0] >= conf.opened_cache_s:
        lists = Widget.objects.values_list("allowed_origins", flat=True)
        _origins = (now, frozenset(origin for entries in lists for origin in entries))
    return _origins[1]


def forget() -> None:
    """Look again at the next request: a widget was saved."""
    global _origins
    _widgets.clear()
    _origins = (0.0, frozenset())
