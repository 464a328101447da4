"""A chat's transcript as a file: text, JSON or HTML.

What people wrote is data in each of them: HTML is made by Django's template engine, which escapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from django.http import HttpResponse
from django.template.loader import render_to_string

from chatproxy.api.schemas import TranscriptAnswer
from chatproxy.sessions.spoken import spoken


def as_text(transcript: TranscriptAnswer) -> HttpResponse:
    """One line per item: time, who, what."""
    lines = [
        f"{line['time']}  {line['who'] and line['who'] + ': '}{line['what']}"
        for line in _lines(transcript)
    ]
    if transcript.incomplete_since:
        since = f"{transcript.incomplete_since:%Y-%m-%d %H:%M:%S}"
        lines.append(f"(Messages after {since} may be missing.)")
    return _file("\n".join(lines) + "\n", "text/plain; charset=utf-8", "txt")


def as_json(transcript: TranscriptAnswer) -> HttpResponse:
    """The items as GetTranscript has them, oldest first."""
    body = json.dumps(transcript.model_dump(mode="json", by_alias=True))
    return _file(body, "application/json", "json")


def as_html(transcript: TranscriptAnswer) -> HttpResponse:
    """A plain page to keep or print."""
    context = {"lines": _lines(transcript), "incomplete_since": transcript.incomplete_since}
    page = render_to_string("download/transcript.html", context)
    return _file(page, "text/html; charset=utf-8", "html")


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
            "time": line.time[:19].replace("T", " "),
            "who": line.who,
            "what": f"[{line.kind}] {line.text}" if line.kind else line.text,
        }
        for line in map(spoken, transcript.items)
    ]
