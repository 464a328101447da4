"""One HTTP request on the event loop: its body, its hops to a pool, its way back to the client.

Everything ASGI about a request is here and everything Django is in `onehop.py`. An exchange knows
when the client has gone: then it stops waiting for a thread, cancels what it waits for, and ends a
stream. All its hops share one context, so context variables set in the first are seen in the next.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from typing import Any, TypeVar, cast

from chatproxy.bulkheads import Bulkhead, BulkheadFull

T = TypeVar("T")
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class BodyTooLarge(Exception):
    """The request's body is, or says it is, longer than allowed."""


class Exchange:
    """The loop's side of one request, for one task of one event loop."""

    #: A client that takes nothing for this long while a thread streams to it is given up.
    write_timeout_s = 15.0

    def __init__(self, scope: Message, receive: Receive, send: Send, bulkhead: Bulkhead) -> None:
        self.scope = scope
        self.bulkhead = bulkhead
        self._receive = receive
        self._send = send
        self._context = contextvars.copy_context()
        self._loop = asyncio.get_running_loop()
        self._watcher: asyncio.Task[None] | None = None
        self._gone = False

    async def body(self, limit: int) -> bytes:
        """Read the whole body, at most ``limit`` bytes.

        Raises:
            BodyTooLarge: told by Content-Length before anything is read, or found out on the way.
            ClientGone: the client left before the end.
        """
        if self._declared_length() > limit:
            raise BodyTooLarge
        chunks: list[bytes] = []
        left = limit
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk = message.get("body", b"")
            left -= len(chunk)
            if left < 0:
                raise BodyTooLarge
            chunks.append(chunk)
            if not message.get("more_body", False):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _declared_length(self) -> int:
        for name, value in self.scope.get("headers", ()):
            if name == b"content-length":
                return int(value) if value.isdigit() else 0
        return 0

    async def hop(self, call: Callable[..., T], *args: Any) -> T:
        """Run ``call`` on a pool thread.

        Raises:
            BulkheadFull: no room, or no thread came free in time; the call has not begun.
            ClientGone: the client left while the call was queued; it has not begun.
        """
        future = self.bulkhead.submit(self._context.run, call, *args)
        if self.bulkhead.crowded:
            return await self._started_in_time(future)
        return await self._result(future)

    async def next_hop(
        self, call: Callable[..., T], *args: Any, never_begun: Callable[[], object]
    ) -> T:
        """Run ``call`` for a request that already had a hop; it is not refused for load.

        Args:
            never_begun: Called on a pool thread if the request is cancelled while ``call`` is in
                the queue: then nobody else closes what the hop before has left.
        """
        future = self.bulkhead.submit_admitted(self._context.run, call, *args)
        return await self._result(future, never_begun)

    def tidy_up(self, close: Callable[[], object]) -> None:
        """Run ``close`` on a pool thread, where connections live, without waiting for it."""
        with suppress(RuntimeError):  # the pools are shut down: the process ends anyway
            self.bulkhead.submit_admitted(self._context.run, close)

    async def _started_in_time(self, future: Future[T]) -> T:
        outcome: asyncio.Future[Any] = asyncio.wrap_future(future)
        try:
            with self._listening() as gone:
                await asyncio.wait(
                    {outcome, gone},
                    timeout=self.bulkhead.size.wait_s,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not outcome.done() and future.cancel():
                    raise ClientGone if gone.done() else BulkheadFull(self.bulkhead.name)
            return cast(T, await outcome)
        except asyncio.CancelledError:
            self._abandon(future)
            raise

    async def _result(
        self, future: Future[T], never_begun: Callable[[], object] | None = None
    ) -> T:
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._abandon(future, never_begun)
            raise

    def _abandon(self, future: Future[T], never_begun: Callable[[], object] | None = None) -> None:
        """Take a call out of the queue; if it runs already, close what it comes back with."""
        if not future.cancel():
            future.add_done_callback(self._close_result)
        elif never_begun is not None:
            self.tidy_up(never_begun)

    def _close_result(self, future: Future[T]) -> None:
        if not future.cancelled() and future.exception() is None:
            close = getattr(future.result(), "close", None)
            if close is not None:
                self.tidy_up(close)

    async def wait(self, wait: Callable[[], Awaitable[object]]) -> Exception | None:
        """Await ``wait()`` without holding a thread, for as long as the client is there.

        Returns:
            What ``wait()`` raised, or None when it came through.

        Raises:
            ClientGone: the client left; ``wait()`` has been cancelled and has ended.
            BulkheadFull: too many requests of this pool wait already.
        """
        self.bulkhead.pause()
        task: asyncio.Future[Any] = asyncio.ensure_future(_awaited(wait))
        try:
            with self._listening() as gone:
                await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ClientGone
            failure: Exception | None = task.result()
            return failure
        finally:
            self.bulkhead.unpause()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def send(self, message: Message) -> None:
        """Send one ASGI message; a client that has gone is no error."""
        try:
            await self._send(message)
        except OSError:  # what the ASGI specification lets a server raise after a disconnect
            self._gone = True

    def send_from_thread(self, message: Message) -> None:
        """Send one message of a stream from a pool thread, and wait until the server took it.

        Raises:
            ClientGone: nobody reads any more, or too slowly.
        """
        sending = asyncio.run_coroutine_threadsafe(self._send_streamed(message), self._loop)
        try:
            sending.result(self.write_timeout_s)
        except (TimeoutError, CancelledError):
            sending.cancel()
            raise ClientGone from None
        if self._gone:
            raise ClientGone

    async def _send_streamed(self, message: Message) -> None:
        if self._watcher is None:
            self._watcher = asyncio.create_task(self._watch())
        if not self._gone:
            await self.send(message)

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True

    @contextmanager
    def _listening(self) -> Iterator[asyncio.Future[Any]]:
        """A future that ends when the client leaves, for the length of a wait."""
        gone = asyncio.ensure_future(self._watch())
        try:
            yield gone
        finally:
            gone.cancel()

    def close(self) -> None:
        """Let go of the client: a thread still streaming to it stops at its next message."""
        self._gone = True
        if self._watcher is not None:
            self._watcher.cancel()


async def _awaited(wait: Callable[[], Awaitable[object]]) -> Exception | None:
    try:
        await wait()
    except Exception as err:
        return err
    return None
