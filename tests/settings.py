"""The proxy's settings as tests inside this process see them, whatever the shell says.

Servers that tests start get their environment from ``processes.py``.
"""

import os
import tempfile
from pathlib import Path

for name in list(os.environ):
    if name.startswith(("CHAT_", "CONNECT_", "AWS_")) or name in {"DATABASE_URL", "REDIS_URL"}:
        del os.environ[name]

_folder = Path(tempfile.mkdtemp(prefix="chatproxy-tests-"))
os.environ |= {
    "DATABASE_URL": f"sqlite:///{_folder / 'tests.sqlite3'}",
    "CHAT_DEMO": "1",
    "CHAT_PUBLIC_URL": "http://127.0.0.1:8000",
    "CHAT_SECRET_KEY": "not a secret: tests only",
    "CHAT_VAULT_KEYS": "dGVzdHMgb25seSB0ZXN0cyBvbmx5IHRlc3RzIG9ubHk=",
    "CHAT_STARTS_PER_ADDRESS": "100000/minute",
    "CONNECT_REGION": "us-west-2",
    "CONNECT_INSTANCE_ID": "11111111-2222-4333-8444-555555555555",
    "CONNECT_CONTACT_FLOW_ID": "66666666-7777-4888-8999-000000000000",
    "CONNECT_ENDPOINT_URL": "http://127.0.0.1:9",  # nothing answers: a test that needs it says so
    "CONNECT_PARTICIPANT_ENDPOINT_URL": "http://127.0.0.1:9",
    "CONNECT_WEBSOCKET_HOSTS": "127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}

from chatproxy.settings import *  # noqa: E402, F403
from chatproxy.settings import DATABASES  # noqa: E402

# A file, not memory: several threads and the event loop open it, as in a running proxy.
DATABASES["default"]["TEST"] = {"NAME": str(_folder / "tests.sqlite3")}

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast; nothing to protect
