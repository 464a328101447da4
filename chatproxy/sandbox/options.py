"""What can be turned on the sandbox: lifetimes, limits, quotas, scanner, which instances exist.

Defaults are the service's own figures. The control API changes them while everything runs; a value
takes effect for what is issued or checked from then on.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

from chatproxy.upstream import vocabulary


@dataclass
class Options:
    """All switches. Seconds are sandbox seconds (see ``clock``)."""

    # Lifetimes.
    connection_token_s: float = vocabulary.CONNECTION_TOKEN_LIFETIME_S
    websocket_url_s: float = vocabulary.WEBSOCKET_URL_LIFETIME_S
    websocket_s: float = vocabulary.WEBSOCKET_LIFETIME_S
    upload_url_s: float = 900.0
    download_url_s: float = 300.0
    first_connection_s: float = vocabulary.FIRST_CONNECTION_WITHIN_S
    authentication_url_s: float = vocabulary.AUTHENTICATION_URL_WITHIN_S
    # From the customer's DisconnectParticipant to chat.ended: the flow's disconnect path.
    disconnect_flow_s: float = 0.0
    # From chat.ended to closing what the clients left open.
    close_after_end_s: float = 1.0

    # The port in websocket URLs, where something stands between the sandbox and its clients.
    public_port: int | None = None

    # Limits.
    sockets_per_participant: int = vocabulary.SOCKETS_PER_PARTICIPANT
    concurrent_chats: int = vocabulary.CONCURRENT_CHATS
    # Ended chats remembered, for persistent chats and for looking at; the oldest are forgotten.
    ended_chats_kept: int = 2000
    attachment_max_bytes: int = vocabulary.ATTACHMENT_MAX_BYTES
    attachments_per_chat: int = vocabulary.ATTACHMENTS_PER_CHAT
    attachments_enabled: bool = True
    extra_attachment_types: list[str] = field(default_factory=list)
    # "bytes": 16,384 UTF-8 bytes whatever the type. "strict": the older, smaller set, characters.
    size_profile: str = "bytes"

    # "exact": the buckets of upstream quotas, per instance. "off": never throttled.
    quotas: str = "off"

    # Scanner: seconds until an attachment is APPROVED; none means at once. Names holding
    # ``scanner_rejects`` end up REJECTED.
    scanner_s: float | None = None
    scanner_rejects: str = "virus"
    # Seconds a plain, markdown or JSON message is held back for processing; none: not processed.
    processing_s: float | None = None

    # The bot. Off: nothing is said, and chats go straight to the agent console's queue.
    bot: bool = True
    bot_delay_s: float = 0.7  # one pause of its scripts; nearly all speak after one or two
    agent_patience_s: float = 45.0  # until it says that no person has come

    # None: every instance and flow exists.
    instance_ids: list[str] | None = None
    contact_flow_ids: list[str] | None = None

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def update(self, changes: dict[str, Any]) -> None:
        """Apply ``changes`` or none of them.

        Raises:
            ValueError: unknown name, wrong type or value; the message is a sentence to show.
        """
        checked = {name: _checked(name, value) for name, value in changes.items()}
        for name, value in checked.items():
            setattr(self, name, value)


_CHOICES = {"quotas": ("off", "exact"), "size_profile": ("bytes", "strict")}


def _checked(name: str, value: Any) -> Any:
    kinds = {
        each.name: each.type.__name__ if isinstance(each.type, type) else str(each.type)
        for each in fields(Options)
    }
    if name not in kinds:
        raise ValueError(f"{name!r} is no setting; there are: {', '.join(sorted(kinds))}")
    kind = kinds[name]
    if value is None and "None" in kind:
        return None
    if name in _CHOICES:
        if value in _CHOICES[name]:
            return value
        raise ValueError(f"{name} is one of {', '.join(_CHOICES[name])}")
    if kind.startswith("list"):
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return value
    elif kind.startswith("bool") or isinstance(value, bool):
        if kind.startswith("bool") and isinstance(value, bool):
            return value
    elif kind.startswith("float"):
        if isinstance(value, int | float) and value >= 0:
            return float(value)
    elif kind.startswith("int"):
        if isinstance(value, int) and value >= 0:
            return value
    elif isinstance(value, str):
        return value
    raise ValueError(f"{name} takes {kind}, not {type(value).__name__} {value!r}")
