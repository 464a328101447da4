"""Reads settings from the environment, and remembers what it could not read.

A value of the wrong kind must not end the start with a traceback: the default stands in for it, and
``checks.py`` tells all such mistakes at once, each with its name. Values are never repeated: they
may hold a password.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import environ

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    json.loads: "JSON",
}
_BOOLEANS = frozenset({"1", "0", "true", "false", "yes", "no", "on", "off", "y", "n", "ok", ""})


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """django-environ's file-aware reader. ``unread``: name → what is wrong with its value."""

    def __init__(self, **scheme: Any) -> None:
        super().__init__(**scheme)
        self.unread: dict[str, str] = {}

    def get_value(self, var: str, cast: Any = None, default: Any = None, **more: Any) -> Any:
        """The value as ``cast`` makes it, or ``default`` if there is none or it does not fit."""
        try:
            if cast is bool:
                self._must_be_boolean(var)
            return super().get_value(var, cast=cast, default=default, **more)
        except OSError:
            self.unread[var] = f"the file that {var}_FILE names can't be read"
        except (ValueError, TypeError):
            self.unread[var] = f"it is not {_WORDS.get(cast, 'of the right form')}"
        return default

    def db_url(self, var: str, default: str) -> dict[str, Any]:
        """A database URL in Django's terms; the default's where it is none."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its warning repeats the URL, password and all
            found: dict[str, Any] = super().db_url(var, default=default)
        if "ENGINE" in found:
            return found
        self.unread[var] = "it is not a database URL"
        made: dict[str, Any] = environ.Env.db_url_config(default)
        return made

    def _must_be_boolean(self, var: str) -> None:
        if str(self.ENVIRON.get(var, "")).strip().lower() not in _BOOLEANS:
            raise ValueError
