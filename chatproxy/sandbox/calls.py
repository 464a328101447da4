"""One authorised call to the Participant Service, as the functions that serve it see it."""

from dataclasses import dataclass
from typing import Any

from chatproxy.sandbox.center import Center
from chatproxy.sandbox.contacts import Contact, Participant
from chatproxy.sandbox.tokens import ConnectionGrant, ParticipantGrant
from chatproxy.sandbox.wire import ServiceError


@dataclass
class Call:
    """Whose call it is and what it says; ``members`` has been checked against the model."""

    center: Center
    grant: ParticipantGrant | ConnectionGrant
    members: dict[str, Any]

    @property
    def contact(self) -> Contact:
        return self.grant.contact

    @property
    def participant(self) -> Participant:
        return self.grant.participant

    @property
    def is_customer(self) -> bool:
        return self.participant is self.contact.customer


def invalid(message: str) -> ServiceError:
    """A ValidationException to raise; ``message`` is fit to show."""
    return ServiceError("ValidationException", message)
