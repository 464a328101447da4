"""What goes wrong on purpose: where and how often. Deciding only; ``doors`` and ``socket`` act.

A fault is added over the control API and waits for what it is aimed at: calls of an operation,
websocket handshakes, or frames on their way out. It ends after ``count`` hits, after
``seconds``, or when deleted.
"""

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from chatproxy.sandbox.contacts import Contact, Wire
from chatproxy.upstream.vocabulary import Operation


class Kind(StrEnum):
    """What a fault does."""

    # To calls.
    THROTTLE = "throttle"  # 429, the service's own name for it
    ERROR = "error"  # any modelled error, by name
    STATUS = "status"  # any status, with a body of your own or none
    NONSENSE = "nonsense"  # 200 and a body that is no answer
    DELAY = "delay"  # answer, but ``delay_s`` later; ``when`` the work is done before or after
    HANG = "hang"  # never answer, nothing done
    RESET = "reset"  # reset the TCP connection, nothing done
    LOSE_ANSWER = "lose_answer"  # do it, then reset (or hang, with ``how``) instead of answering

    # To websocket handshakes.
    REFUSE_HANDSHAKE = "refuse_handshake"
    HANG_HANDSHAKE = "hang_handshake"

    # To open sockets.
    REFUSE_SUBSCRIBE = "refuse_subscribe"  # acknowledged with status "failure"
    IGNORE_SUBSCRIBE = "ignore_subscribe"  # never acknowledged
    IGNORE_HEARTBEAT = "ignore_heartbeat"
    IGNORE_PING = "ignore_ping"
    UNHEALTHY_PING = "unhealthy_ping"  # answered with statusCode 500
    HALF_OPEN = "half_open"  # from the subscribe on: TCP stays, nothing is read or written

    # To frames.
    DUPLICATE = "duplicate"  # each one twice
    REORDER = "reorder"  # each pair the other way round
    WITHHOLD = "withhold"  # kept until the fault is released or deleted
    LOSE = "lose"  # never delivered
    LATE = "late"  # delivered ``delay_s`` later


CALL_KINDS = frozenset(list(Kind)[:8])
FRAME_KINDS = frozenset({Kind.DUPLICATE, Kind.REORDER, Kind.WITHHOLD, Kind.LOSE, Kind.LATE})


@dataclass(eq=False)
class Fault:
    """One fault. ``count`` and ``seconds`` None: until deleted."""

    kind: Kind
    # Calls only: an operation by name, or every one.
    operation: str = "*"
    contact_id: str | None = None
    # Frames only: the item's Type or ContentType.
    item: str | None = None
    count: int | None = None
    seconds: float | None = None
    skip: int = 0  # let that many pass first
    delay_s: float = 1.0
    when: str = "before"
    how: str = "reset"
    error: str = ""  # none given: the service's own for a failure inside
    message: str = "Injected fault"
    status: int = 503
    body: str = "<html><body>It works!</body></html>"
    content_type: str = "text/html"
    id: str = ""
    hits: int = 0
    added_at: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        if self.count is not None and self.hits >= self.count:
            return True
        return self.seconds is not None and time.monotonic() - self.added_at >= self.seconds

    def wire(self) -> Wire:
        hidden = {"added_at"}
        return {
            each.name: getattr(self, each.name) for each in fields(self) if each.name not in hidden
        }


class Faults:
    """The faults that wait, in the order they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._numbers = itertools.count(1)

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Add a fault.

        Raises:
            ValueError: unknown kind, operation or member; the message is a sentence to show.
        """
        fault = _read(wanted)
        fault.id = f"f{next(self._numbers)}"
        self._faults.append(fault)
        return fault

    def all(self) -> list[Fault]:
        return [each for each in self._faults if not each.is_over]

    def remove(self, fault_id: str | None = None) -> list[Fault]:
        """Take out one or all; returns what was taken out."""
        removed = [each for each in self._faults if fault_id in (None, each.id)]
        self._faults = [each for each in self._faults if each not in removed]
        return removed

    def hitting_call(self, operation: Operation, contact: Contact | None) -> list[Fault]:
        """The faults that hit this call, each counted as a hit."""
        return list(
            self._hits(
                each
                for each in self._faults
                if each.kind in CALL_KINDS
                and each.operation in ("*", operation)
                and _aims_at(each, contact)
            )
        )

    def hitting_frame(self, contact: Contact, frame: Wire) -> list[Fault]:
        return list(
            self._hits(
                each
                for each in self._faults
                if each.kind in FRAME_KINDS
                and each.item in (None, frame.get("Type"), frame.get("ContentType"))
                and _aims_at(each, contact)
            )
        )

    def hits(self, kind: Kind, contact: Contact | None) -> Fault | None:
        """The first fault of ``kind`` that hits a socket of this contact, counted as a hit."""
        return next(
            self._hits(
                each for each in self._faults if each.kind == kind and _aims_at(each, contact)
            ),
            None,
        )

    def _hits(self, aimed: Iterator[Fault]) -> Iterator[Fault]:
        if not self._faults:
            return
        for fault in list(aimed):
            if fault.is_over:
                self._faults.remove(fault)
            elif fault.skip > 0:
                fault.skip -= 1
            else:
                fault.hits += 1
                yield fault


def _aims_at(fault: Fault, contact: Contact | None) -> bool:
    if fault.contact_id is None:
        return True
    return contact is not None and fault.contact_id in (
        contact.contact_id,
        contact.initial_contact_id,
    )


_GIVEN = {each.name for each in fields(Fault)} - {"id", "hits", "added_at"}


def _read(wanted: dict[str, Any]) -> Fault:
    unknown = wanted.keys() - _GIVEN
    if unknown:
        raise ValueError(
            f"A fault has no {', '.join(sorted(unknown))}; it has: {', '.join(sorted(_GIVEN))}"
        )
    kinds = ", ".join(Kind)
    if wanted.get("kind") not in list(Kind):
        raise ValueError(f"kind is one of: {kinds}")
    if wanted.get("operation", "*") not in ["*", *Operation]:
        raise ValueError(f"operation is * or one of: {', '.join(Operation)}")
    if wanted.get("when", "before") not in ("before", "after"):
        raise ValueError("when is before or after")
    if wanted.get("how", "reset") not in ("reset", "hang"):
        raise ValueError("how is reset or hang")
    for name in ("count", "seconds", "delay_s", "skip", "status"):
        value = wanted.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError(f"{name} is a number")
    return Fault(**(wanted | {"kind": Kind(wanted["kind"])}))
