"""One OpenAPI document of all doors, at ``/api/v1/openapi.json``.

Our own routes are described by ninja, from the types that validate them; the Participant Service's
operations from the service's own model; errors from the table of problems. Made once, on the first
request for it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from botocore.model import OperationModel
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.views.decorators.http import require_safe

from chatproxy import __version__
from chatproxy.api import service_model
from chatproxy.api.participant_words import PARTICIPANT_OPERATIONS
from chatproxy.api.problem_types import PROBLEMS, Problem
from chatproxy.api.reference import api
from chatproxy.api.reference_words import OWN_OPERATIONS, PLAIN_OPERATIONS, SESSION, Words
from chatproxy.conf import conf
from chatproxy.sessions import keys
from chatproxy.upstream.vocabulary import PARTICIPANT_ROUTES, Operation, TokenKind

Node = dict[str, Any]

_PREFIX = "/api/v1/"
_TEXT = {"schema": {"type": "string"}}
_REQUEST_ID = {"x-amzn-RequestId": {"$ref": "#/components/headers/x-amzn-RequestId"}}

_ABOUT = """Start a chat with `POST /api/v1/sessions`: the answer's `key` is all a client keeps.
Everything else about the conversation is the Amazon Connect Participant API, under
`/participant/`, with keys of ours where it has tokens. A page for people is at `/api/docs`."""

_TAGS = {
    "Chat": "Start a chat and look after its session.",
    "Participant": "Amazon's Participant Service, wire-compatible.",
    "Websocket": "What CreateParticipantConnection hands out.",
    "Widget": "What a page needs to know before there is a chat.",
    "Operation": "For whoever runs this.",
}

_SECURITY = {
    "sessionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Amz-Bearer",
        "description": "Session key `sk1.…`, from the start of a chat. "
        "`Authorization: Bearer` is read too.",
    },
    "connectionKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-Amz-Bearer",
        "description": "Connection key `ck1.…`, from CreateParticipantConnection. Good for a day.",
    },
    "ticket": {
        "type": "apiKey",
        "in": "query",
        "name": "ticket",
        "description": "Part of the websocket URL: opens one socket, once, within 100 seconds.",
    },
    "metricsToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "The value of `CHAT_METRICS_TOKEN`.",
    },
}

_HEADERS = {
    "x-amzn-RequestId": {
        "description": "This request's id; also `instance` of a problem, and in our log.",
        "schema": {"type": "string", "format": "uuid"},
    },
    "x-amzn-ErrorType": {
        "description": "The service's name for the error; AWS SDKs raise it.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds to wait. Only where waiting helps.",
        "schema": {"type": "integer", "minimum": 1},
    },
}


@require_safe
def openapi_json(request: HttpRequest) -> HttpResponseBase:
    """GET /api/v1/openapi.json: the document, with an ETag."""
    body, etag = _encoded(conf.public_url)
    response = HttpResponse(body, content_type="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@lru_cache(maxsize=2)
def _encoded(public_url: str) -> tuple[bytes, str]:
    text = json.dumps(document(public_url), ensure_ascii=False)
    return text.encode(), quote_etag(keys.digest(text)[:24])


@lru_cache(maxsize=2)
def document(public_url: str) -> Node:
    """The OpenAPI 3.1 document for a deployment at ``public_url``. Shared: do not change it."""
    ours = api.get_openapi_schema(path_prefix=_PREFIX)
    schemas = service_model.Schemas()
    return {
        "openapi": "3.1.0",
        "info": {"title": "chatproxy", "version": __version__, "description": _ABOUT},
        "servers": [{"url": public_url}],
        "tags": [{"name": name, "description": words} for name, words in _TAGS.items()],
        "paths": _own_paths(ours["paths"]) | _participant_paths(schemas) | _plain_paths(),
        "components": {
            "schemas": ours["components"]["schemas"] | schemas.named,
            "examples": dict(_problem_examples()),
            "headers": _HEADERS,
            "securitySchemes": _SECURITY,
        },
    }


# --- our own routes -----------------------------------------------------------------------------


def _own_paths(paths: Node) -> Node:
    return {
        path: {
            method: _own_operation(OWN_OPERATIONS[method, path], path, made)
            for method, made in methods.items()
        }
        for path, methods in paths.items()
    }


def _own_operation(words: Words, path: str, made: Node) -> Node:
    """What ninja made of a route, with our words, and the problems it has instead of might have."""
    succeeded = {
        str(code): {**answer, "headers": _REQUEST_ID}
        for code, answer in made["responses"].items()
        if code < 400
    }
    for answer in succeeded.values():
        if words.answer is not None:
            answer["content"]["application/json"]["example"] = words.answer
            answer["content"] |= dict.fromkeys(words.also, _TEXT)
    operation = {
        "operationId": words.id,
        "tags": ["Widget" if "/widgets/" in path else "Chat"],
        "summary": made["summary"],
        "description": f"{made.get('description', '')}\n\n{words.notes}".strip(),
        "parameters": made.get("parameters", []),
        "responses": succeeded | _failures(words, "api"),
        "security": [] if words.is_open else [{"sessionKey": []}],
    }
    if "requestBody" in made:
        operation["requestBody"] = made["requestBody"]
        operation["requestBody"]["content"]["application/json"]["example"] = words.request
    return operation


# --- the service's ------------------------------------------------------------------------------


def _participant_paths(schemas: service_model.Schemas) -> Node:
    model = service_model.service()
    return {
        route.path: {
            route.method.lower(): _participant_operation(name, model.operation_model(name), schemas)
        }
        for name, route in PARTICIPANT_ROUTES.items()
    }


def _participant_operation(
    name: Operation, model: OperationModel, schemas: service_model.Schemas
) -> Node:
    words, body = PARTICIPANT_OPERATIONS[name], schemas.request_body(model)
    takes_session_key = PARTICIPANT_ROUTES[name].token is TokenKind.PARTICIPANT
    operation: Node = {
        "operationId": words.id,
        "tags": ["Participant"],
        "summary": words.summary,
        "description": words.notes,
        "externalDocs": {
            "description": "Amazon's own reference",
            "url": "https://docs.aws.amazon.com/connect-participant/latest/APIReference/"
            f"API_{name}.html",
        },
        "responses": {
            "200": {
                "description": "Done.",
                "headers": _REQUEST_ID,
                "content": {
                    "application/json": {"schema": schemas.answer(model), "example": words.answer}
                },
            },
            **_failures(words, "participant"),
        },
        "security": [{"sessionKey" if takes_session_key else "connectionKey": []}],
    }
    if body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": body, "example": words.request}},
        }
    if name is Operation.DESCRIBE_VIEW:
        operation["parameters"] = [_view_token(model)]
    return operation


def _view_token(model: OperationModel) -> Node:
    return {
        "name": "ViewToken",
        "in": "path",
        "required": True,
        "description": "From an interactive message; percent-encoded.",
        "schema": service_model.parameter(model.input_shape.members["ViewToken"]),  # type: ignore[union-attr]
    }


# --- the rest: socket, health, metrics, this document ------------------------------------------


def _plain_paths() -> Node:
    return {path: {"get": {**made}} for path, made in PLAIN_OPERATIONS.items()}


# --- what can go wrong --------------------------------------------------------------------------


def problem_example(name: str) -> Node:
    """A problem of this type as ``/api/v1/`` answers it."""
    row = next(row for row in PROBLEMS if row.type == name)
    return row.body(row.status, SESSION)


def _failures(words: Words, door: str) -> Node:
    """One response per status an operation can fail with, each with its problems as examples."""
    by_status: dict[int, list[Problem]] = defaultdict(list)
    rows = {row.type: row for row in PROBLEMS}
    for name in words.problems:
        row = rows[name]
        by_status[row.participant_status if door == "participant" else row.status].append(row)
    return {str(status): _failure(by_status[status], door) for status in sorted(by_status)}


def _failure(rows: list[Problem], door: str) -> Node:
    status = rows[0].participant_status if door == "participant" else rows[0].status
    names = sorted({row.error_type for row in rows})
    headers = {"x-amzn-ErrorType": {"$ref": "#/components/headers/x-amzn-ErrorType"}}
    if any(row.retry_after_s for row in rows):
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    return {
        "description": f"{HTTPStatus(status).phrase} ({', '.join(names)}): "
        + "; ".join(f"`{row.type}`" for row in rows),
        "headers": {**_REQUEST_ID, **headers},
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/ProblemBody"},
                "examples": {
                    row.type: {"$ref": f"#/components/examples/{door}.{row.type}"} for row in rows
                },
            }
        },
    }


def _problem_examples() -> Iterator[tuple[str, Node]]:
    for row in PROBLEMS:
        for door, status in _doors(row):
            body = row.body(status, SESSION)
            yield f"{door}.{row.type}", {"summary": row.title, "value": body}


def _doors(row: Problem) -> Iterable[tuple[str, int]]:
    return (("api", row.status), ("participant", row.participant_status))
