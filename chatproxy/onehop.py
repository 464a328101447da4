"""An ASGI handler that runs a synchronous Django request in one call on a bounded pool.

Stock Django under ASGI starts a thread per request and hops to it five to seven times: for the
request signals, for middleware, for the view, for closing. Here the event loop reads the body, one
pool thread runs the whole sync chain (signals, middleware, view, closing) and the loop sends the
answer. Views and middleware stay ordinary synchronous Django; asynchronous ones are refused, since
one that waits for the pool from within it would never end.

A view that must wait for something returns a `Deferred`: the thread goes back to its pool, the
wait happens on the loop, and a second hop makes the answer. Pools are in `bulkheads.py`, the ASGI
side of a request in `exchange.py`, the answers to what cannot be served in `refusals.py`. Static
files, HEAD and streaming answers work as under Django's own handler, with any ASGI server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.core import signals
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.handlers.exception import convert_exception_to_response
from django.db import close_old_connections
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix
from django.utils.cache import patch_vary_headers
from django.utils.log import log_response

from chatproxy.api.problem_types import OVERLOADED
from chatproxy.bulkheads import BulkheadFull, Bulkheads
from chatproxy.exchange import BodyTooLarge, ClientGone, Exchange, Message, Receive, Send
from chatproxy.refusals import refuse, too_large

#: A stream that says its length and is no longer than this is read in the hop and sent like any
#: other answer, so that a slow reader of a static file holds no thread.
READ_AHEAD_BYTES = 1_048_576

#: Headers that describe the empty body of a `Deferred`, not the answer that takes its place.
_BODY_HEADERS = frozenset(
    {"content-type", "content-length", "content-encoding", "etag", "last-modified", "vary"}
)


class Deferred(HttpResponse):
    """Answer of a view that has to wait for something only the event loop can wait for.

    The handler awaits ``wait()`` on the loop, holding no thread, then calls ``resume()`` on a pool
    thread for the real answer, which may be deferred again. Middleware sees this empty 200 on its
    way out, once; headers and cookies it adds are given to the real answer, unless that sets its
    own. ``resume`` may raise: it counts as raised by the view. The client leaving cancels the wait;
    ``resume`` is then never called, and this answer is closed instead.

    Args:
        wait: Makes the awaitable; called on the event loop, so it must not block.
        resume: Makes the answer; called once ``wait()`` came through.
        failed: Makes the answer from the exception ``wait()`` raised. Without it, the exception
            counts as raised by the view.
    """

    def __init__(
        self,
        wait: Callable[[], Awaitable[object]],
        resume: Callable[[], HttpResponseBase],
        failed: Callable[[Exception], HttpResponseBase] | None = None,
    ) -> None:
        super().__init__()
        self.wait = wait
        self.resume = resume
        self.failed = failed

    def answered(self, failure: Exception | None) -> HttpResponseBase:
        """The real answer, after ``wait()`` came through or raised ``failure``."""
        if failure is None:
            return self.resume()
        if self.failed is None:
            raise failure
        return self.failed(failure)

    def hand_over_to(self, response: HttpResponseBase) -> None:
        """Give ``response`` what middleware added here, and the request to close."""
        for name, value in self.items():
            if name.lower() not in _BODY_HEADERS:
                response.headers.setdefault(name, value)
        if self.has_header("Vary"):
            patch_vary_headers(response, [part.strip() for part in self["Vary"].split(",")])
        for name, morsel in self.cookies.items():
            if name not in response.cookies:
                response.cookies[name] = morsel
        closers = self._resource_closers  # type: ignore[attr-defined]  # no public way
        response._resource_closers += closers  # type: ignore[attr-defined]


@dataclass(frozen=True)
class _Answer:
    """A complete answer, ready to send; its response is closed already."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass(frozen=True)
class _Paused:
    """A request between two hops."""

    request: HttpRequest
    deferred: Deferred

    def close(self) -> None:
        self.deferred.close()


