"""Step-by-step guide views, by the token a ViewResource message carries."""

import json
import secrets
from typing import Any

from chatproxy.sandbox.contacts import Wire, new_id


class Views:
    """ViewToken → View, in the shape DescribeView answers."""

    def __init__(self) -> None:
        self._views: dict[str, Wire] = {}

    def add(
        self,
        template: dict[str, Any],
        *,
        name: str = "form",
        input_schema: dict[str, Any] | None = None,
        actions: list[str] | None = None,
        version: int = 1,
    ) -> str:
        """Register a view; returns its ViewToken, opaque, with a ``/`` and ``+`` in it."""
        view_id = new_id()
        token = f"{secrets.token_urlsafe(24)}/{secrets.token_urlsafe(8)}+=="
        self._views[token] = {
            "Id": view_id,
            "Arn": f"arn:aws:connect:us-west-2:111122223333:instance/sandbox/view/{view_id}",
            "Name": name,
            "Version": version,
            "Content": {
                "InputSchema": json.dumps(input_schema or {}),
                "Template": json.dumps(template),
                "Actions": actions or [],
            },
        }
        return token

    def get(self, token: str) -> Wire | None:
        return self._views.get(token)

    def clear(self) -> None:
        self._views.clear()
