"""A relay that only copies bytes from one websocket to another: no path through Python is shorter.

picows on both sides, uvloop, nothing read, kept or checked. What a machine needs for a frame's
system calls shows here; no relay on it can do with less.

python -m tests.bench.peers.copying_relay PORT UPSTREAM_SOCKET_URL
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from picows import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_connect,
    ws_create_server,
)

SUBSCRIBE = b'{"topic":"aws/subscribe","content":{"topics":["aws/chat"]}}'


class Upstream(WSListener):
    """The service's socket of one chat; what it says goes to ``tab``."""

    def __init__(self, tab: WSTransport) -> None:
        super().__init__()
        self._tab = tab

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, SUBSCRIBE)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._tab.send(WSMsgType.TEXT, frame.get_payload_as_bytes())


class Tab(WSListener):
    """A browser's socket, which opens its own upstream one."""

    def __init__(self, upstream_url: str) -> None:
        super().__init__()
        self._upstream_url = upstream_url
        self._opening: asyncio.Task[object] | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        dialled = ws_connect(lambda: Upstream(transport), self._upstream_url)
        self._opening = asyncio.ensure_future(dialled)


async def serve(port: int, upstream_url: str) -> None:
    def tab_of(request: WSUpgradeRequest) -> Tab:
        return Tab(upstream_url + request.path.decode().rpartition("/")[2])

    server = await ws_create_server(tab_of, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), sys.argv[2]))
