"""The same job on aiohttp, server and client, on uvloop: one hub per chat, messages by a session.

Sockets: a hub opens the chat's upstream socket for its first tab and closes it after the last,
parses each frame, and passes what belongs to the chat to every tab. REST: finds the token behind
the key, checks the fields, posts, answers. Compression is off, connections to the upstream are
kept. Nothing is stored, no copy dropped; a tab that does not read holds up its chat's others.

    python -m tests.bench.peers.aiohttp_bff PORT UPSTREAM_URL UPSTREAM_SOCKET_URL KEYS
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import uvloop
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, WSMsgType, web

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
HTTP = web.AppKey("http", ClientSession)


class Hub:
    """One chat: its upstream socket and its tabs."""

    def __init__(self, http: ClientSession, chat: str) -> None:
        self.tabs = set[web.WebSocketResponse]()
        self.listening = asyncio.create_task(self._listen(http, chat))

    async def _listen(self, http: ClientSession, chat: str) -> None:
        async with http.ws_connect(f"{SOCKETS}{chat}") as upstream:
            await upstream.send_str(SUBSCRIBE)
            async for message in upstream:
                if message.type is WSMsgType.TEXT and _topic(message.data) == "aws/chat":
                    await self._pass_on(message.data)

    async def _pass_on(self, text: str) -> None:
        for tab in tuple(self.tabs):
            try:
                await tab.send_str(text)
            except ConnectionError:
                self.tabs.discard(tab)


hubs: dict[str, Hub] = {}


async def watch(request: web.Request) -> web.WebSocketResponse:
    """A tab's socket."""
    chat = request.match_info["chat"]
    tab = web.WebSocketResponse(compress=False)
    await tab.prepare(request)
    if (hub := hubs.get(chat)) is None:
        hub = hubs[chat] = Hub(request.app[HTTP], chat)
    hub.tabs.add(tab)
    try:
        async for message in tab:
            if message.type is WSMsgType.TEXT and (answer := ANSWERS.get(_topic(message.data))):
                await tab.send_str(answer)
    finally:
        hub.tabs.discard(tab)
        if not hub.tabs and hubs.get(chat) is hub:
            del hubs[chat]
            hub.listening.cancel()
    return tab


async def send_message(request: web.Request) -> web.Response:
    """SendMessage."""
    token = TOKENS.get(request.headers.get("X-Amz-Bearer", ""))
    if token is None:
        return web.json_response({"message": "Access denied"}, status=403)
    body = await request.json()
    if not body.get("Content") or not body.get("ContentType"):
        return web.json_response({"message": "Content and ContentType are required"}, status=400)
    url, headers = f"{UPSTREAM}/participant/message", {"X-Amz-Bearer": token}
    try:
        async with request.app[HTTP].post(url, json=body, headers=headers) as answer:
            return web.json_response(await answer.json(), status=answer.status)
    except ClientError:
        return web.json_response({"message": "The service failed"}, status=502)


def _topic(text: str) -> str:
    try:
        frame = json.loads(text)
    except ValueError:
        return ""
    return str(frame.get("topic", "")) if isinstance(frame, dict) else ""


async def _client(app: web.Application) -> AsyncIterator[None]:
    # Its limit counts sockets, too: one for each chat.
    connector, timeout = TCPConnector(limit=0), ClientTimeout(sock_connect=3, sock_read=10)
    async with ClientSession(connector=connector, timeout=timeout) as http:
        app[HTTP] = http
        yield


def main() -> None:
    app = web.Application()
    app.cleanup_ctx.append(_client)
    app.add_routes([web.get("/ws/{chat}", watch), web.post("/participant/message", send_message)])
    loop = uvloop.new_event_loop()
    web.run_app(
        app, host="127.0.0.1", port=PORT, backlog=1024, access_log=None, print=None, loop=loop
    )


if __name__ == "__main__":
    main()
