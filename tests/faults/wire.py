"""A network that can fail: a TCP proxy on loopback, with what goes wrong chosen while it runs.

Runs on a thread of its own, so that tests that block can turn its knobs. What is in force counts
for the connections that are open and for those that come.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, TypeVar

T = TypeVar("T")
CHUNK = 65_536
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST


@dataclass(frozen=True, slots=True)
class Weather:
    """What happens to bytes just now, both ways.

    Attributes:
        refuses: New connections are reset at once.
        is_silent: Nothing is passed on, and nobody is told: half-open. What came is lost.
        holds: Nothing is passed on for now; it will be.
        latency_s: So much later.
        bytes_per_s: No faster; 0: no bound.
        slice_bytes: In pieces of so many bytes, each in a packet of its own; 0: as it comes.
        reset_after_bytes: A connection is reset once it has carried so many towards the client.
    """

    refuses: bool = False
    is_silent: bool = False
    holds: bool = False
    latency_s: float = 0.0
    bytes_per_s: int = 0
    slice_bytes: int = 0
    reset_after_bytes: int = 0


FAIR = Weather()


class Wire:
    """A proxy to ``target`` on a port of its own. A context manager.

    Args:
        port: Where it listens.
        target: Where it leads, on loopback.
    """

    def __init__(self, port: int, target: int) -> None:
        self.port = port
        self.target = target
        self._weather = FAIR
        self._changed: asyncio.Event
        self._open: set[_Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Wire:
        self._thread.start()
        self._server = self._run(self._listen())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def weather(self) -> Weather:
        return self._weather

    def change(self, **what: Any) -> None:
        """Change some of the weather; ``change()`` alone changes nothing."""
        self._call(lambda: self._set(replace(self._weather, **what)))

    def clear(self) -> None:
        """Fair weather: what was held goes out. What was silent is dead, and is cut."""
        self._call(self._clear)

    def cut(self) -> int:
        """Reset every connection, both sides; how many there were."""
        return self._call(self._cut)

    @property
    def connections(self) -> int:
        return self._call(lambda: len(self._open))

    def _set(self, weather: Weather) -> None:
        self._weather = weather
        self._changed.set()
        self._changed = asyncio.Event()

    def _clear(self) -> None:
        if self._weather.is_silent:
            self._cut()  # first: TCP never passes on what comes after something that was lost
        self._set(FAIR)

    def _cut(self) -> int:
        count = len(self._open)
        for connection in list(self._open):
            connection.reset()
        return count

    async def _listen(self) -> asyncio.Server:
        self._changed = asyncio.Event()
        return await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=512)

    async def _close(self) -> None:
        self._server.close()
        self._cut()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        near = _End(reader, writer)
        if self._weather.refuses:
            near.reset()
            return
        try:
            far = _End(*await asyncio.open_connection("127.0.0.1", self.target))
        except OSError:
            near.reset()
            return
        connection = _Connection(near, far)
        self._open.add(connection)
        try:
            await asyncio.gather(
                self._pump(connection, near, far, False), self._pump(connection, far, near, True)
            )
        finally:
            self._open.discard(connection)
            connection.reset()

    async def _pump(self, whole: _Connection, source: _End, sink: _End, homewards: bool) -> None:
        """Carry bytes one way until either end is gone."""
        try:
            while data := await source.reader.read(self._slice()):
                if self._weather.is_silent:
                    continue
                while self._weather.holds:
                    await self._changed.wait()
                await asyncio.sleep(self._weather.latency_s)
                sink.writer.write(data)
                await sink.writer.drain()
                if homewards:
                    whole.carried += len(data)
                if 0 < self._weather.reset_after_bytes <= whole.carried:
                    break
                if self._weather.bytes_per_s:
                    await asyncio.sleep(len(data) / self._weather.bytes_per_s)
            if self._weather.is_silent:
                await whole.is_reset.wait()  # not even the end is told
        except OSError:
            pass
        whole.reset()

    def _slice(self) -> int:
        weather = self._weather
        return weather.slice_bytes or (min(CHUNK, weather.bytes_per_s) or CHUNK)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def _call(self, what: Callable[[], T]) -> T:
        async def call() -> T:
            return what()

        return self._run(call())


@dataclass(eq=False)
class _End:
    """One side of a connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def __post_init__(self) -> None:
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.writer.transport.abort()


@dataclass(eq=False)
class _Connection:
    near: _End
    far: _End
    carried: int = 0
    is_reset: asyncio.Event = field(default_factory=asyncio.Event)

    def reset(self) -> None:
        self.is_reset.set()
        self.near.reset()
        self.far.reset()
