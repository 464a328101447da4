"""Each rule for settings: what is wrong, and what to do about it."""

import pytest
from django.conf import settings
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
    ({"CHAT_PUBLIC_URL": "https://ada:pw@chat.example.com"}, "CHAT_PUBLIC_URL", "no user"),
    ({"CHAT_ENDED_READABLE_SECONDS": 10**15}, "CHAT_ENDED_READABLE_SECONDS", "or less"),
    ({"CHAT_RETENTION_DAYS": 10**9}, "CHAT_RETENTION_DAYS", "36500 or less"),
    ({"CHAT_STARTS_PER_ADDRESS": "0/minute"}, "CHAT_STARTS_PER_ADDRESS", "1 or more"),
    ({"CHAT_REQUESTS_PER_KEY": "0/second"}, "CHAT_REQUESTS_PER_KEY", "1 or more"),
    ({"CONNECT_READ_TIMEOUT_S": 0.0}, "CONNECT_READ_TIMEOUT_S is 0", "more than 0"),
    ({"CONNECT_READ_TIMEOUT_S": float("inf")}, "CONNECT_READ_TIMEOUT_S", "at most 300"),
    ({"CONNECT_CONNECT_TIMEOUT_S": -1.0}, "CONNECT_CONNECT_TIMEOUT_S is -1", "more than 0"),
    ({"CONNECT_CONNECT_TIMEOUT_S": float("nan")}, "CONNECT_CONNECT_TIMEOUT_S", "more than 0"),
    (
        {"CONNECT_INSTANCE_ID": "arn:aws:connect:eu-central-1:123456789012:instance/1111"},
        "CONNECT_INSTANCE_ID",
        "last slash",
    ),
    ({"CONNECT_REGION": "Frankfurt"}, "'Frankfurt'", "eu-central-1"),
    ({"CONNECT_ENDPOINT_URL": "127.0.0.1:8001"}, "CONNECT_ENDPOINT_URL", "scheme and host"),
    ({"CONNECT_WEBSOCKET_HOSTS": ["wss://127.0.0.1:9"]}, "CONNECT_WEBSOCKET_HOSTS", "without wss"),
    ({"ALLOWED_HOSTS": ["https://chat.example.com"]}, "CHAT_ALLOWED_HOSTS", "without scheme"),
    ({"ALLOWED_HOSTS": ["chat.example.com:8000"]}, "CHAT_ALLOWED_HOSTS", "port"),
    (
        {"DEBUG": True, "CHAT_PUBLIC_URL": "https://chat.example.com"},
        "CHAT_DEBUG is on",
        "unset CHAT_DEBUG",
    ),
    (
        {"UNKNOWN": {"CHAT_PUBLC_URL": "CHAT_PUBLIC_URL"}},
        "CHAT_PUBLC_URL is no setting; did you mean CHAT_PUBLIC_URL?",
        "unset CHAT_PUBLC_URL",
    ),
    ({"UNKNOWN": {"CHAT_MOOD": ""}}, "CHAT_MOOD is no setting.", "docs/settings.md"),
    ({"STATIC_ROOT": "/nowhere"}, "/api/docs", "collectstatic"),
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


@pytest.mark.parametrize(
    "region", ["eu-central-1", "us-gov-west-1", "ap-southeast-2", "us-iso-east-1", "eusc-de-east-1"]
)
def test_a_region_is_known_by_its_form(region: str) -> None:
    with override_settings(CONNECT_REGION=region):
        assert check_settings() == []


@pytest.mark.parametrize("hosts", [["*"], [".example.com", "10.0.0.7"], ["[::1]", "::1"]])
def test_what_a_host_header_may_be_held_to_be_passes(hosts: list[str]) -> None:
    with override_settings(ALLOWED_HOSTS=hosts):
        assert check_settings() == []


def test_a_missing_folder_of_the_database_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES["default"], "NAME", "/no/where.sqlite3")
    (found,) = check_settings()
    assert found.id == "chatproxy.E021"
    assert "/no, does not exist" in found.msg
    assert "mkdir -p /no" in str(found.hint)


def test_every_rule_has_an_id_of_its_own() -> None:
    ids = []
    for changed, _, _ in WRONG:
        with override_settings(**changed):
            ids += [message.id for message in check_settings()]
    assert all(str(each).startswith("chatproxy.") for each in ids)
    assert len(set(ids)) >= 28
