"""Our own REST under ``/api/v1``: start a chat, find it again, end it, take it along, rate it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag
from django.utils.module_loading import import_string
from ninja import Router

from chatproxy.api.access import Key, Policy, Visitor, admit
from chatproxy.api.downloads import FORMATS
from chatproxy.api.field_words import pointer
from chatproxy.api.leaving import leave
from chatproxy.api.limits import limit_starts
from chatproxy.api.permits import with_permit
from chatproxy.api.schemas import (
    Can,
    ProblemBody,
    Rating,
    RatingBody,
    SessionAnswer,
    StartAnswer,
    StartBody,
    StartChatResult,
    TranscriptAnswer,
    WidgetAnswer,
)
from chatproxy.api.transcript import items_of
from chatproxy.conf import conf
from chatproxy.sessions import admission, keys, lifecycle, opened, ratings
from chatproxy.sessions.admission import Start
from chatproxy.sessions.errors import (
    ChallengeFailed,
    InvalidFields,
    OriginNotAllowed,
    SessionNotFound,
    WidgetNotFound,
)
from chatproxy.sessions.models import ChatSession, State
from chatproxy.sessions.starting import start_contact
from chatproxy.sessions.vault import SealBroken
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import Disconnection
from chatproxy.upstream.vocabulary import ATTACHMENT_MIME_TYPES
from chatproxy.widgets.lookup import widget_by_key
from chatproxy.widgets.models import Widget

router = Router()

CLIENT_TOKEN_LEAST = 16
READS = Policy(Key.SESSION, live=False, methods=("GET",))
ENDS = Policy(Key.SESSION, live=False, methods=("DELETE",))
RATES = Policy(Key.SESSION, live=False, methods=("PUT",))
OPEN = Policy(Key.NONE)
OPEN_GET = Policy(Key.NONE, methods=("GET",))

_PROBLEMS = dict.fromkeys((400, 401, 403, 404, 409, 410, 422, 429), ProblemBody)
_UPSTREAM_PROBLEMS = dict.fromkeys((502, 503, 504), ProblemBody)


def session_key(policy: Policy) -> Any:
    """ninja's ``auth``: the visitor behind a session key; in OpenAPI, the header it travels in."""

    def authenticate(request: HttpRequest) -> Visitor:
        return admit(request, policy)

    authenticate.policy = policy  # type: ignore[attr-defined]
    return authenticate


def _visitor(request: HttpRequest) -> Visitor:
    return request.auth  # type: ignore[attr-defined, no-any-return]


# --- start --------------------------------------------------------------------------------------


@router.post(
    "/sessions",
    response={201: StartAnswer, **_PROBLEMS, **_UPSTREAM_PROBLEMS},
    auth=None,
    summary="Start a chat, or continue one",
    by_alias=True,
)
def start_session(request: HttpRequest, body: StartBody) -> HttpResponseBase:
    """Starts a contact in Amazon Connect and answers with a session key, shown this once."""
    asked_at = timezone.now()
    widget = _widget_for(body.widget, request)
    _check_fields(widget, body)
    limit_starts(request)
    _check_challenge(request, body)
    start = Start(
        widget=widget,
        origin=request.headers.get("Origin", ""),
        display_name=body.display_name,
        attributes=dict(body.attributes),
        initial_message=body.initial_message,
        client_token=body.client_token,
        continues=_earlier(body, widget) if body.continue_ else None,
    )
    session = admission.prepare(start)
    if session.contact_id:
        return _started(session, lifecycle.replace_key(session, asked_at))

    def call() -> HttpResponse:
        start_contact(session, start.initial_message)
        return _started(session, lifecycle.replace_key(session, asked_at))

    def given_up() -> None:
        lifecycle.fail(session, "Connect was not asked: no room in the instance's quota.")

    instance_id = widget.instance_id or conf.instance_id
    return with_permit(
        instance_id,
        str(session.pk),
        Group.START_CHAT,
        Priority.NEW_CHAT,
        call,
        given_up=given_up,
    )


