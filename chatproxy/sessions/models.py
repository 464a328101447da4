"""What is remembered of each chat: fields, constraints and querysets; no operations.

Tokens and everything people wrote are sealed (``vault.py``) before they reach a column.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils import timezone

from chatproxy.widgets.models import Widget


class State(models.TextChoices):
    """The states of a session (design: starting, active, leaving, ended, failed, expired)."""

    STARTING = "starting", "Starting"
    ACTIVE = "active", "Active"
    LEAVING = "leaving", "Leaving"
    ENDED = "ended", "Ended"
    FAILED = "failed", "Failed"
    EXPIRED = "expired", "Expired"


LIVE_STATES = (State.STARTING, State.ACTIVE, State.LEAVING)


class EndedBy(models.TextChoices):
    CUSTOMER = "customer", "Customer"
    AGENT = "agent", "Agent"
    OPERATOR = "operator", "Operator"
    SERVICE = "service", "Connect"


class ChatSessionQuerySet(models.QuerySet["ChatSession"]):
    def live(self) -> ChatSessionQuerySet:
        """Sessions whose chat is going on."""
        return self.filter(state__in=LIVE_STATES)

    def linkable(self) -> ChatSessionQuerySet:
        """Sessions that should have a link: connected once, not over."""
        return self.filter(state__in=(State.ACTIVE, State.LEAVING), connected_at__isnull=False)

    def without_link(self) -> ChatSessionQuerySet:
        """Linkable sessions no process holds a link for, or none that means to keep it."""
        staying = LinkLease.objects.filter(
            session=models.OuterRef("pk"), expires_at__gt=timezone.now(), is_leaving=False
        )
        return self.linkable().filter(~models.Exists(staying))

    def started_since(self, since: timedelta) -> ChatSessionQuerySet:
        return self.filter(created_at__gte=timezone.now() - since)


class ChatSession(models.Model):
    """Our record of one visitor's contact."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    widget = models.ForeignKey(Widget, on_delete=models.PROTECT, related_name="sessions")
    state = models.CharField(max_length=8, choices=State.choices, default=State.STARTING)
    origin = models.CharField(max_length=255, blank=True, help_text="Empty: started without one.")
    client_token_digest = models.CharField(max_length=64, null=True, editable=False)  # noqa: DJ001 - unique, so absent must be NULL
    display_name = models.CharField(max_length=256)
    attributes = models.JSONField(default=dict, blank=True)

    contact_id = models.CharField(max_length=256, blank=True)
    participant_id = models.CharField(max_length=256, blank=True)
    continued_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="continuations"
    )
    participant_token_sealed = models.TextField(blank=True, editable=False)
    connection_token_sealed = models.TextField(blank=True, editable=False)
    connection_expiry = models.DateTimeField(null=True, editable=False)
    connection_generation = models.PositiveIntegerField(default=0, editable=False)
    previous_token_sealed = models.TextField(blank=True, editable=False)
    previous_expiry = models.DateTimeField(null=True, editable=False)

    #: Tries at StartChatContact that may yet bring a contact, or have: those under way, and those
    #: whose outcome nobody knows. (A default of the database's own: older processes insert too.)
    open_tries = models.PositiveIntegerField(default=0, db_default=0, editable=False)

    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    connected_at = models.DateTimeField(null=True, blank=True)
    last_activity_at = models.DateTimeField(default=timezone.now)
    left_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=8, choices=EndedBy.choices, blank=True)
    expires_at = models.DateTimeField()
    incomplete_since = models.DateTimeField(
        null=True, blank=True, help_text="The chat ended unseen; items after this may be missing."
    )
    failure = models.CharField(max_length=300, blank=True)

    messages_in = models.PositiveIntegerField(default=0, help_text="From the customer.")
    messages_out = models.PositiveIntegerField(default=0, help_text="To the customer.")
    errors = models.PositiveIntegerField(default=0)
    rating_score = models.PositiveSmallIntegerField(null=True, blank=True)
    rating_comment_sealed = models.TextField(blank=True, editable=False)

    objects: ClassVar = ChatSessionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["widget", "client_token_digest"], name="one_session_per_client_token"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "last_activity_at"], name="session_by_state"),
            models.Index(fields=["widget", "created_at"], name="session_by_widget"),
            models.Index(fields=["contact_id"], name="session_by_contact"),
            models.Index(fields=["participant_id"], name="session_by_participant"),
            models.Index(fields=["created_at"], name="session_by_start"),
        ]
        verbose_name = "session"
        permissions: ClassVar = [
            ("view_transcript", "Can read what people wrote"),
            ("end_chat", "Can end chats"),
            ("revoke_keys", "Can revoke session keys"),
        ]

    def __str__(self) -> str:
        return f"{str(self.id)[:8]} ({self.state})"

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_STATES


class SessionKey(models.Model):
    """One session key: what one device holds. Only a digest is kept."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="keys")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"key {self.pk} of {self.session_id}"

    @property
    def fingerprint(self) -> str:
        """The first characters of the digest: enough to tell keys apart, useless to hold."""
        return self.digest[:12]


class SpentTicket(models.Model):
    """A ticket that has opened its socket; kept until it would have expired anyway."""

    nonce = models.CharField(max_length=32, primary_key=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.nonce[:6]


class LinkLease(models.Model):
    """Who holds a link for a session, for how long, and how many tabs it feeds."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="leases")
    holder = models.CharField(max_length=120)
    link_state = models.CharField(max_length=12)
    tabs = models.PositiveIntegerField(default=0)
    #: Its process is told to stop, and keeps the link only until another has one.
    is_leaving = models.BooleanField(default=False, db_default=False)
    opened_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "holder"], name="one_lease_per_holder")
        ]

    def __str__(self) -> str:
        return f"{self.session_id} at {self.holder}"


class ServerProcess(models.Model):
    """A process that serves; not seen for as long as a lease lasts, it is gone."""

    holder = models.CharField(max_length=120, primary_key=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)
    is_leaving = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.holder


class SessionEvent(models.Model):
    """One line of a session's technical timeline: what happened, never what was said."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=40)
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        indexes: ClassVar = [models.Index(fields=["session", "at"], name="event_by_session")]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.kind}"

    @property
    def is_error(self) -> bool:
        """Whether something went wrong."""
        return "error" in self.detail or self.kind == "start_failed"


class StoredItem(models.Model):
    """One transcript item in its newest version, sealed."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="items")
    item_id = models.CharField(max_length=256)
    absolute_time = models.DateTimeField()
    type = models.CharField(max_length=40)
    content_type = models.CharField(max_length=128, blank=True)
    participant_role = models.CharField(max_length=20, blank=True)
    sealed = models.TextField(editable=False)

    class Meta:
        ordering = ["absolute_time", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "item_id"], name="one_row_per_item")
        ]
        indexes: ClassVar = [
            models.Index(fields=["session", "absolute_time", "id"], name="item_in_order")
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.item_id}"


class SentMessage(models.Model):
    """Which item a ClientToken became: for repeats on a token that does not know it."""

    session = models.ForeignKey(ChatSession, on_delete=models.CASCADE, related_name="sent")
    item_id = models.CharField(max_length=256)
    client_token_digest = models.CharField(max_length=64, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "item_id"], name="one_token_per_item")
        ]

    def __str__(self) -> str:
        return f"{self.session_id} sent {self.item_id}"


def aware(text: str) -> datetime:
    """The service's time format as an aware datetime; now, for what is no time at all."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return timezone.now()
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
