"""Where a link's frames come in: straight to the stream, or held back while a gap is filled."""

from __future__ import annotations

import logging

from chatproxy.flag import Flag
from chatproxy.relay.stream import Stream
from chatproxy.upstream.chatframes import ChatFrame

logger = logging.getLogger(__name__)

MOST_HELD = 2000


class Inlet:
    """Takes the frames of all sockets of one link; begins with holding them back.

    Args:
        over: Set when the chat's end has passed.
    """

    __slots__ = ("_held", "_is_shut", "_over", "_stream")

    def __init__(self, stream: Stream, over: Flag) -> None:
        self._stream = stream
        self._over = over
        self._held: list[ChatFrame] | None = []
        self._is_shut = False

    def take(self, frame: ChatFrame) -> None:
        """One frame from a socket."""
        if self._is_shut:
            return
        if self._held is None:
            self._pass_on(frame)
            return
        self._held.append(frame)
        if len(self._held) > MOST_HELD:
            # Known from here on, but not the gap before it: only reading all of it closes that.
            self._stream.transcript.mark_hole()
            self.release()

    def hold(self) -> None:
        """Hold back what comes from here on."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Pass on what was held back; from here on frames pass as they come."""
        held, self._held = self._held or [], None
        for frame in held:
            self._pass_on(frame)

    def shut(self) -> None:
        """Let nothing in any more."""
        self._is_shut = True

    @property
    def holds_the_end(self) -> bool:
        """Whether the chat's end is among what is held back."""
        # What is plain is a message.
        return any(not frame.id and frame.item.is_chat_ended for frame in self._held or ())

    def _pass_on(self, frame: ChatFrame) -> None:
        try:
            self._stream.take(frame)
        except Exception:
            # One item we cannot handle must not cost the chat its socket, nor what is held behind.
            logger.exception("a frame could not be handled")
        if self._stream.is_ended:
            self._over.set()
