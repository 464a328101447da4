"""``/api/docs`` and ``/api/docs/problems``: the reference as pages for people.

Made from the OpenAPI document and the table of problems, so nothing can be told twice differently.
No script, no inline style, nothing from another origin.
"""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from chatproxy import __version__
from chatproxy.api import openapi
from chatproxy.api.consumers import FRAMES_PER_10_S, MAX_TEXT
from chatproxy.api.limits import connection_burst
from chatproxy.api.problem_types import PROBLEMS
from chatproxy.conf import conf
from chatproxy.upstream.vocabulary import ATTACHMENTS_PER_CHAT, CONTENT_MAX

Node = dict[str, Any]

# File in templates/reference/examples/ → title and language.
EXAMPLES = {
    "fetch.js": ("A browser, with nothing but fetch", "js"),
    "curl.sh": ("A shell, with curl", "sh"),
    "boto3.py.txt": ("A server, with boto3", "python"),
    "chatjs.js": ("Amazon's ChatJS", "js"),
}
_MARKED = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*")
_SYNTAX = re.compile(
    r"(?P<c>(?:^|(?<=\s))(?:#|//)[^\n]*)"
    r"|(?P<s>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`[^`]*`)"
    r"|(?P<k>\b(?:const|await|async|function|return|import|for|in|new|if|throw|true|false|null)\b)",
    re.M,
)


@require_safe
def reference(request: HttpRequest) -> HttpResponse:
    """GET /api/docs."""
    document = openapi.document(conf.public_url)
    groups = {tag["name"]: _operations(document, tag["name"]) for tag in document["tags"]}
    return _page(
        request,
        "reference/page.html",
        {
            "groups": groups,
            "start": _example("start.js", "js"),
            "embed": _example("embed.html", "html"),
            "examples": [
                {"title": title, "language": language, "code": _example(name, language)}
                for name, (title, language) in EXAMPLES.items()
            ],
            "problem": _highlighted(_json(openapi.problem_example("invalid-fields")), "json"),
            "limits": _limits(),
            "frame_characters": f"{MAX_TEXT:,}",
            "frames_per_10_s": FRAMES_PER_10_S,
        },
    )


@require_safe
def problem_types(request: HttpRequest) -> HttpResponse:
    """GET /api/docs/problems: one anchor per problem type; the ``type`` URIs lead here."""
    rows = [{"row": row, "when": _prose(row.when)} for row in PROBLEMS]
    return _page(request, "reference/problems.html", {"problems": rows})


def _page(request: HttpRequest, template: str, context: Node) -> HttpResponse:
    response = render(
        request, template, {**context, "url": conf.public_url, "version": __version__}
    )
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


# --- operations ---------------------------------------------------------------------------------


