"""What Django serves in the sandbox: the agent console."""

from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = []
if find_spec("chatproxy.sandbox.console"):
    urlpatterns.append(path("console/", include("chatproxy.sandbox.console.urls")))
