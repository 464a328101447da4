"""SendMessage as an ordinary Django view: the default middleware, a row, a token, ``requests``.

Does for a message what the proxy does: read the bearer key, find the session's row by the key's
hash, open the sealed token, check the fields, post to the service, answer. Sync view, stock ASGI
handler, daphne with its defaults; one shared ``requests.Session``.

    python -m tests.bench.peers.stock_view PORT UPSTREAM_URL DATABASE_FILE KEYS
"""

from __future__ import annotations

import hashlib
import json
import sys

from daphne.server import Server  # first: it installs the reactor
from django.conf import settings

PORT, UPSTREAM, DATABASE, KEYS = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])

settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
    USE_TZ=True,
)

import django  # noqa: E402

django.setup()

import requests  # noqa: E402
from cryptography.fernet import Fernet  # noqa: E402
from django.core.handlers.asgi import ASGIHandler  # noqa: E402
from django.db import connection, models  # noqa: E402
from django.http import HttpRequest, JsonResponse  # noqa: E402
from django.urls import path  # noqa: E402
from django.views.decorators.csrf import csrf_exempt  # noqa: E402
from django.views.decorators.http import require_POST  # noqa: E402

fernet = Fernet(Fernet.generate_key())
http = requests.Session()


class Chat(models.Model):
    """One visitor's chat, as a first version would keep it."""

    key_hash = models.CharField(max_length=64, unique=True)
    token = models.BinaryField()
    active = models.BooleanField(default=True)

    class Meta:
        app_label = "bench"

    def __str__(self) -> str:
        return self.key_hash


@csrf_exempt
@require_POST
def send_message(request: HttpRequest) -> JsonResponse:
    key = request.headers.get("X-Amz-Bearer", "")
    try:
        chat = Chat.objects.get(key_hash=_hash(key), active=True)
        body = json.loads(request.body)
    except (Chat.DoesNotExist, ValueError):
        return JsonResponse({"message": "Access denied"}, status=403)
    if not body.get("Content") or not body.get("ContentType"):
        return JsonResponse({"message": "Content and ContentType are required"}, status=400)
    answer = http.post(
        f"{UPSTREAM}/participant/message",
        json=body,
        headers={"X-Amz-Bearer": fernet.decrypt(bytes(chat.token)).decode()},
        timeout=(3.05, 10),
    )
    return JsonResponse(answer.json(), status=answer.status_code)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


urlpatterns = [path("participant/message", send_message)]

with connection.schema_editor() as editor:
    editor.create_model(Chat)
Chat.objects.bulk_create(
    Chat(key_hash=_hash(f"key-{n}"), token=fernet.encrypt(b"t" * 400)) for n in range(KEYS)
)
connection.close()

Server(application=ASGIHandler(), endpoints=[f"tcp:port={PORT}:interface=127.0.0.1"]).run()
