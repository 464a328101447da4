"""Secrets that do not show themselves."""

import copy
import json
import logging
import pickle
from dataclasses import asdict
from datetime import UTC, datetime

import pytest

from chatproxy.upstream.shapes import ConnectionCredentials
from chatproxy.upstream.tokens import ConnectionToken, ParticipantToken, Secret, WebsocketUrl

VALUE = "wss://x.transport.example/y?X-Amz-Signature=abc"
KINDS = [ParticipantToken, ConnectionToken, WebsocketUrl]


@pytest.mark.parametrize("kind", KINDS)
def test_secret_hides_however_it_is_printed(
    kind: type[Secret], caplog: pytest.LogCaptureFixture
) -> None:
    secret = kind(VALUE)
    logging.getLogger("test").warning("%s %r", secret, secret, extra={"secret": secret})
    shown = [
        str(secret),
        repr(secret),
        f"{secret} {secret!r} {secret:>60}",
        f"{secret} {secret!s:.90}",
        "%s" % secret,  # noqa: UP031
        repr([secret, {"a": secret}]),
        json.dumps({"a": secret}, default=str),
        caplog.text,
    ]
    assert VALUE not in "".join(shown)
    assert "abc" not in "".join(shown)
    assert secret.fingerprint in str(secret)


@pytest.mark.parametrize("kind", KINDS)
def test_secret_cannot_be_serialised_by_accident(kind: type[Secret]) -> None:
    secret = kind(VALUE)
    with pytest.raises(TypeError):
        json.dumps(secret)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="not to be pickled"):
            pickle.dumps(secret, protocol)
    assert not hasattr(secret, "__dict__")


def test_secret_is_revealed_on_request_only() -> None:
    assert ConnectionToken(VALUE).reveal() == VALUE


def test_secrets_of_two_kinds_are_never_equal() -> None:
    assert ConnectionToken(VALUE) == ConnectionToken(VALUE)
    assert hash(ConnectionToken(VALUE)) == hash(ConnectionToken(VALUE))
    assert ConnectionToken(VALUE) != ConnectionToken(VALUE + "x")
    assert ConnectionToken(VALUE) != ParticipantToken(VALUE)
    assert ConnectionToken(VALUE) != VALUE


def test_secret_does_not_change() -> None:
    secret = ConnectionToken(VALUE)
    with pytest.raises(AttributeError):
        secret.value = "other"  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        del secret._Secret__value
    assert secret.reveal() == VALUE


def test_copies_of_a_secret_are_the_secret() -> None:
    secret = ConnectionToken(VALUE)
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret
    credentials = ConnectionCredentials(secret, datetime(2026, 11, 22, tzinfo=UTC))
    assert VALUE not in repr(asdict(credentials))


@pytest.mark.parametrize("value", ["", "a\r\nX-Evil: 1", "a\x00b", "Ω"])
def test_what_a_header_cannot_carry_is_no_token(value: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        ConnectionToken(value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "scheme", "host"),
    [
        ("wss://X.transport.example/y?z=1", "wss", "x.transport.example"),
        ("ws://127.0.0.1:8001/s", "ws", "127.0.0.1:8001"),
        ("wss://trusted.example@evil.example/", "wss", "evil.example"),
        ("https://x/", "https", "x"),
    ],
)
def test_host_of_a_websocket_url_can_be_compared(url: str, scheme: str, host: str) -> None:
    assert (WebsocketUrl(url).scheme, WebsocketUrl(url).host) == (scheme, host)
