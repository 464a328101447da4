"""The same job on Starlette, httpx and ``websockets``, on uvicorn with uvloop and httptools.

Sockets: a hub opens the chat's upstream socket for its first tab and closes it after the last,
parses each frame, and passes what belongs to the chat to every tab. REST: finds the token behind
the key, checks the fields, posts, answers. Compression is off, connections to the upstream are
kept. Nothing is stored, no copy dropped; a tab that does not read holds up its chat's others.

    python -m tests.bench.peers.starlette_bff PORT UPSTREAM_URL UPSTREAM_SOCKET_URL KEYS
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator

import httpx
import uvicorn
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

PORT, UPSTREAM, SOCKETS, KEYS = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
SUBSCRIBE = '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'
ANSWERS = {
    "aws/subscribe": (
        '{"topic":"aws/subscribe","content":{"status":"success","topics":["aws/chat"]}}'
    ),
    "aws/heartbeat": '{"topic":"aws/heartbeat"}',
    "aws/ping": '{"topic":"aws/ping","statusCode":200,"statusContent":"OK"}',
}

TOKENS = {f"key-{n}": "t" * 400 for n in range(KEYS)}


class Hub:
    """One chat: its upstream socket and its tabs."""

    def __init__(self, chat: int) -> None:
        self.tabs = set[WebSocket]()
        self.listening = asyncio.create_task(self._listen(chat))

    async def _listen(self, chat: int) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async with websockets.connect(f"{SOCKETS}{chat}", compression=None) as upstream:
                await upstream.send(SUBSCRIBE)
                async for text in upstream:
                    if _topic(text) == "aws/chat":
                        await self._pass_on(str(text))

    async def _pass_on(self, text: str) -> None:
        for tab in tuple(self.tabs):
            try:
                await tab.send_text(text)
            except (WebSocketDisconnect, RuntimeError):  # gone, or closed by us meanwhile
                self.tabs.discard(tab)


hubs: dict[int, Hub] = {}


async def watch(tab: WebSocket) -> None:
    """A tab's socket."""
    chat = tab.path_params["chat"]
    await tab.accept()
    if (hub := hubs.get(chat)) is None:
        hub = hubs[chat] = Hub(chat)
    hub.tabs.add(tab)
    try:
        async for text in tab.iter_text():
            if answer := ANSWERS.get(_topic(text)):
                await tab.send_text(answer)
    finally:
        hub.tabs.discard(tab)
        if not hub.tabs and hubs.get(chat) is hub:
            del hubs[chat]
            hub.listening.cancel()


async def send_message(request: Request) -> JSONResponse:
    """SendMessage."""
    token = TOKENS.get(request.headers.get("X-Amz-Bearer", ""))
    if token is None:
        return JSONResponse({"message": "Access denied"}, 403)
    body = await request.json()
    if not body.get("Content") or not body.get("ContentType"):
        return JSONResponse({"message": "Content and ContentType are required"}, 400)
    try:
        answer = await request.state.http.post(
            "/participant/message", json=body, headers={"X-Amz-Bearer": token}
        )
    except httpx.HTTPError:
        return JSONResponse({"message": "The service failed"}, 502)
    return JSONResponse(answer.json(), answer.status_code)


def _topic(text: str | bytes) -> str:
    try:
        frame = json.loads(text)
    except ValueError:
        return ""
    return str(frame.get("topic", "")) if isinstance(frame, dict) else ""


@contextlib.asynccontextmanager
async def client(_app: Starlette) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    limits = httpx.Limits(max_connections=128, max_keepalive_connections=128)
    timeout = httpx.Timeout(10, connect=3)
    async with httpx.AsyncClient(
        base_url=UPSTREAM, limits=limits, timeout=timeout, trust_env=False
    ) as http:
        yield {"http": http}


app = Starlette(
    routes=[
        Route("/participant/message", send_message, methods=["POST"]),
        WebSocketRoute("/ws/{chat:int}", watch),
    ],
    lifespan=client,
)

if __name__ == "__main__":
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=PORT,
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        backlog=1024,
        access_log=False,
        log_level="warning",
    )
