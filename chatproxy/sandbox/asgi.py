"""The sandbox as one ASGI application: which door a connection goes to. No logic of its own."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproxy.sandbox.settings")

from django.core.asgi import get_asgi_application

from chatproxy.sandbox import bucket, control, doors, signin
from chatproxy.sandbox.box import current
from chatproxy.sandbox.web import (
    Answer,
    ConnectionReset,
    NoAnswer,
    Receive,
    Request,
    Scope,
    Send,
    abort,
    read_request,
    send_answer,
)

_django = get_asgi_application()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one connection."""
    if scope["type"] == "websocket":
        await current().switchboard.serve(scope, receive, send)
    elif scope["path"].startswith("/console/"):
        await _django(scope, receive, send)  # type: ignore[arg-type]
    else:
        request = await read_request(scope, receive)
        if request is None:
            return
        try:
            answer = await _answer(request)
        except ConnectionReset:
            abort(send)
        except NoAnswer:
            await receive()  # http.disconnect
        else:
            await send_answer(send, answer)


async def _answer(request: Request) -> Answer:
    box, path = current(), request.path
    if path == "/readyz":
        return Answer.json({"status": "ready"})
    if path == "/":
        return Answer(302, {"Location": "/console/"})
    if path.startswith(control.PATH):
        return control.answer(box, request)
    if path.startswith(bucket.PATH):
        return bucket.answer(box.center.files, request)
    if path == signin.PATH:
        return signin.answer(box.center, request)
    return await doors.answer(box, request)
