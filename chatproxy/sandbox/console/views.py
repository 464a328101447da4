"""HTTP doors of the console: the page, its stream of changes, its actions, its files.

All async: they run on the loop that everything in the sandbox runs on, and take effect at once.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from chatproxy.sandbox.bot import ready
from chatproxy.sandbox.box import current
from chatproxy.sandbox.center import ContactOver
from chatproxy.sandbox.console import stream, summaries
from chatproxy.sandbox.console.actions import ACTIONS, NotPossible
from chatproxy.sandbox.contacts import Contact
from chatproxy.sandbox.uploads import check_file
from chatproxy.sandbox.wire import ServiceError
from chatproxy.upstream.vocabulary import ATTACHMENT_NAME_MAX, ATTACHMENT_TYPES

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
SHOWN_INLINE = frozenset({"image/png", "image/jpeg"})


@require_GET
@ensure_csrf_cookie
async def page(request: HttpRequest) -> HttpResponse:
    """The page; everything in it comes from the stream."""
    response = render(request, "console/page.html", {"ready": ready.MENU})
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response["Cache-Control"] = "no-store"
    return response


@require_GET
async def changes(request: HttpRequest) -> StreamingHttpResponse:
    """What happens from now on, as server-sent events."""
    events = stream.EventStream(current().desk).events()
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    return response


@require_GET
async def chat(request: HttpRequest, contact_id: str) -> JsonResponse:
    """One chat with its transcript; from now on its frames are in the stream."""
    contact = _contact(contact_id)
    stream.watch(contact)
    return JsonResponse(summaries.detail(current().desk, contact))


@require_POST
async def act(request: HttpRequest, contact_id: str, action: str) -> JsonResponse:
    """One of ``actions.ACTIONS``; 409 with a sentence when it is not possible now."""
    perform = ACTIONS.get(action)
    if perform is None:
        raise Http404(action)
    contact = _contact(contact_id)
    try:
        return JsonResponse(perform(current().desk, contact, _json(request)))
    except NotPossible as error:
        return _refused(str(error))
    except ContactOver:
        return _refused("This chat has ended.")


@require_POST
async def rename(request: HttpRequest) -> JsonResponse:
    """Change the agent's display name."""
    desk = current().desk
    desk.rename(str(_json(request).get("name", "")))
    return JsonResponse({"name": desk.name})


@require_POST
async def upload(request: HttpRequest, contact_id: str) -> JsonResponse:
    """Send the body as a file; its name is in the query, its type in ``Content-Type``."""
    center, desk = current().center, current().desk
    contact, agent = _contact(contact_id), desk.agent_in(_contact(contact_id))
    name = request.GET.get("name", "").strip()[-ATTACHMENT_NAME_MAX:]
    if agent is None:
        return _refused("Take the chat first.")
    if not name or not request.body:
        return _refused("The file is empty.")
    kind = _type_of(name, request.headers.get("Content-Type", ""))
    try:
        check_file(center.options, contact, name, kind, len(request.body))
        item = center.attach(contact, agent, name, kind, request.body)
    except ServiceError as error:
        return _refused(f"{error.message}.")
    except ContactOver:
        return _refused("This chat has ended.")
    return JsonResponse({"item": item.entry()})


@require_GET
async def download(request: HttpRequest, contact_id: str, attachment_id: str) -> HttpResponse:
    """A file of the chat: pictures to look at, everything else to save."""
    file = current().center.files.get(attachment_id)
    contact = _contact(contact_id)
    if file is None or file.data is None:
        raise Http404(attachment_id)
    if file.initial_contact_id not in {
        contact.initial_contact_id,
        *(past.initial_contact_id for past in contact.past),
    }:
        raise Http404(attachment_id)
    inline = file.content_type in SHOWN_INLINE and "save" not in request.GET
    response = HttpResponse(file.data, content_type=file.content_type)
    disposition = "inline" if inline else "attachment"
    response["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(file.name, safe='')}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


def _type_of(name: str, header: str) -> str:
    """A file's type; by its name where the browser knows none."""
    kind = header.partition(";")[0].strip()
    if kind not in ("", "application/octet-stream"):
        return kind
    extension = name.rpartition(".")[2].lower()
    return ATTACHMENT_TYPES.get(extension, (kind or "application/octet-stream",))[0]


def _contact(contact_id: str) -> Contact:
    contact = current().center.contacts.get(contact_id)
    if contact is None:
        raise Http404(contact_id)
    return contact


def _json(request: HttpRequest) -> Mapping[str, Any]:
    try:
        value = json.loads(request.body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _refused(sentence: str) -> JsonResponse:
    return JsonResponse({"message": sentence}, status=409)
