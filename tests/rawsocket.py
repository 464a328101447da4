"""A websocket by hand, for browsers that misbehave: what to send on a plain TCP connection."""

from __future__ import annotations

from urllib.parse import urlsplit


def upgrade(url: str) -> bytes:
    """The request that asks for a websocket at ``ws://…``."""
    at = urlsplit(url)
    return (
        f"GET {at.path}?{at.query} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ).encode()


def text_frame(text: bytes) -> bytes:
    """As a browser sends it: masked, here with zeros, which change nothing. Up to 125 bytes."""
    assert len(text) < 126
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text