def _operations(document: Node, tag: str) -> list[Node]:
    return [
        _operation(document, path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if operation["tags"] == [tag]
    ]


def _operation(document: Node, path: str, method: str, operation: Node) -> Node:
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    success = next(code for code in operation["responses"] if int(code) < 400)
    answer = operation["responses"][success].get("content", {}).get("application/json", {})
    parameters = [
        _field(each["name"], each["schema"], each.get("description", ""), each.get("required"))
        for each in operation.get("parameters", [])
    ]
    return {
        "id": operation["operationId"],
        "method": method.upper(),
        "path": path,
        "summary": operation["summary"],
        "paragraphs": [_prose(text) for text in operation.get("description", "").split("\n\n")],
        "key": next((name for each in operation["security"] for name in each), ""),
        "fields": parameters + _fields(document, body.get("schema")),
        "answer_fields": _fields(document, answer.get("schema")),
        "request": _sample(body),
        "success": success,
        "answer": _sample(answer),
        "failures": _failures(operation),
        "amazon": operation.get("externalDocs", {}).get("url", ""),
    }


def _fields(document: Node, schema: Node | None) -> list[Node]:
    resolved = _resolved(document, schema or {})
    required = resolved.get("required", [])
    return [
        _field(name, each, each.get("description", ""), name in required)
        for name, each in resolved.get("properties", {}).items()
    ]


def _resolved(document: Node, schema: Node) -> Node:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Node = document["components"]["schemas"][name] if name else schema
    return found


def _field(name: str, schema: Node, description: str, required: bool | None) -> Node:
    return {
        "name": name,
        "type": _type(schema),
        "description": _prose(description),
        "required": bool(required),
    }


def _type(schema: Node) -> str:
    """A schema in a few words: ``string, 1 to 500``."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    words = "time" if schema.get("format") == "date-time" else str(schema.get("type", "any"))
    low = schema.get("minLength", schema.get("minimum"))
    high = schema.get("maxLength", schema.get("maximum"))
    return words + _between(low, high)


def _between(low: int | None, high: int | None) -> str:
    if low is not None and high is not None:
        return f", {low:,}" if low == high else f", {low:,} to {high:,}"
    if high is not None:
        return f", up to {high:,}"
    return f", at least {low:,}" if low else ""


def _failures(operation: Node) -> list[Node]:
    return [
        {"status": code, "types": list(answer["content"]["application/problem+json"]["examples"])}
        for code, answer in operation["responses"].items()
        if int(code) >= 400 and "application/problem+json" in answer.get("content", {})
    ]


# --- words and code -----------------------------------------------------------------------------


def _sample(content: Node) -> SafeString | None:
    made = content.get("example")
    return _highlighted(_json(made), "json") if made else None


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _example(name: str, language: str) -> SafeString:
    widget = "demo" if conf.demo else "your-widget"
    text = render_to_string(
        f"reference/examples/{name}", {"url": conf.public_url, "widget": widget}
    )
    return _highlighted(text.strip(), language)


def _prose(text: str) -> SafeString:
    """Our few marks of Markdown as HTML; everything else is text."""
    return _joined(text.replace("``", "`"), _MARKED, _emphasised)


def _emphasised(found: re.Match[str]) -> SafeString:
    code, strong = found.groups()
    return format_html("<code>{}</code>" if code else "<strong>{}</strong>", code or strong)


def _highlighted(code: str, language: str) -> SafeString:
    """Comments, strings and keywords in spans; everything else is text."""
    if language == "html":
        return format_html("{}", code)
    return _joined(code, _SYNTAX, _coloured)


def _coloured(found: re.Match[str]) -> SafeString:
    return format_html('<span class="{}">{}</span>', found.lastgroup, found.group())


def _joined(text: str, pattern: re.Pattern[str], made: Any) -> SafeString:
    pieces: list[str] = []
    end = 0
    for found in pattern.finditer(text):
        pieces += [text[end : found.start()], made(found)]
        end = found.end()
    return format_html_join("", "{}", ((piece,) for piece in [*pieces, text[end:]]))


def _limits() -> list[tuple[str, str]]:
    hours = f"{conf.ended_readable_s / 3600:g} hours"
    return [
        ("New chats from one address", conf.starts_per_address.replace("/", " a ")),
        ("Requests with one key", conf.requests_per_key.replace("/", " a ")),
        ("A message", f"{CONTENT_MAX:,} UTF-8 bytes; a widget may set fewer characters"),
        ("A request body", "262,144 bytes; 4,096 for CreateParticipantConnection"),
        ("Attachments in one chat", str(ATTACHMENTS_PER_CHAT)),
        ("Sockets of one session", f"{conf.tabs_per_session}; one more closes the oldest"),
        (
            "Connections of one session",
            f"{connection_burst()} at once, then one a second; more of them wait",
        ),
        ("A websocket URL", "opens one socket, within 100 seconds"),
        ("A connection key", "one day; ask for another any time"),
        ("A session key after the chat", f"reads it for {hours}"),
        ("Amazon's own rates", "shared by all chats: beyond them 429 or 503, with Retry-After"),
    ]
