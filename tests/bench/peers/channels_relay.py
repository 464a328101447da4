"""A relay as Channels' own documentation would have it: one consumer, one group per chat.

Each browser socket opens its chat's upstream websocket (``websockets``, compression off) and passes
what arrives to the chat's group with ``group_send`` on the in-memory layer; the consumer's handler
sends it. Served by daphne with its defaults.

    python -m tests.bench.peers.channels_relay PORT UPSTREAM_SOCKET_URL
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Any

from daphne.server import Server  # first: it installs the reactor
from django.conf import settings

PORT, UPSTREAM = int(sys.argv[1]), sys.argv[2]

settings.configure(
    SECRET_KEY="bench",
    CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
)

import websockets  # noqa: E402
from channels.generic.websocket import AsyncWebsocketConsumer  # noqa: E402
from channels.routing import URLRouter  # noqa: E402
from django.urls import path  # noqa: E402

SUBSCRIBE = '{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'


class ChatConsumer(AsyncWebsocketConsumer):
    """One browser socket and its chat's upstream socket."""

    async def connect(self) -> None:
        self.chat = self.scope["url_route"]["kwargs"]["chat"]
        self.group = f"chat_{self.chat}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()
        self.upstream = asyncio.create_task(self.listen())

    async def disconnect(self, code: int) -> None:
        self.upstream.cancel()
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def listen(self) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            async with websockets.connect(f"{UPSTREAM}{self.chat}", compression=None) as upstream:
                await upstream.send(SUBSCRIBE)
                async for text in upstream:
                    message = {"type": "chat.frame", "text": text}
                    await self.channel_layer.group_send(self.group, message)

    async def chat_frame(self, message: dict[str, Any]) -> None:
        await self.send(text_data=message["text"])


application = URLRouter([path("ws/<int:chat>", ChatConsumer.as_asgi())])

Server(application=application, endpoints=[f"tcp:port={PORT}:interface=127.0.0.1"]).run()
