"""Seals what must not lie readable in the database: service tokens and what people wrote.

Fernet (AES-128-CBC and HMAC) with a list of keys: the first seals, all open, so keys rotate. Every
sealed text is bound to the place it belongs to (a row and a purpose); moved elsewhere it won't
open.
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from chatproxy.conf import conf


class SealBroken(Exception):
    """A sealed value does not open: wrong keys, altered, or taken from another row."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(text: str, *, bound_to: str) -> str:
    """``text`` sealed for the place ``bound_to``, for example ``"<session id>:participant"``."""
    payload = f"{bound_to}\0{text}".encode()
    return _fernet(tuple(conf.vault_keys)).encrypt(payload).decode()


def unseal(sealed: str, *, bound_to: str) -> str:
    """What was sealed for the same place.

    Raises:
        SealBroken: the seal does not fit; the message names the place, never the content.
    """
    try:
        payload = _fernet(tuple(conf.vault_keys)).decrypt(sealed.encode()).decode()
    except (InvalidToken, ValueError) as err:
        raise SealBroken(f"the seal on {bound_to} does not open with CHAT_VAULT_KEYS") from err
    place, _, text = payload.partition("\0")
    if place != bound_to:
        raise SealBroken(f"a seal made for another place was found on {bound_to}")
    return text
