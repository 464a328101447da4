"""A widget: one embedded chat, its configuration and its limits. Edited in the admin."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import TextChoices

#: What a form, and a list of several pages, is answered with.
INTERACTIVE_RESPONSE = "application/vnd.amazonaws.connect.message.interactive.response"
DEFAULT_CONTENT_TYPES = ["text/plain", "text/markdown", INTERACTIVE_RESPONSE]
_KEY = RegexValidator(r"\A[a-z0-9][a-z0-9-]{1,62}\Z", "Use 2 to 63 of a-z, 0-9 and '-'.")
_COLOUR = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "Write a colour as #rrggbb, for example #2f55e0.")
_ATTRIBUTE = re.compile(r"\A[A-Za-z0-9_-]{1,127}\Z")


def normal_origin(text: str) -> str:
    """``text`` as a browser writes an origin: scheme, host, port if not the scheme's own.

    Raises:
        ValidationError: not an http(s) origin, or more than one (path, query, wildcard, user).
    """
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError as err:
        raise ValidationError(f"{text!r} is not an origin: {err}.") from err
    scheme, host = parts.scheme.lower(), (parts.hostname or "").lower()
    if scheme not in {"http", "https"} or not host or "*" in host or parts.username is not None:
        raise ValidationError(f"{text!r} is not an origin. Write it like https://www.example.com.")
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise ValidationError(f"{text!r} has a path. An origin ends after host and port.")
    if ":" in host:
        host = f"[{host}]"
    else:
        host = host.encode("idna").decode() if not host.isascii() else host
    default = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{host}" + ("" if port in {None, default} else f":{port}")


def validate_origins(value: object) -> None:
    """Every entry of ``value`` is an origin, written as browsers send it."""
    if not isinstance(value, list):
        raise ValidationError("Give a list of origins.")
    for entry in value:
        if not isinstance(entry, str):
            raise ValidationError(f"{entry!r} is not text.")
        if normal_origin(entry) != entry:
            raise ValidationError(f"Write {entry!r} as {normal_origin(entry)!r}.")


def validate_attribute_names(value: object) -> None:
    """Every entry of ``value`` is a name Connect accepts for a contact attribute."""
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValidationError("Give a list of names.")
    for name in value:
        if not _ATTRIBUTE.match(name):
            raise ValidationError(f"{name!r}: use letters, digits, '_' and '-', 127 at most.")


class Widget(models.Model):
    """One embedded chat. ``key`` is public: it stands in the page's snippet."""

    class Scheme(TextChoices):
        AUTO = "auto", "As the visitor's system"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    class Position(TextChoices):
        RIGHT = "right", "Right"
        LEFT = "left", "Left"

    class Storage(TextChoices):
        LOCAL = "local", "Until the chat is over (localStorage)"
        SESSION = "session", "Until the tab is closed (sessionStorage)"
        MEMORY = "memory", "Until the page is left (nothing stored)"

    key = models.CharField(max_length=63, unique=True, validators=[_KEY])
    name = models.CharField(max_length=100, help_text="For you; visitors do not see it.")
    enabled = models.BooleanField(default=True, help_text="Off: no new chats; open ones go on.")
    allowed_origins = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_origins],
        help_text="Pages that may embed it: scheme, host and port, exactly.",
    )
    accepts_no_origin = models.BooleanField(
        default=False,
        help_text="Accept starts that carry no Origin: your own servers, SDKs, the command line.",
    )

    instance_id = models.CharField(
        max_length=100, blank=True, help_text="Empty: CONNECT_INSTANCE_ID."
    )
    contact_flow_id = models.CharField(
        max_length=500, blank=True, help_text="Empty: CONNECT_CONTACT_FLOW_ID."
    )
    content_types = models.JSONField(default=list, blank=True, help_text="What a visitor may send.")
    attribute_names = models.JSONField(
        default=list,
        blank=True,
        validators=[validate_attribute_names],
        help_text="Contact attributes a page may set. Others are refused.",
    )
    chat_minutes = models.PositiveIntegerField(
        default=1500, validators=[MinValueValidator(60), MaxValueValidator(10080)]
    )
    streams_answers = models.BooleanField(
        default=True, help_text="Ask Connect for bot answers in chunks as they are made."
    )

    title = models.CharField(
        max_length=80, blank=True, help_text="Empty: Chat with us, in the visitor's language."
    )
    subtitle = models.CharField(max_length=120, blank=True)
    visitor_name = models.CharField(
        max_length=256, default="Customer", help_text="Display name when the page gives none."
    )
    accent = models.CharField(max_length=7, default="#2f55e0", validators=[_COLOUR])
    scheme = models.CharField(max_length=5, choices=Scheme.choices, default=Scheme.AUTO)
    position = models.CharField(max_length=5, choices=Position.choices, default=Position.RIGHT)
    storage = models.CharField(max_length=7, choices=Storage.choices, default=Storage.LOCAL)
    attachments = models.BooleanField(default=True)
    attachment_max_bytes = models.PositiveIntegerField(default=20 * 1024 * 1024)
    max_length = models.PositiveIntegerField(
        default=1024,
        validators=[MinValueValidator(1), MaxValueValidator(16384)],
        help_text="Characters per message. 1024 is what every flow takes, a Lex bot included.",
    )
    locale = models.CharField(max_length=35, blank=True, help_text="Empty: the page's language.")
    texts = models.JSONField(default=dict, blank=True, help_text="Texts of your own, by their key.")

    starts_per_day = models.PositiveIntegerField(default=2000, help_text="New chats in 24 hours.")
    live_chats = models.PositiveIntegerField(default=300, help_text="Chats open at one time.")

    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.name} ({self.key})"

    @property
    def sendable_content_types(self) -> list[str]:
        """Content types a visitor may send; plain text is always among them."""
        return list(dict.fromkeys(["text/plain", *(self.content_types or DEFAULT_CONTENT_TYPES)]))
