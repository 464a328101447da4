"""Seals what must not lie readable in the database: service tokens and what people wrote.

AES-256-GCM under a list of keys: the first seals, all open, so keys rotate. Every sealed text is
bound to the place it belongs to (a row and a purpose); moved elsewhere it won't open. Why not
Fernet, in which earlier versions sealed: docs/decisions/0008.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chatproxy.conf import conf

_MARK = "sealed1-"
_NONCE_BYTES = 12


class SealBroken(Exception):
    """A sealed value does not open: wrong keys, altered, or taken from another row."""


def seal(text: str | bytes, *, bound_to: str) -> str:
    """``text`` sealed for the place ``bound_to``, for example ``"<session id>:participant"``."""
    data = text.encode() if isinstance(text, str) else text
    nonce = os.urandom(_NONCE_BYTES)
    sealed = _ciphers(tuple(conf.vault_keys))[0].encrypt(nonce, data, bound_to.encode())
    return _MARK + urlsafe_b64encode(nonce + sealed).decode()


def unseal(sealed: str, *, bound_to: str) -> str:
    """What was sealed for the same place.

    Raises:
        SealBroken: the seal does not fit; the message names the place, never the content.
    """
    keys = tuple(conf.vault_keys)
    try:
        if not sealed.startswith(_MARK):
            return _unsealed_as_before(sealed, bound_to, keys)
        data = urlsafe_b64decode(sealed[len(_MARK) :])
        nonce, data = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
        return _opened(nonce, data, bound_to.encode(), keys).decode()
    except (InvalidTag, InvalidToken, ValueError) as err:
        raise SealBroken(f"the seal on {bound_to} does not open with CHAT_VAULT_KEYS") from err


def _opened(nonce: bytes, data: bytes, place: bytes, keys: tuple[str, ...]) -> bytes:
    for cipher in _ciphers(keys):
        try:
            return cipher.decrypt(nonce, data, place)
        except InvalidTag:
            continue
    raise InvalidTag


def _unsealed_as_before(sealed: str, bound_to: str, keys: tuple[str, ...]) -> str:
    place, _, text = _fernet(keys).decrypt(sealed.encode()).decode().partition("\0")
    if place != bound_to:
        raise ValueError("sealed for another place")
    return text


@lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> list[AESGCM]:
    return [AESGCM(_derived(urlsafe_b64decode(key))) for key in keys]


def _derived(key: bytes) -> bytes:
    # The same keys once sealed with Fernet: no key serves two ciphers.
    return HKDF(SHA256(), length=32, salt=None, info=b"chatproxy vault 1").derive(key)


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
