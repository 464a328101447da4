"""Websocket clients side by side: what a frame costs, and what each does when things go wrong.

The figures of ``docs/decisions/0001-upstream-websocket-client.md``. A client that is not installed
is left out.

    python -m tests.bench.clients
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import logging
import multiprocessing
import ssl
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

FRAME = b"x" * 540
SOCKETS, FRAMES, ROUNDS = 100, 40_000, 5
MAX_BYTES = 65_536
PATIENCE_S = 20

Received = Callable[[str], None]


class Listener(WSListener):
    """The client's callback for picows."""

    def __init__(self, received: Received, over: asyncio.Future[str]) -> None:
        super().__init__()
        self.received, self.over = received, over

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self.received(frame.get_payload_as_utf8_text())
        elif frame.msg_type == WSMsgType.CLOSE:
            self._end(f"closed by the peer with {frame.get_close_code()}")
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        sent = transport.close_handshake.sent if transport.close_handshake else None
        self._end(f"disconnected, having sent {sent.code if sent else 'no close'}")

    def _end(self, how: str) -> None:
        if not self.over.done():
            self.over.set_result(how)


async def picows(url: str, received: Received, tls: ssl.SSLContext | None, alive_s: float) -> str:
    from picows import ws_connect

    over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    await ws_connect(
        lambda: Listener(received, over),
        url,
        ssl_context=tls,
        max_frame_size=MAX_BYTES,
        max_redirects=0,
        enable_auto_ping=alive_s > 0,
        auto_ping_idle_timeout=alive_s or 1,
        auto_ping_reply_timeout=alive_s or 1,
    )
    return await over


async def websockets(
    url: str, received: Received, tls: ssl.SSLContext | None, alive_s: float
) -> str:
    import websockets as library

    async with library.connect(
        url,
        ssl=tls,
        compression=None,
        max_size=MAX_BYTES,
        ping_interval=alive_s or None,
        ping_timeout=alive_s or None,
    ) as socket:
        with contextlib.suppress(library.ConnectionClosedOK):
            async for text in socket:
                received(text if isinstance(text, str) else "")
    return "closed"


async def aiohttp(url: str, received: Received, tls: ssl.SSLContext | None, alive_s: float) -> str:
    import aiohttp as library

    async with (
        library.ClientSession() as session,
        session.ws_connect(
            url, ssl=tls or True, max_msg_size=MAX_BYTES, heartbeat=alive_s or None
        ) as socket,
    ):
        async for message in socket:
            if message.type is library.WSMsgType.TEXT:
                received(message.data)
        error = socket.exception()
        return f"closed with {socket.close_code}" + (f", {type(error).__name__}" if error else "")


CLIENTS: dict[str, Callable[..., Awaitable[str]]] = {
    name: client
    for name, client in (("picows", picows), ("websockets", websockets), ("aiohttp", aiohttp))
    if importlib.util.find_spec(name)
}


class Peer(WSListener):
    """The server's end: it sends or keeps quiet, as the path it was opened with says."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what

    def on_ws_connected(self, transport: WSTransport) -> None:
        if self.what == "/oversized":
            transport.send(WSMsgType.TEXT, b"x" * (MAX_BYTES + 1))
        elif self.what == "/flood":
            self._flood(transport, FRAMES // SOCKETS)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE and self.what != "/deaf":
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def _flood(self, transport: WSTransport, left: int) -> None:
        """One frame at a time, so that sockets take turns as chats do."""
        if left and not transport.is_disconnected:
            transport.send(WSMsgType.TEXT, FRAME)
            asyncio.get_running_loop().call_soon(self._flood, transport, left - 1)


def serve(pipe: Pipe, folder: str) -> None:
    """The server's process: plain, TLS, and one that lets connections hang."""
    logging.disable()  # it would tell at length how clients turned away

    async def run() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(Path(folder, "cert.pem"), Path(folder, "key.pem"))
        plain = await ws_create_server(accept, "127.0.0.1", 0, enable_auto_pong=True)
        secure = await ws_create_server(accept, "127.0.0.1", 0, ssl=tls)
        deaf = await ws_create_server(accept, "127.0.0.1", 0, enable_auto_pong=False)
        pipe.send([server.sockets[0].getsockname()[1] for server in (plain, secure, deaf)])
        await asyncio.Event().wait()

    def accept(request: WSUpgradeRequest) -> Any:
        path = request.path.decode()
        return None if path == "/refused" else Peer(path)

    asyncio.run(run())


async def cost(client: Callable[..., Awaitable[str]], port: int) -> float:
    """CPU microseconds a frame, over many sockets."""
    count, enough = 0, asyncio.Event()

    def received(_text: str) -> None:
        nonlocal count
        count += 1
        if count >= FRAMES // SOCKETS * SOCKETS:
            enough.set()

    url = f"ws://127.0.0.1:{port}/flood"
    begun = time.process_time()
    sockets = [asyncio.ensure_future(client(url, received, None, 0)) for _ in range(SOCKETS)]
    await asyncio.wait_for(enough.wait(), 120)
    spent = time.process_time() - begun
    for socket in sockets:
        socket.cancel()
    await asyncio.gather(*sockets, return_exceptions=True)
    return 1e6 * spent / count


async def outcome(client: Callable[..., Awaitable[str]], url: str, **options: Any) -> str:
    """What came of a connection, in words, and after how long."""
    given = {"received": lambda _: None, "tls": None, "alive_s": 0} | options
    begun = time.monotonic()
    try:
        said = await asyncio.wait_for(client(url, **given), PATIENCE_S)
    except TimeoutError:
        return f"nothing noticed in {PATIENCE_S} s"
    except Exception as err:
        response = getattr(err, "response", None)
        status = getattr(response, "status", None) or getattr(response, "status_code", None)
        said = type(err).__name__ + (f", status {int(status)}" if status else "")
    return f"{said} ({time.monotonic() - begun:.1f} s)"


@contextlib.asynccontextmanager
async def ports() -> AsyncIterator[list[int]]:
    with tempfile.TemporaryDirectory() as folder:
        _certify(Path(folder))
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(theirs, folder), daemon=True
        )
        process.start()
        try:
            yield await asyncio.to_thread(ours.recv)
        finally:
            process.terminate()
            process.join()


async def main() -> None:
    argparse.ArgumentParser(description=__doc__.split("\n", 1)[0]).parse_args()
    async with ports() as (plain, secure, deaf):
        for name, client in CLIENTS.items():
            costs = [await cost(client, plain) for _ in range(ROUNDS)]
            print(f"{name}: {statistics.median(costs):.1f} us a frame (least {min(costs):.1f})")
            print("  refused:", await outcome(client, f"ws://127.0.0.1:{plain}/refused"))
            print("  oversized:", await outcome(client, f"ws://127.0.0.1:{plain}/oversized"))
            print("  deaf peer:", await outcome(client, f"ws://127.0.0.1:{deaf}/deaf", alive_s=1))
            strict = ssl.create_default_context()
            url = f"wss://127.0.0.1:{secure}/"
            print("  untrusted certificate:", await outcome(client, url, tls=strict))


def _certify(folder: Path) -> None:
    """A certificate nobody trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


if __name__ == "__main__":
    asyncio.run(main())
