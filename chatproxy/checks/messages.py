"""The form of what a check says: an id, what is wrong, and what to do about it.

Ids are counted through, whatever their level: a number once given stays with its mistake.
"""

from __future__ import annotations

from django.core.checks import Error, Warning

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def error(number: int, message: str, hint: str) -> Error:
    """A mistake that keeps `serve` from starting."""
    return Error(message, hint=hint, id=f"chatproxy.E{number:03d}")


def warning(number: int, message: str, hint: str) -> Warning:
    """Something to look at; `serve` starts all the same."""
    return Warning(message, hint=hint, id=f"chatproxy.W{number:03d}")