def _widget_for(key: str, request: HttpRequest) -> Widget:
    widget = widget_by_key(key)
    if widget is None:
        raise WidgetNotFound(f"No widget has the key {key!r}, or it is switched off.")
    origin = request.headers.get("Origin")
    if origin is None:
        if not widget.accepts_no_origin:
            raise OriginNotAllowed(
                "This widget starts chats from web pages only. To start them from a server, "
                "switch on 'accepts no origin' in the admin."
            )
    elif origin not in widget.allowed_origins:
        raise OriginNotAllowed(
            f"Pages at {origin[:100]!r} may not use this widget. "
            "Add that origin to the widget's allowed origins."
        )
    return widget


def _check_fields(widget: Widget, body: StartBody) -> None:
    wrong = [
        {
            "pointer": pointer(["attributes", name]),
            "detail": "The widget does not allow this attribute. Remove it, or add its name to the "
            "widget's in the admin.",
        }
        for name in body.attributes
        if name not in widget.attribute_names
    ]
    if body.client_token and len(body.client_token) < CLIENT_TOKEN_LEAST:
        wrong.append(
            {
                "pointer": "/clientToken",
                "detail": f"It is too short. Use at least {CLIENT_TOKEN_LEAST} random characters, "
                "such as a UUID.",
            }
        )
    if body.identity:
        detail = "Signed identity is not accepted yet. Remove it."
        wrong.append({"pointer": "/identity", "detail": detail})
    if wrong:
        raise InvalidFields(" ".join(f"{one['pointer']}: {one['detail']}" for one in wrong), wrong)


def _check_challenge(request: HttpRequest, body: StartBody) -> None:
    """Ask the configured callable ``(request, answer) -> bool``; none configured: passed."""
    if conf.start_challenge and not import_string(conf.start_challenge)(request, body.challenge):
        raise ChallengeFailed("The challenge was not met. Solve it again and repeat the start.")


def _earlier(body: StartBody, widget: Widget) -> ChatSession:
    """The ended chat a start goes on from; only who holds its key may."""
    chat = opened.open_session(keys.session_id_of(body.continue_))
    chat.key_id(body.continue_)
    row = ChatSession.objects.get(pk=chat.id)
    if row.widget_id != widget.pk or row.state != State.ENDED or not row.contact_id:
        detail = (
            "Only a chat of this widget that has ended can be continued. Remove it to start a new "
            "one."
        )
        raise InvalidFields(detail, [{"pointer": "/continue", "detail": detail}])
    return row


def _started(session: ChatSession, key: str) -> HttpResponse:
    result = StartChatResult(
        ContactId=session.contact_id, ParticipantId=session.participant_id, ParticipantToken=key
    )
    answer = StartAnswer(session=str(session.pk), key=key, start_chat_result=result)
    return _json(answer, 201)


