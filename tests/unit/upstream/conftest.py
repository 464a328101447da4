"""A client of a server that says what the test tells it to."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import HealthCheck, settings
from requests.adapters import BaseAdapter, HTTPAdapter

from chatproxy.upstream.onesocket import OneSocketAdapter
from chatproxy.upstream.participant import ParticipantClient
from tests.unit.upstream.clock import Clock
from tests.unit.upstream.scripted import ScriptedServer, scripted_server

# Two shared cores: how long an example takes says nothing about the code.
settings.register_profile("loaded", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("loaded")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with scripted_server() as running:
        yield running


@pytest.fixture(params=[OneSocketAdapter, HTTPAdapter])
def adapter(request: pytest.FixtureRequest) -> type[BaseAdapter]:
    """Ours, and the one of requests: either must do."""
    found: type[BaseAdapter] = request.param
    return found


@pytest.fixture
def patience_s() -> float:
    """How long a client waits for an answer; HASTY says a moment."""
    return 20.0


@pytest.fixture
def client(
    server: ScriptedServer, adapter: type[BaseAdapter], patience_s: float
) -> Iterator[ParticipantClient]:
    with ParticipantClient(server.url, read_timeout_s=patience_s, adapter=adapter) as made:
        yield made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of 127.0.0.1, signed by nobody but itself, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[ScriptedServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with scripted_server(context) as running:
        yield running
