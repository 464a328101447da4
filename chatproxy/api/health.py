"""Alive and ready, for balancers and people.

Ready means: the database answers and the process is not draining. Redis, the upstream and the rest
are told in the body, and never make every process unready at once.
"""

from __future__ import annotations

from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, JsonResponse

from chatproxy import __version__
from chatproxy.lifespan import lifespan
from chatproxy.relay import runtime


def healthz(request: HttpRequest) -> JsonResponse:
    """The process runs."""
    return _answered({"status": "ok", "version": __version__})


def readyz(request: HttpRequest) -> JsonResponse:
    """The process serves: 200, or 503 with the reason."""
    hub = runtime.running_hub()
    checks = {
        "database": _database(),
        "draining": lifespan.stopping,
        "links": len(hub.session_ids()) if hub else 0,
        "tabs": hub.tab_count if hub else 0,
    }
    is_ready = checks["database"] == "ok" and not lifespan.stopping
    status = "ready" if is_ready else "not ready"
    return _answered({"status": status, **checks}, 200 if is_ready else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as err:
        return f"unreachable ({type(err).__name__})"
    return "ok"


def _answered(body: dict[str, object], status: int = 200) -> JsonResponse:
    response = JsonResponse(body, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
