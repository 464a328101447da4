"""Each rule for settings: what is wrong, and what to do about it."""

import pytest
from django.test import override_settings

from chatproxy.checks import check_settings

SANDBOX = "http://127.0.0.1:8001"
WRONG = [
    ({"SECRET_KEY": "short"}, "CHAT_SECRET_KEY", "50 random characters"),
    ({"CHAT_VAULT_KEYS": []}, "CHAT_VAULT_KEYS", "Fernet"),
    ({"CHAT_VAULT_KEYS": ["not-fernet"]}, "CHAT_VAULT_KEYS", "32 bytes"),
    ({"CHAT_PUBLIC_URL": ""}, "CHAT_PUBLIC_URL", "no path"),
    ({"CHAT_PUBLIC_URL": "chat.example.com"}, "CHAT_PUBLIC_URL", "no path"),
    ({"CHAT_PUBLIC_URL": "https://chat.example.com/path"}, "CHAT_PUBLIC_URL", "no path"),
    ({"CHAT_PUBLIC_URL": "http://chat.example.com"}, "CHAT_PUBLIC_URL", "https"),
    ({"CHAT_PUBLIC_URL": "http://localhost:8000"}, "CHAT_PUBLIC_URL", "127.0.0.1"),
    (
        {"CHAT_DEMO": True, "CHAT_PUBLIC_URL": "https://chat.example.com"},
        "CHAT_DEMO",
        "unset CHAT_DEMO",
    ),
    ({"CONNECT_REGION": ""}, "CONNECT_REGION", "AWS region"),
    ({"CONNECT_INSTANCE_ID": ""}, "CONNECT_INSTANCE_ID", "Connect console"),
    ({"CONNECT_CONTACT_FLOW_ID": ""}, "CONNECT_CONTACT_FLOW_ID", "Connect console"),
    ({"CONNECT_ENDPOINT_URL": ""}, "CONNECT_ENDPOINT_URL", "set both, or neither"),
    (
        {"CONNECT_PARTICIPANT_ENDPOINT_URL": ""},
        "CONNECT_PARTICIPANT_ENDPOINT_URL",
        "set both, or neither",
    ),
    ({"CONNECT_WEBSOCKET_HOSTS": []}, "CONNECT_WEBSOCKET_HOSTS", "127.0.0.1:8001"),
    ({"CHAT_RETENTION_DAYS": -1}, "CHAT_RETENTION_DAYS", "0 or more"),
    ({"CHAT_SESSION_IDLE_SECONDS": 10}, "CHAT_SESSION_IDLE_SECONDS", "300 or more"),
    ({"CHAT_TABS_PER_SESSION": 0}, "CHAT_TABS_PER_SESSION", "1 or more"),
    ({"UNREAD": {"CHAT_GOVERNOR": "it is not true or false"}}, "CHAT_GOVERNOR", "unset it"),
    ({"REDIS_URL": "localhost"}, "REDIS_URL", "redis://"),
    ({"CONNECT_QUOTAS": [20]}, "CONNECT_QUOTAS", "Groups: connection"),
    ({"CONNECT_QUOTAS": {"mesage": [20, 30]}}, "'mesage' is no group", "Groups: connection"),
    ({"CONNECT_QUOTAS": {"message": [0, 30]}}, "pair of numbers", "[20, 30]"),
    ({"CONNECT_QUOTAS": {"message": 20}}, "pair of numbers", "[20, 30]"),
    ({"CHAT_STARTS_PER_ADDRESS": "many"}, "CHAT_STARTS_PER_ADDRESS", "10/minute"),
    ({"CHAT_REQUESTS_PER_KEY": "20"}, "CHAT_REQUESTS_PER_KEY", "10/minute"),
    ({"CHAT_TRUSTED_PROXIES": ["the balancer"]}, "CHAT_TRUSTED_PROXIES", "10.0.0.0/8"),
    ({"CHAT_OPENED_CACHE_SECONDS": 60.0}, "CHAT_OPENED_CACHE_SECONDS", "15 seconds"),
    ({"CHAT_START_CHALLENGE": "shop.captcha.check"}, "CHAT_START_CHALLENGE", "unset it"),
    ({"CHAT_START_CHALLENGE": "chatproxy.conf.conf"}, "CHAT_START_CHALLENGE", "callable"),
    ({"CHAT_LOG_LEVEL": "LOUD"}, "CHAT_LOG_LEVEL", "WARNING"),
    ({"CHAT_LOG_FORMAT": "xml"}, "CHAT_LOG_FORMAT", "json or text"),
]


def test_the_settings_of_the_tests_pass() -> None:
    assert check_settings() == []


@pytest.mark.parametrize(("changed", "names", "hints"), WRONG)
def test_a_mistake_is_named_with_a_hint(changed: dict[str, object], names: str, hints: str) -> None:
    with override_settings(**{"CHAT_DEMO": False, **changed}):
        found = check_settings()
    assert len(found) == 1, found
    assert names in found[0].msg
    assert hints in str(found[0].hint)


def test_every_rule_has_an_id_of_its_own() -> None:
    ids = []
    for changed, _, _ in WRONG:
        with override_settings(**changed):
            ids += [message.id for message in check_settings()]
    assert all(str(each).startswith("chatproxy.") for each in ids)
    assert len(set(ids)) >= 18
