"""Reads settings from the environment, and remembers what it could not read.

A value of the wrong kind must not end the start with a traceback: the default stands in for it, and
``checks`` tells all such mistakes at once, each with its name. Values are never repeated: they
may hold a password.
"""

from __future__ import annotations

import json
import os
import re
import warnings
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import environ

_WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    json.loads: "JSON",
}
_BOOLEANS = frozenset({"1", "0", "true", "false", "yes", "no", "on", "off", "y", "n", "ok", ""})
_DATABASES = ("django.db.backends.sqlite3", "django.db.backends.postgresql")

#: What Kubernetes puts into the environment for a service that is called chat, or connect.
_NOT_MEANT_FOR_US = re.compile(r"_(SERVICE_(HOST|PORT).*|PORT|PORT_\d+_(TCP|UDP).*)$")


class Environment(environ.FileAwareEnv):  # type: ignore[misc]
    """django-environ's file-aware reader. ``unread``: name → what is wrong with its value."""

    def __init__(self, **scheme: Any) -> None:
        super().__init__(**scheme)
        self.unread: dict[str, str] = {}
        self._asked_for: set[str] = set()

    def get_value(self, var: str, cast: Any = None, default: Any = None, **more: Any) -> Any:
        """The value as ``cast`` makes it, or ``default`` if there is none or it does not fit."""
        self._asked_for.add(var)
        try:
            if cast is bool:
                self._must_be_boolean(var)
            return super().get_value(var, cast=cast, default=default, **more)
        except OSError:
            self.unread[var] = f"the file that {var}_FILE names can't be read"
        except (ValueError, TypeError):
            self.unread[var] = f"it is not {_WORDS.get(cast, 'of the right form')}"
        return default

    def address(self, var: str, default: str) -> str:
        """An address without its trailing slash; what can't be taken apart is unread."""
        found: str = self.get_value(var, cast=str, default=default)
        try:
            _ = urlsplit(found).port
        except ValueError:
            self.unread[var] = "it is no address, or its port is no port"
            return default
        return found.rstrip("/")

    def db_url(self, var: str, default: str) -> dict[str, Any]:
        """A database URL in Django's terms; the default's where it is none we can use."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # its warning repeats the URL, password and all
                found: dict[str, Any] = super().db_url(var, default=default)
        except ValueError:  # such as a port that is none
            found = {}
        if found.get("ENGINE") in _DATABASES:
            return found
        # Django imports the driver at once: one that is not there would be a traceback.
        self.unread[var] = "it is not a database URL of PostgreSQL or SQLite"
        made: dict[str, Any] = environ.Env.db_url_config(default)
        return made

    def unknown(self, *prefixes: str) -> dict[str, str]:
        """Variables that begin like ours and were not read → the nearest name that was, or none."""
        known = self._asked_for | {f"{name}_FILE" for name in self._asked_for}
        strange = [
            name
            for name in os.environ
            if name.startswith(prefixes)
            and name not in known
            and not _NOT_MEANT_FOR_US.search(name)
        ]
        return {name: "".join(get_close_matches(name, known, n=1)) for name in sorted(strange)}

    def _must_be_boolean(self, var: str) -> None:
        if str(self.ENVIRON.get(var, "")).strip().lower() not in _BOOLEANS:
            raise ValueError