#: What a hop comes back with; None when it has streamed the answer itself.
_Outcome = _Answer | _Paused | StreamingHttpResponse | None


class OneHopHandler(ASGIHandler):
    """ASGI application for http scopes: Django's sync chain, one hop per request.

    Args:
        bulkheads: Pools to run in; default sizes when left out.
        answered: Told of each request and its final response, on the thread that made it.
    """

    def __init__(
        self,
        bulkheads: Bulkheads | None = None,
        *,
        answered: Callable[[HttpRequest, HttpResponseBase], None] | None = None,
    ) -> None:
        self.bulkheads = bulkheads or Bulkheads()
        self.answered = answered
        super().__init__()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise ValueError(f"This handler serves http scopes, not {scope['type']}.")
        path, head = scope["path"], scope["method"] == "HEAD"
        bulkhead = self.bulkheads.for_request(scope["method"], path)
        limit = bulkhead.size.body_bytes
        exchange = Exchange(scope, receive, send, bulkhead)
        try:
            await self._serve(exchange, await exchange.body(limit))
        except BodyTooLarge:
            await refuse(exchange.send, too_large(limit), path, head=head)
        except BulkheadFull:
            bulkhead.refused += 1
            await refuse(exchange.send, OVERLOADED, path, head=head)
        except ClientGone:
            pass
        finally:
            exchange.close()

    # On the event loop

    async def _serve(self, exchange: Exchange, body: bytes) -> None:
        outcome = await exchange.hop(self._first_hop, exchange, body)
        while isinstance(outcome, _Paused):
            outcome = await self._continue(exchange, outcome)
        if isinstance(outcome, StreamingHttpResponse):
            await self._stream_on_loop(exchange, outcome)
        elif outcome is not None:
            await _send_answer(exchange, outcome)

    async def _continue(self, exchange: Exchange, paused: _Paused) -> _Outcome:
        """Wait for what a view waits for, then make the answer in another hop."""
        try:
            failure = await exchange.wait(paused.deferred.wait)
        except BaseException:  # gone, refused or cancelled: the request ends without an answer
            exchange.tidy_up(paused.close)
            raise
        return await exchange.next_hop(
            self._next_hop, exchange, paused, failure, never_begun=paused.close
        )

    async def _stream_on_loop(self, exchange: Exchange, response: StreamingHttpResponse) -> None:
        """Send an asynchronous iterator's parts; its response is closed where connections live."""
        try:
            failure = await exchange.wait(lambda: self.send_response(response, exchange.send))
        finally:
            exchange.tidy_up(response.close)
        if failure is not None:
            raise failure  # half an answer is out: the server logs it and cuts the connection

    # On a pool thread

    def _first_hop(self, exchange: Exchange, body: bytes) -> _Outcome:
        set_script_prefix(get_script_prefix(exchange.scope))
        signals.request_started.send(sender=self.__class__, scope=exchange.scope)
        request, refusal = self.create_request(exchange.scope, BytesIO(body))
        if refusal is not None:
            return self._finish(exchange, refusal)
        assert request is not None
        return self._settle(exchange, request, self.get_response(request))

    def _next_hop(self, exchange: Exchange, paused: _Paused, failure: Exception | None) -> _Outcome:
        close_old_connections()  # another thread than before, maybe idle since long
        request, deferred = paused.request, paused.deferred

        def answer(request: HttpRequest) -> HttpResponseBase:
            return self._answered(request, deferred, failure)

        response = cast(HttpResponse, convert_exception_to_response(answer)(request))
        deferred.hand_over_to(response)
        if response.status_code >= 400:
            log_response(
                "%s: %s", response.reason_phrase, request.path, response=response, request=request
            )
        return self._settle(exchange, request, response)

    def _answered(
        self, request: HttpRequest, deferred: Deferred, failure: Exception | None
    ) -> HttpResponseBase:
        """The deferred answer, with Django's exception middleware and late rendering."""
        try:
            response = deferred.answered(failure)
        except Exception as err:
            handled: HttpResponseBase | None = self.process_exception_by_middleware(err, request)
            if handled is None:
                raise
            response = handled
        render = getattr(response, "render", None)
        return render() if callable(render) else response

    def _settle(
        self, exchange: Exchange, request: HttpRequest, response: HttpResponseBase
    ) -> _Outcome:
        if not isinstance(response, Deferred):
            if self.answered is not None:
                self.answered(request, response)
            return self._finish(exchange, response)
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        close_old_connections()  # this thread's connection must not wait with the request
        return _Paused(request, response)

    def _finish(self, exchange: Exchange, response: HttpResponseBase) -> _Outcome:
        """Turn a final response into an answer and close it, on the thread that made it."""
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        keep_open = False
        try:
            if not isinstance(response, StreamingHttpResponse):
                return _answer(response, getattr(response, "content", b""))
            if exchange.scope["method"] == "HEAD":
                return _answer(response, None)
            if response.is_async:
                keep_open = True
                return response
            if (
                int(response.headers.get("Content-Length", READ_AHEAD_BYTES + 1))
                <= READ_AHEAD_BYTES
            ):
                return _answer(response, response.getvalue())
            self._stream_from_thread(exchange, response)
            return None
        finally:
            if not keep_open:
                response.close()

    def _stream_from_thread(self, exchange: Exchange, response: StreamingHttpResponse) -> None:
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        start = _answer(response, None)
        exchange.send_from_thread(
            {"type": "http.response.start", "status": start.status, "headers": start.headers}
        )
        for part in response:
            for chunk, _ in self.chunk_bytes(part):
                exchange.send_from_thread(
                    {"type": "http.response.body", "body": chunk, "more_body": True}
                )
        exchange.send_from_thread({"type": "http.response.body"})

    # Django's hooks

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the synchronous chain, whatever kind of handler the base class means to be."""
        super().load_middleware(is_async=False)

    def adapt_method_mode(
        self,
        is_async: bool,
        method: Callable[..., Any],
        method_is_async: bool | None = None,
        debug: bool = False,
        name: str | None = None,
    ) -> Any:
        """Refuse middleware that cannot run synchronously, at start."""
        if is_async or method_is_async or (method_is_async is None and iscoroutinefunction(method)):
            what = name or f"method {method.__qualname__}"
            raise ImproperlyConfigured(
                f"The one-hop handler runs synchronous middleware only; {what} is asynchronous."
            )
        return method

    def resolve_request(self, request: HttpRequest) -> Any:
        """Refuse an asynchronous view, by name, instead of running a second loop in a pool."""
        match = super().resolve_request(request)
        if iscoroutinefunction(match.func) or getattr(match.func, "view_is_async", False):
            raise ImproperlyConfigured(
                f"The one-hop handler runs synchronous views only; {match._func_path} is "
                "asynchronous. Make it synchronous and return a Deferred where it has to wait."
            )
        return match


def _answer(response: HttpResponseBase, body: bytes | None) -> _Answer:
    """``response`` with ``body`` in ASGI's terms; without one, its length is left as it is."""
    headers = [(name.encode("ascii"), value.encode("latin-1")) for name, value in response.items()]
    for cookie in response.cookies.values():
        headers.append((b"Set-Cookie", cookie.output(header="").strip().encode("ascii")))
    if body is not None and not response.has_header("Content-Length"):
        headers.append((b"Content-Length", str(len(body)).encode("ascii")))
    return _Answer(response.status_code, headers, body or b"")


async def _send_answer(exchange: Exchange, answer: _Answer) -> None:
    await exchange.send(
        {"type": "http.response.start", "status": answer.status, "headers": answer.headers}
    )
    body = b"" if exchange.scope["method"] == "HEAD" else answer.body
    await exchange.send({"type": "http.response.body", "body": body})