def _json(answer: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(
        answer.model_dump_json(by_alias=True), status=status, content_type="application/json"
    )


# --- the session a key opens ----------------------------------------------------------------------


@router.get(
    "/session",
    response={200: SessionAnswer, **_PROBLEMS},
    auth=session_key(READS),
    summary="The session this key opens",
    by_alias=True,
)
def get_session(request: HttpRequest) -> SessionAnswer:
    """State, times, participant and what it may do. How a reloaded page finds its chat again."""
    chat = _visitor(request).chat
    row = ChatSession.objects.select_related("widget").get(pk=chat.id)
    if row.state == State.EXPIRED:  # within the seconds for which it is remembered
        raise SessionNotFound("The session has expired. Start a new chat.")
    # The other doors may know of the end already, while it is being written down.
    return _answer(row, is_live=row.is_live and chat.is_live)


def _answer(row: ChatSession, is_live: bool) -> SessionAnswer:
    return SessionAnswer(
        session=str(row.pk),
        widget=row.widget.key,
        state=row.state,  # type: ignore[arg-type]
        started_at=row.started_at,
        connected_at=row.connected_at,
        ended_at=row.ended_at,
        ended_by=row.ended_by or None if row.state == State.ENDED else None,  # type: ignore[arg-type]
        expires_at=row.expires_at,
        incomplete_since=row.incomplete_since,
        contact_id=row.contact_id,
        participant_id=row.participant_id,
        display_name=row.display_name,
        can=Can(
            send=is_live,
            attach=is_live and row.state != State.LEAVING and row.widget.attachments,
            rate=bool(row.contact_id),
            download=bool(row.contact_id),
            resume=is_live,
        ),
        rating=_rating(row),
    )


def _rating(row: ChatSession) -> Rating | None:
    if row.rating_score is None:
        return None
    try:
        comment = ratings.comment_on(row)
    except SealBroken:  # its key was taken away; the chat can still be found again
        comment = None
    return Rating(score=row.rating_score, comment=comment)


@router.delete(
    "/session",
    response={204: None, **_PROBLEMS, **_UPSTREAM_PROBLEMS},
    auth=session_key(ENDS),
    summary="End the chat",
)
def end_session(request: HttpRequest) -> HttpResponseBase:
    """Ends the customer's part; the chat is over when ``chat.ended`` comes. Idempotent."""
    chat = opened.reopen(_visitor(request).chat.id)
    if not chat.is_live or chat.state == State.LEAVING:
        return _no_content()
    return leave(chat, chat.generation, Disconnection(), done=_no_content, was_over=_no_content)


def _no_content() -> HttpResponse:
    return HttpResponse(status=204)


@router.get(
    "/session/transcript",
    response={200: TranscriptAnswer, **_PROBLEMS},
    auth=session_key(READS),
    summary="Download the transcript",
    by_alias=True,
)
def download_transcript(request: HttpRequest, format: str = "json") -> HttpResponse:
    """The whole chat as a file, also after the end. ``format``: txt, json or html."""
    made = FORMATS.get(format)
    if made is None:
        detail = "There is no such format. Use txt, json or html."
        raise InvalidFields(detail, [{"pointer": "/format", "detail": detail}])
    row = ChatSession.objects.get(pk=_visitor(request).chat.id)
    return made(
        TranscriptAnswer(
            session=str(row.pk),
            started_at=row.started_at,
            ended_at=row.ended_at,
            incomplete_since=row.incomplete_since,
            items=items_of(str(row.pk)),
        )
    )


@router.put(
    "/session/rating",
    response={204: None, **_PROBLEMS},
    auth=session_key(RATES),
    summary="Rate the chat",
)
def rate_session(request: HttpRequest, body: RatingBody) -> HttpResponse:
    """Score and comment, also after the end; a second rating replaces the first."""
    ratings.rate(_visitor(request).chat.id, body.score, body.comment)
    return _no_content()


# --- widgets ------------------------------------------------------------------------------------


@router.get(
    "/widgets/{key}",
    response={200: WidgetAnswer, **_PROBLEMS},
    auth=None,
    summary="Public configuration of a widget",
    by_alias=True,
)
def get_widget(request: HttpRequest, key: str) -> HttpResponseBase:
    """Looks, texts and limits of one widget. Cacheable, with an ETag."""
    widget = widget_by_key(key) if key.isprintable() else None
    if widget is None:
        raise WidgetNotFound(f"No widget has the key {key!r}, or it is switched off.")
    response = _json(_configuration(widget))
    response.headers["Cache-Control"] = "public, max-age=60, stale-while-revalidate=600"
    etag = quote_etag(keys.digest(response.content.decode())[:24])
    response.headers["ETag"] = etag
    return get_conditional_response(request, etag=etag, response=response) or response


@router.api_operation(["HEAD"], "/widgets/{key}", auth=None, include_in_schema=False)
def head_widget(request: HttpRequest, key: str) -> HttpResponseBase:
    """As GET, for caches and checks that want the ETag alone; the server leaves the body out."""
    return get_widget(request, key)


def _configuration(widget: Widget) -> WidgetAnswer:
    return WidgetAnswer(
        key=widget.key,
        name=widget.title,
        title=widget.title,
        subtitle=widget.subtitle,
        accent=widget.accent,
        scheme=widget.scheme,  # type: ignore[arg-type]
        position=widget.position,  # type: ignore[arg-type]
        storage=widget.storage,  # type: ignore[arg-type]
        attachments=widget.attachments,
        attachment_types=sorted(ATTACHMENT_MIME_TYPES),
        attachment_max_bytes=widget.attachment_max_bytes,
        content_types=widget.sendable_content_types,
        max_length=widget.max_length,
        texts=widget.texts,
        locale=widget.locale or None,
    )
