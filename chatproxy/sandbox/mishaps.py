"""What faults do to frames on their way to the sockets: twice, swapped, kept, lost, late."""

import asyncio
from collections.abc import Callable

from chatproxy.sandbox.contacts import Contact, Wire
from chatproxy.sandbox.faults import Fault, Faults, Kind

Held = tuple[Contact, Wire]
Deliver = Callable[[Contact, Wire], None]


class Mishaps:
    """Sits between center and switchboard; without faults it only hands frames on."""

    def __init__(self, faults: Faults, deliver: Deliver) -> None:
        self._faults = faults
        self._deliver = deliver
        self._withheld: dict[str, list[Held]] = {}
        self._swapped: dict[tuple[str, Contact], Wire] = {}

    def carry(self, contact: Contact, frame: Wire) -> None:
        """Deliver a frame, or do to it what the first fault that hits it says."""
        fault = next(iter(self._faults.hitting_frame(contact, frame)), None)
        if fault is None:
            self._deliver(contact, frame)
            return
        match fault.kind:
            case Kind.DUPLICATE:
                self._deliver(contact, frame)
                self._deliver(contact, frame)
            case Kind.WITHHOLD:
                self._withheld.setdefault(fault.id, []).append((contact, frame))
            case Kind.LATE:
                loop = asyncio.get_running_loop()
                loop.call_later(fault.delay_s, self._deliver, contact, frame)
            case Kind.REORDER:
                self._swap(fault, contact, frame)
            case _:
                pass  # lost

    def release(self, fault_id: str, *, in_reverse: bool = False) -> int:
        """Let go of what a fault holds, even one that is over; returns the number of frames."""
        held = self._withheld.pop(fault_id, [])
        for key in [each for each in self._swapped if each[0] == fault_id]:
            held.append((key[1], self._swapped.pop(key)))
        for contact, frame in reversed(held) if in_reverse else held:
            self._deliver(contact, frame)
        return len(held)

    def release_all(self) -> int:
        """Let go of everything that is held."""
        holders = [*self._withheld, *(fault_id for fault_id, _ in self._swapped)]
        return sum(self.release(each) for each in dict.fromkeys(holders))

    def clear(self) -> None:
        """Forget what is held."""
        self._withheld.clear()
        self._swapped.clear()

    def _swap(self, fault: Fault, contact: Contact, frame: Wire) -> None:
        earlier = self._swapped.pop((fault.id, contact), None)
        if earlier is None:
            self._swapped[fault.id, contact] = frame
        else:
            self._deliver(contact, frame)
            self._deliver(contact, earlier)
