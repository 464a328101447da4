"""The sandbox as one ASGI application: which door a connection goes to. No logic of its own."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproxy.sandbox.settings")

from django.core.asgi import get_asgi_application

from chatproxy.sandbox import doors
from chatproxy.sandbox.box import current
from chatproxy.sandbox.web import Answer, Receive, Scope, Send, read_request, send_answer

_django = get_asgi_application()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    path = scope["path"]
    if scope["type"] == "websocket":
        await current().switchboard.serve(scope, receive, send)
    elif path.startswith("/console/"):
        await _django(scope, receive, send)  # type: ignore[arg-type]
    elif path == "/readyz":
        await send_answer(send, Answer.json({"status": "ready"}))
    else:
        request = await read_request(scope, receive)
        if request is not None:
            await send_answer(send, doors.answer(current(), request))
