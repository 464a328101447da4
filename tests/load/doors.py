"""Where a tab's chat can be watched: at a peer, or at the proxy."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.bench.http import Connection

CONNECT = {"Type": ["WEBSOCKET", "CONNECTION_CREDENTIALS"]}


class Started(NamedTuple):
    contact_id: str
    key: str


class PlainDoor:
    """A peer's: the chat's number is in the path."""

    resumes = False

    def __init__(self, port: int) -> None:
        self._port = port

    async def address(self, chat: int) -> str:
        return f"ws://127.0.0.1:{self._port}/ws/{chat}"


class ProxyDoor:
    """Ours: CreateParticipantConnection for each socket. ``keys``: a session key by chat."""

    resumes = True

    def __init__(self, port: int) -> None:
        self.keys: dict[int, str] = {}
        self._port = port
        self._idle: list[Connection] = []

    async def start(self) -> Started:
        """Start one more chat."""
        started = await self._ask("/api/v1/sessions", {"widget": "demo"})
        return Started(str(started["startChatResult"]["ContactId"]), str(started["key"]))

    async def address(self, chat: int) -> str:
        made = await self._ask("/participant/connection", CONNECT, self.keys[chat])
        return str(made["Websocket"]["Url"])

    async def _ask(self, path: str, body: Any, key: str = "") -> Any:
        connection = self._idle.pop() if self._idle else await Connection.open(self._port)
        try:
            answer = await connection.ask_json("POST", path, body, key)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return answer
