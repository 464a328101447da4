"""Every open browser socket by its session, whether it has subscribed or not.

A socket that never subscribes hears nothing, but costs what others cost: it counts, goes when its
key is revoked, and when its chat or this process ends. Those that hear are the stream's ``tabs``.
"""

from __future__ import annotations

from chatproxy.conf import conf
from chatproxy.relay.stream import Tab


class Crowd:
    """The sockets of one process, those of a session in the order they came."""

    def __init__(self) -> None:
        self._of: dict[str, list[Tab]] = {}

    def enter(self, session_id: str, tab: Tab) -> list[Tab]:
        """Count ``tab`` from now on.

        Returns:
            Who has to make room for it, the oldest first; they no longer count.
        """
        sockets = self._of.setdefault(session_id, [])
        sockets.append(tab)
        too_many = max(0, len(sockets) - conf.tabs_per_session)
        oldest = sockets[:too_many]
        del sockets[:too_many]
        return oldest

    def leave(self, session_id: str, tab: Tab) -> None:
        """It is gone; one that does not count any more may leave too."""
        sockets = self._of.get(session_id, [])
        if tab in sockets:
            sockets.remove(tab)
        if not sockets:
            self._of.pop(session_id, None)

    def of(self, session_id: str) -> list[Tab]:
        """The session's sockets just now, to walk through while some leave."""
        return list(self._of.get(session_id, ()))

    def __len__(self) -> int:
        """How many there are. Safe to call from any thread: metrics do."""
        return sum(map(len, list(self._of.values())))

    def everybody(self) -> list[Tab]:
        return [tab for sockets in self._of.values() for tab in sockets]
