"""Where a tab's chat can be watched: at a peer, or at the proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from tests.bench.http import Connection, request

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
    """Ours: CreateParticipantConnection for each socket.

    Attributes:
        keys: A session key by chat.
        connection_keys: The newest connection key, by chat.
    """

    resumes = True

    def __init__(self, port: int) -> None:
        self.keys: dict[int, str] = {}
        self.connection_keys: dict[int, str] = {}
        self._port = port
        self._idle: list[Connection] = []

    async def start(self) -> Started:
        """Start one more chat."""
        started = await self._ask("/api/v1/sessions", {"widget": "demo"})
        return Started(str(started["startChatResult"]["ContactId"]), str(started["key"]))

    async def address(self, chat: int) -> str:
        made = await self._ask("/participant/connection", CONNECT, self.keys[chat])
        self.connection_keys[chat] = str(made["ConnectionCredentials"]["ConnectionToken"])
        return str(made["Websocket"]["Url"])

    async def ask(self, method: str, path: str, body: Any, key: str) -> tuple[int, bytes]:
        """One try: status and body of its answer.

        Raises:
            OSError: the connection ended before the answer did.
        """
        async with self._connection() as connection:
            return await connection.ask(request(method, path, body, key))

    async def _ask(self, path: str, body: Any, key: str = "") -> Any:
        async with self._connection() as connection:
            return await connection.ask_json("POST", path, body, key)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connection]:
        """One that nobody uses just now; kept for the next if nothing goes wrong."""
        connection = self._idle.pop() if self._idle else None
        if connection is None or not connection.is_open:
            connection = await Connection.open(self._port)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
