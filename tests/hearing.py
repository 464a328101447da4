"""A websocket of the `websockets` library that hears the server out."""

from __future__ import annotations

from contextlib import suppress

from websockets.sync.client import ClientConnection


class Hearing(ClientConnection):
    """For ``connect(…, create_connection=Hearing)``.

    The library throws away what came together with a close if its answer to the close cannot be
    written any more, because the server has gone on to close the connection.
    """

    def send_data(self) -> None:
        with suppress(OSError):  # reading finds out, too
            super().send_data()
