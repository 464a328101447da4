"""How visitors liked their chat: a score, and a comment, sealed like everything people wrote."""

from __future__ import annotations

from chatproxy.sessions.models import ChatSession
from chatproxy.sessions.vault import seal, unseal


def rate(session_id: str, score: int, comment: str) -> None:
    """Keep a rating, in place of an earlier one."""
    sealed = seal(comment, bound_to=_bound_to(session_id)) if comment else ""
    ChatSession.objects.filter(pk=session_id).update(
        rating_score=score, rating_comment_sealed=sealed
    )


def comment_on(session: ChatSession) -> str:
    """What the visitor wrote beside the score.

    Raises:
        SealBroken: none of the present vault keys opens it.
    """
    sealed = session.rating_comment_sealed
    return unseal(sealed, bound_to=_bound_to(str(session.pk))) if sealed else ""


def _bound_to(session_id: str) -> str:
    return f"{session_id}:rating"
