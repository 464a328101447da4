"""A typed, lazy view of our settings, so that tests can override them and mypy can check them."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


class Conf:
    """Settings as code reads them. One property a setting; nothing is cached."""

    @property
    def demo(self) -> bool:
        return bool(settings.CHAT_DEMO)

    @property
    def public_url(self) -> str:
        """Where browsers reach us: scheme and host, no trailing slash."""
        return str(settings.CHAT_PUBLIC_URL)

    @property
    def public_origin(self) -> str:
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def websocket_url(self) -> str:
        """``public_url`` with the websocket scheme."""
        return "ws" + self.public_url.removeprefix("http")

    @property
    def vault_keys(self) -> list[str]:
        return list(settings.CHAT_VAULT_KEYS)

    @property
    def region(self) -> str:
        return str(settings.CONNECT_REGION)

    @property
    def instance_id(self) -> str:
        return str(settings.CONNECT_INSTANCE_ID)

    @property
    def contact_flow_id(self) -> str:
        return str(settings.CONNECT_CONTACT_FLOW_ID)

    @property
    def connect_endpoint_url(self) -> str | None:
        """Endpoint of the Connect service; ``None`` leaves the choice to boto3."""
        return settings.CONNECT_ENDPOINT_URL or None

    @property
    def participant_endpoint_url(self) -> str:
        return (
            settings.CONNECT_PARTICIPANT_ENDPOINT_URL
            or f"https://participant.connect.{self.region}.amazonaws.com"
        )

    @property
    def websocket_hosts(self) -> list[str]:
        """Hosts an upstream websocket URL may name; ``*.`` stands for any one label."""
        return list(settings.CONNECT_WEBSOCKET_HOSTS) or [
            f"*.transport.connect.{self.region}.amazonaws.com"
        ]

    @property
    def connect_timeout_s(self) -> float:
        return float(settings.CONNECT_CONNECT_TIMEOUT_S)

    @property
    def read_timeout_s(self) -> float:
        return float(settings.CONNECT_READ_TIMEOUT_S)

    @property
    def quotas(self) -> dict[str, tuple[float, float]]:
        """Overrides of the instance's quotas: group → (rate per second, burst)."""
        return {name: (pair[0], pair[1]) for name, pair in settings.CONNECT_QUOTAS.items()}

    @property
    def governor(self) -> bool:
        return bool(settings.CHAT_GOVERNOR)

    @property
    def fast_path(self) -> bool:
        """Whether frames are written to daphne's sockets directly, where those allow it."""
        return bool(settings.CHAT_FAST_PATH)

    @property
    def retention_days(self) -> int:
        """Days an ended chat's items are kept; 0 keeps them in memory only."""
        return int(settings.CHAT_RETENTION_DAYS)

    @property
    def session_idle_s(self) -> int:
        return int(settings.CHAT_SESSION_IDLE_SECONDS)

    @property
    def ended_readable_s(self) -> int:
        return int(settings.CHAT_ENDED_READABLE_SECONDS)

    @property
    def opened_cache_s(self) -> float:
        return float(settings.CHAT_OPENED_CACHE_SECONDS)

    @property
    def tabs_per_session(self) -> int:
        return int(settings.CHAT_TABS_PER_SESSION)

    @property
    def tab_buffer_bytes(self) -> int:
        return int(settings.CHAT_TAB_BUFFER_BYTES)

    @property
    def starts_per_address(self) -> str:
        """A rate as the ``limits`` library reads it, for example ``10/minute``."""
        return str(settings.CHAT_STARTS_PER_ADDRESS)

    @property
    def requests_per_key(self) -> str:
        return str(settings.CHAT_REQUESTS_PER_KEY)

    @property
    def trusted_proxies(self) -> list[str]:
        return list(settings.CHAT_TRUSTED_PROXIES)

    @property
    def start_challenge(self) -> str:
        """Dotted path of the callable every start has to satisfy; empty: none."""
        return str(settings.CHAT_START_CHALLENGE)

    @property
    def redis_url(self) -> str:
        """Empty: everything that processes share is this process's own."""
        return str(settings.REDIS_URL)

    @property
    def metrics_token(self) -> str:
        return str(settings.CHAT_METRICS_TOKEN)


conf = Conf()
