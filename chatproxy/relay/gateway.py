"""The link's way to Amazon Connect: calls that block, made on threads, with the governor's permit.

The relay lives on the event loop; REST and database do not. Everything of theirs that a link needs
goes through here, on two small pools of the relay's own, so that it can neither stall the loop nor
be held up by what browsers ask for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from chatproxy.conf import conf
from chatproxy.sessions import instances, lifecycle, messaging, opened
from chatproxy.sessions.errors import SessionEnded
from chatproxy.upstream.errors import ThrottlingException
from chatproxy.upstream.governor import Group, Priority
from chatproxy.upstream.inputs import ConnectionRequest, TranscriptQuery
from chatproxy.upstream.shapes import Connection, TranscriptPage
from chatproxy.upstream.vocabulary import ConnectionType

P = ParamSpec("P")
T = TypeVar("T")

# A link waits its turn this long, then says that it could not get one and stands in line again.
PERMIT_WAIT_S = 600.0

_BOTH = ConnectionRequest(types=(ConnectionType.WEBSOCKET, ConnectionType.CONNECTION_CREDENTIALS))


class Gateway:
    """Upstream and database calls for links. One per process."""

    def __init__(self) -> None:
        self._upstream = ThreadPoolExecutor(16, thread_name_prefix="relay-upstream")
        # Apart, so that typing in front of a hung upstream keeps no link from opening.
        self._signals = ThreadPoolExecutor(8, thread_name_prefix="relay-signals")
        self._database = ThreadPoolExecutor(2, thread_name_prefix="relay-database")

    async def database(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that uses the ORM on a database thread."""
        return await self._run(self._database, _with_connections, partial(call, *args, **kwargs))

    async def connect(
        self, session_id: str, priority: Priority, *, replace_token: bool
    ) -> tuple[Connection, datetime | None]:
        """CreateParticipantConnection for a session, its new token kept where one is needed.

        Returns:
            (the connection, when the session's connection token expires)

        Raises:
            SessionEnded, SessionNotFound: the session is over, as far as we know.
            GovernorBusy: no permit, for a long time.
            UpstreamError: what the service said, or that it said nothing.
        """
        chat = await self.database(opened.reopen, session_id)
        if chat.participant_token is None or not chat.is_live:
            raise SessionEnded("The chat is over.")
        await self._permit(chat.instance_id, Group.CONNECTION, priority, session_id)
        client = instances.participant_client()
        connection = await self.permitted(
            chat.instance_id,
            Group.CONNECTION,
            client.create_participant_connection,
            chat.participant_token,
            _BOTH,
        )
        if connection.credentials is None or connection.websocket is None:
            return connection, None
        token_expiry = await self.database(
            lifecycle.keep_token,
            session_id,
            connection.credentials,
            replace=replace_token,
            needed_until=connection.websocket.connection_expiry,
        )
        return connection, token_expiry

    async def transcript(
        self, session_id: str, query: TranscriptQuery, priority: Priority
    ) -> TranscriptPage:
        """One page of GetTranscript.

        Raises:
            Overloaded: the session has no connection token just now.
            GovernorBusy, UpstreamError: as for ``connect``.
        """
        chat = await self.database(opened.open_session, session_id)
        token = messaging.token_of(chat, chat.generation)
        await self._permit(chat.instance_id, Group.TRANSCRIPT, priority, session_id)
        client = instances.participant_client()
        return await self.permitted(
            chat.instance_id, Group.TRANSCRIPT, client.get_transcript, token, query
        )

    async def upstream(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run something else that blocks on the service, on an upstream thread."""
        return await self._run(self._upstream, call, *args, **kwargs)

    async def permitted(
        self,
        instance_id: str,
        group: Group,
        call: Callable[P, T],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Make a call whose permit has been taken, and tell the governor how it went."""
        keeper = instances.governor(instance_id)
        pool = self._signals if group is Group.MESSAGE else self._upstream
        try:
            return await self._run(pool, call, *args, **kwargs)
        except ThrottlingException:
            keeper.penalise(group)
            raise
        finally:
            keeper.settle(group)

    async def _permit(
        self, instance_id: str, group: Group, priority: Priority, session_id: str
    ) -> None:
        if conf.governor:
            governor = instances.governor(instance_id)
            await governor.acquire(group, priority, session_id, PERMIT_WAIT_S)

    async def _run(
        self, pool: ThreadPoolExecutor, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(pool, partial(call, *args, **kwargs))

    def shutdown(self) -> None:
        """Take on nothing more; what runs ends by itself."""
        for pool in (self._upstream, self._signals, self._database):
            pool.shutdown(wait=False, cancel_futures=True)


def _with_connections(call: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()
