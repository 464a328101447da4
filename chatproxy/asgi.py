"""The ASGI application: HTTP in one hop, the browser socket, start and stop."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproxy.settings")

import django

django.setup()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from chatproxy import systemd  # noqa: E402
from chatproxy.api import metrics  # noqa: E402
from chatproxy.api.health import Health, last_call  # noqa: E402
from chatproxy.api.routing import websocket_urlpatterns  # noqa: E402
from chatproxy.lifespan import lifespan  # noqa: E402
from chatproxy.onehop import OneHopHandler  # noqa: E402
from chatproxy.relay import runtime  # noqa: E402
from chatproxy.sessions import instances  # noqa: E402

lifespan.on_start(runtime.start)
lifespan.on_stop(runtime.stop)
lifespan.on_start(systemd.start)

handler = OneHopHandler(answered=metrics.count_answer)
instances.observe_calls(metrics.count_call)
instances.observe_calls(last_call.note)
metrics.process.bulkheads = handler.bulkheads

application = ProtocolTypeRouter(
    {
        "http": Health(handler),
        "websocket": URLRouter(websocket_urlpatterns),
        "lifespan": lifespan.app,
    }
)
