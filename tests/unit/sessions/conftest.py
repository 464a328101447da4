"""Sessions as they may stand in the database, and somebody who looks at them."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from chatproxy.sessions import items
from chatproxy.sessions.models import ChatSession, State, StoredItem
from chatproxy.widgets.models import Widget

MakeSession = Callable[..., ChatSession]
LogIn = Callable[..., Client]


@pytest.fixture
def widget(db: None) -> Widget:
    return Widget.objects.create(key="shop", name="Shop", allowed_origins=["https://shop.example"])


@pytest.fixture
def make_session(widget: Widget) -> MakeSession:
    """``make_session(ago=minutes, **fields)``: a session that is active unless told otherwise."""

    def make_session(ago: float = 1, **fields: Any) -> ChatSession:
        now = timezone.now()
        then = now - timedelta(minutes=ago)
        facts: dict[str, Any] = {
            "widget": widget,
            "state": State.ACTIVE,
            "origin": "https://shop.example",
            "display_name": "Ada",
            "contact_id": str(uuid.uuid4()),
            "participant_id": str(uuid.uuid4()),
            "created_at": then,
            "started_at": then,
            "connected_at": then,
            "last_activity_at": then,
            "expires_at": now + timedelta(days=1),
        }
        return ChatSession.objects.create(**{**facts, **fields})

    return make_session


@pytest.fixture
def log_in(db: None) -> LogIn:
    """``log_in("view_chatsession", …)``: a client of somebody with these permissions."""

    def log_in(*permissions: str, superuser: bool = False) -> Client:
        name = f"user-{uuid.uuid4()}"
        user = get_user_model().objects.create_user(
            name, password="x", is_staff=True, is_superuser=superuser
        )
        found = Permission.objects.filter(codename__in=permissions)
        assert len(found) == len(permissions)
        user.user_permissions.set(found)
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def admin(log_in: LogIn) -> Client:
    return log_in(superuser=True)


def say(session: ChatSession, text: str, *, minute: int = 0, **more: Any) -> dict[str, Any]:
    """Store one item of the session; what it looks like on the wire."""
    item = {
        "Id": str(uuid.uuid4()),
        "AbsoluteTime": f"2026-11-22T10:{minute:02}:00.000Z",
        "Type": "MESSAGE",
        "ContentType": "text/plain",
        "Content": text,
        "ParticipantRole": "CUSTOMER",
        "DisplayName": "Ada",
        **more,
    }
    items.append([(str(session.pk), item)])
    return item


def sealed_with_a_lost_key(item: dict[str, Any]) -> None:
    """Seal a stored item anew, with a key that is not among ``CHAT_VAULT_KEYS``."""
    lost = Fernet(Fernet.generate_key()).encrypt(b"what nobody reads any more").decode()
    assert StoredItem.objects.filter(item_id=item["Id"]).update(sealed=lost)
