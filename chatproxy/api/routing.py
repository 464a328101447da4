"""Websocket routes."""

from django.urls import path

from chatproxy.api.consumers import ChatConsumer

websocket_urlpatterns = [path("ws/chat/<uuid:session_id>", ChatConsumer.as_asgi())]
