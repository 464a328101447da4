"""What is sealed opens in its own place, with any key of the list, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from chatproxy.sessions.vault import SealBroken, seal, unseal

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_again(text: str) -> None:
    sealed = seal(text, bound_to="row:purpose")
    assert unseal(sealed, bound_to="row:purpose") == text
    assert len(text) < 8 or text not in sealed


def test_a_seal_moved_to_another_row_does_not_open() -> None:
    sealed = seal("token", bound_to="row-1:participant")
    with pytest.raises(SealBroken) as caught:
        unseal(sealed, bound_to="row-2:participant")
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    "change", [lambda s: s[:-2], lambda s: "A" + s[1:], lambda s: "", lambda s: "ü"]
)
def test_an_altered_seal_does_not_open(change: Any) -> None:
    with pytest.raises(SealBroken):
        unseal(change(seal("token", bound_to="row")), bound_to="row")


def test_what_was_sealed_with_fernet_opens(settings: Any) -> None:
    settings.CHAT_VAULT_KEYS = [NEW, OLD]
    sealed = Fernet(OLD).encrypt(b"row:purpose\0token").decode()
    assert unseal(sealed, bound_to="row:purpose") == "token"
    with pytest.raises(SealBroken):
        unseal(sealed, bound_to="row:other")


def test_keys_rotate(settings: Any) -> None:
    settings.CHAT_VAULT_KEYS = [OLD]
    sealed = seal("token", bound_to="row")
    settings.CHAT_VAULT_KEYS = [NEW, OLD]
    assert unseal(sealed, bound_to="row") == "token"
    fresh = seal("token", bound_to="row")
    settings.CHAT_VAULT_KEYS = [NEW]
    assert unseal(fresh, bound_to="row") == "token"
    with pytest.raises(SealBroken):
        unseal(sealed, bound_to="row")
