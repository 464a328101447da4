"""Request and response types of ``/api/v1``; the OpenAPI document is made from them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import ConfigDict, PlainSerializer, WithJsonSchema, field_validator
from pydantic.alias_generators import to_camel


def _spelled(moment: datetime) -> str:
    """UTC with milliseconds, as the service spells its own times."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(_spelled, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
ShortText = Annotated[str, Field(max_length=256)]


class Body(Schema):
    """A JSON object in camelCase that refuses members it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")

    @field_validator("*")
    @classmethod
    def _is_text(cls, value: object) -> object:
        """No NUL characters: PostgreSQL can't store them, and nobody writes them."""
        texts = [*value, *value.values()] if isinstance(value, dict) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise ValueError("It holds the character U+0000. Remove that.")
        return value


class Answer(Schema):
    """A JSON object in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class StartBody(Body):
    """What a page asks for when it starts a chat."""

    widget: str = Field(max_length=63, description="The widget's public key.")
    display_name: str = Field("", max_length=256, description="Shown to the agent.")
    attributes: dict[ShortText, Annotated[str, Field(max_length=4096)]] = Field(
        default_factory=dict, description="Contact attributes; only those the widget allows."
    )
    initial_message: str = Field("", max_length=1024, description="Said as the customer at once.")
    identity: str = Field("", max_length=4096, description="Signed identity; not accepted yet.")
    continue_: str = Field(
        "",
        alias="continue",
        max_length=200,
        description="Session key of an earlier chat that this one goes on from.",
    )
    client_token: str = Field(
        "",
        max_length=500,
        description="At least 16 characters only this page can know (a UUID). Repeating a start "
        "with it gives the same session and a fresh key; the key before is revoked.",
    )
    challenge: str = Field("", max_length=4096, description="Answer to the site's challenge.")


class StartChatResult(Schema):
    """As StartChatContact answers, with a session key in place of the token: feed it to ChatJS."""

    ContactId: str
    ParticipantId: str
    ParticipantToken: str


class StartAnswer(Answer):
    """A started chat. ``key`` opens it, from this page on; it is shown this once."""

    session: str
    key: str
    start_chat_result: StartChatResult


class Can(Answer):
    """What this session can do just now."""

    send: bool
    attach: bool
    rate: bool
    download: bool
    resume: bool


class Rating(Answer):
    score: int
    comment: str | None = Field(description="`null`: it cannot be opened any more.")


class SessionAnswer(Answer):
    """The session a key opens: how a reloaded page finds out where it stands."""

    session: str
    widget: str
    state: Literal["starting", "active", "leaving", "ended", "failed"]
    started_at: Moment | None
    connected_at: Moment | None
    ended_at: Moment | None
    ended_by: Literal["customer", "agent", "operator", "service"] | None
    expires_at: Moment
    incomplete_since: Moment | None = Field(
        description="Set when the chat ended unseen: items after this may be missing."
    )
    contact_id: str
    participant_id: str
    display_name: str
    can: Can
    rating: Rating | None


class RatingBody(Body):
    """How the visitor liked the chat."""

    # Strict, as OpenAPI's "integer" is: no text that looks like one, no true.
    score: int = Field(ge=1, le=5, strict=True)
    comment: str = Field("", max_length=2000)


class TranscriptAnswer(Answer):
    """A download: items as GetTranscript has them, oldest first."""

    session: str
    started_at: Moment | None
    ended_at: Moment | None
    incomplete_since: Moment | None
    items: list[dict[str, Any]] = Field(
        description="`Unreadable: true` is on those that cannot be opened any more: an event "
        "without its details, or a plain text in place of a message or file, to say so."
    )


class WidgetAnswer(Answer):
    """Public configuration of one widget."""

    key: str
    name: str
    title: str
    subtitle: str
    accent: str
    scheme: Literal["auto", "light", "dark"]
    position: Literal["right", "left"]
    storage: Literal["local", "session", "memory"]
    attachments: bool
    attachment_types: list[str]
    attachment_max_bytes: int
    content_types: list[str]
    max_length: int
    texts: dict[str, str]
    locale: str | None


class FieldError(Schema):
    pointer: str
    detail: str


class ProblemBody(Schema):
    """The one error shape: RFC 9457, and readable by AWS SDKs (``message``)."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    message: str
    errors: list[FieldError] | None = None
