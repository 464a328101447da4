"""Each mistake in the settings is told by an id, in a sentence, with what to do about it."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import override_settings

from chatproxy.checks import check_settings

GOOD: dict[str, Any] = {
    "CHAT_DEMO": False,
    "SECRET_KEY": "x" * 50,
    "CHAT_VAULT_KEYS": [Fernet.generate_key().decode()],
    "CHAT_PUBLIC_URL": "https://chat.example.com",
    "CONNECT_REGION": "eu-central-1",
    "CONNECT_ENDPOINT_URL": "",
    "CONNECT_PARTICIPANT_ENDPOINT_URL": "",
    "CONNECT_WEBSOCKET_HOSTS": [],
    "REDIS_URL": "",
}

WRONG: list[tuple[str, dict[str, Any]]] = [
    ("E001", {"SECRET_KEY": "short"}),
    ("E002", {"CHAT_VAULT_KEYS": []}),
    ("E003", {"CHAT_VAULT_KEYS": ["not a key"]}),
    ("E004", {"CHAT_PUBLIC_URL": ""}),
    ("E004", {"CHAT_PUBLIC_URL": "https://chat.example.com/path"}),
    ("E005", {"CHAT_PUBLIC_URL": "http://chat.example.com"}),
    ("W001", {"CHAT_PUBLIC_URL": "http://localhost:8000"}),
    ("E006", {"CHAT_DEMO": True}),
    ("E007", {"CONNECT_REGION": ""}),
    ("W008", {"CONNECT_INSTANCE_ID": ""}),
    ("W009", {"CONNECT_CONTACT_FLOW_ID": ""}),
    ("E010", {"CONNECT_ENDPOINT_URL": "http://127.0.0.1:8001"}),
    (
        "E011",
        {
            "CONNECT_ENDPOINT_URL": "http://127.0.0.1:8001",
            "CONNECT_PARTICIPANT_ENDPOINT_URL": "http://127.0.0.1:8001",
        },
    ),
    ("E012", {"CHAT_RETENTION_DAYS": -1}),
    ("E012", {"CHAT_TABS_PER_SESSION": 0}),
    ("E013", {"CHAT_TRUSTED_PROXIES": ["everywhere"]}),
    ("E014", {"CHAT_OPENED_CACHE_SECONDS": 60.0}),
    ("E015", {"UNREAD": {"CHAT_RETENTION_DAYS": "it is not a whole number"}}),
    ("E016", {"CONNECT_QUOTAS": {"mesage": [10, 15]}}),
    ("E016", {"CONNECT_QUOTAS": {"message": [0, 15]}}),
    ("E016", {"CONNECT_QUOTAS": []}),
    ("E017", {"CHAT_STARTS_PER_ADDRESS": "often"}),
    ("E018", {"CHAT_START_CHALLENGE": "no.such.callable"}),
    ("E019", {"CHAT_LOG_LEVEL": "LOUD"}),
    ("E020", {"REDIS_URL": "http://redis"}),
    ("W022", {"STATIC_ROOT": "/nowhere"}),
    ("E023", {"CONNECT_REGION": "mars"}),
    ("E024", {"CONNECT_READ_TIMEOUT_S": -1.0}),
    ("E025", {"CONNECT_INSTANCE_ID": "arn:aws:connect:us-west-2:1:instance/2"}),
    ("W026", {"DEBUG": True}),
    (
        "E027",
        {
            "CONNECT_ENDPOINT_URL": "http://127.0.0.1:8001",
            "CONNECT_PARTICIPANT_ENDPOINT_URL": "sandbox",
            "CONNECT_WEBSOCKET_HOSTS": ["127.0.0.1:8001"],
        },
    ),
    ("E028", {"ALLOWED_HOSTS": ["https://chat.example.com"]}),
    ("E029", {"CONNECT_WEBSOCKET_HOSTS": ["wss://127.0.0.1"]}),
    ("W030", {"UNKNOWN": {"CHAT_PUBLC_URL": "CHAT_PUBLIC_URL"}}),
]


def test_good_settings_raise_nothing() -> None:
    with override_settings(**GOOD):
        assert check_settings() == []


@pytest.mark.parametrize(("number", "wrong"), WRONG, ids=lambda value: str(value)[:40])
def test_each_mistake_is_told_with_what_to_do(number: str, wrong: dict[str, Any]) -> None:
    with override_settings(**{**GOOD, **wrong}):
        found = check_settings()
    assert [each.id for each in found] == [f"chatproxy.{number}"]
    (mistake,) = found
    assert mistake.msg.endswith((".", "?"))
    assert mistake.hint
    assert mistake.hint != mistake.msg


def test_all_mistakes_are_told_at_once() -> None:
    several = {"SECRET_KEY": "missing", "CHAT_VAULT_KEYS": [], "CONNECT_REGION": ""}
    with override_settings(**{**GOOD, **several}):
        assert len(check_settings()) == 3


def test_no_value_is_repeated_that_may_be_a_secret() -> None:
    wrong = {"SECRET_KEY": "tooshort", "CHAT_VAULT_KEYS": ["a-secret"], "REDIS_URL": "x://:pw@host"}
    with override_settings(**{**GOOD, **wrong}):
        told = " ".join(f"{each.msg} {each.hint}" for each in check_settings())
    assert not any(secret in told for secret in ("tooshort", "a-secret", "pw@"))
