"""A chat's transcript as a file: text, JSON or HTML.

What people wrote is data in each of them: HTML is made by Django's template engine, which escapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.template import engines

from chatproxy.api.schemas import TranscriptAnswer
from chatproxy.upstream.vocabulary import EventType, ItemType

Wire = dict[str, Any]

_EVENTS = {
    EventType.PARTICIPANT_JOINED: "joined",
    EventType.PARTICIPANT_LEFT: "left",
    EventType.PARTICIPANT_INVITED: "was invited",
    EventType.TRANSFER_SUCCEEDED: "transferred the chat",
    EventType.TRANSFER_FAILED: "could not transfer the chat",
    EventType.CHAT_ENDED: "The chat ended",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Chat transcript</title></head><body>
<h1>Chat transcript</h1>
{% if incomplete_since %}<p>Messages after {{ incomplete_since }} may be missing.</p>{% endif %}
<dl>{% for line in lines %}<dt>{{ line.time }} {{ line.who }}</dt><dd>{{ line.what|linebreaksbr
}}</dd> {% endfor %}</dl></body></html>
"""


def as_text(transcript: TranscriptAnswer) -> HttpResponse:
    """One line per item: time, who, what."""
    lines = [
        f"{line['time']}  {line['who']}: {line['what']}".strip() for line in _lines(transcript)
    ]
    if transcript.incomplete_since:
        lines.append(
            f"(Messages after {transcript.incomplete_since:%Y-%m-%d %H:%M} may be missing.)"
        )
    return _file("\n".join(lines) + "\n", "text/plain; charset=utf-8", "txt")


def as_json(transcript: TranscriptAnswer) -> HttpResponse:
    """The items as GetTranscript has them, oldest first."""
    body = json.dumps(transcript.model_dump(mode="json", by_alias=True))
    return _file(body, "application/json", "json")


def as_html(transcript: TranscriptAnswer) -> HttpResponse:
    """A plain page to keep or print."""
    page = engines["django"].from_string(_PAGE)
    context = {"lines": _lines(transcript), "incomplete_since": transcript.incomplete_since}
    return _file(page.render(context), "text/html; charset=utf-8", "html")


FORMATS: dict[str, Callable[[TranscriptAnswer], HttpResponse]] = {
    "txt": as_text,
    "json": as_json,
    "html": as_html,
}


def _file(content: str, content_type: str, ending: str) -> HttpResponse:
    response = HttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="chat.{ending}"'
    return response


def _lines(transcript: TranscriptAnswer) -> list[dict[str, str]]:
    return [
        {
            "time": str(item.get("AbsoluteTime", ""))[:19].replace("T", " "),
            "who": str(item.get("DisplayName") or ""),
            "what": said(item),
        }
        for item in transcript.items
    ]


def said(item: Wire) -> str:
    """What an item says, in words."""
    kind, content_type = item.get("Type"), str(item.get("ContentType", ""))
    if kind == ItemType.ATTACHMENT:
        names = [str(file.get("AttachmentName", "")) for file in item.get("Attachments") or []]
        return "[file] " + ", ".join(names)
    if kind == ItemType.EVENT:
        return _EVENTS.get(content_type, content_type.rpartition("event.")[2])  # type: ignore[call-overload, no-any-return]
    content = str(item.get("Content", ""))
    if content_type.startswith("application/"):
        return title_of(content) or f"[{content_type}]"
    return content


def title_of(content: str) -> str:
    """The title of an interactive message, if it has one."""
    try:
        data = json.loads(content)["data"]
        return str(data["content"]["title"])
    except (ValueError, KeyError, TypeError):
        return ""
