"""Pages and files of the widget: what sites embed, and the demo's page with the widget on it."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from chatproxy.conf import conf
from chatproxy.widgets import snippet
from chatproxy.widgets.demo import WIDGET_KEY
from chatproxy.widgets.files import accepted_encodings, widget_file
from chatproxy.widgets.models import Widget

_THEMES = ("light", "dark")


@require_safe
def file(request: HttpRequest, name: str) -> HttpResponseBase:
    """One built file of the widget, for any page, compressed, with the cache its name allows."""
    found = widget_file(settings.WIDGET_DIST, name)
    if found is None:
        raise Http404(
            "No such widget file. The loader's address is /widget/v1/loader.js; after a change of "
            "its sources run `make widget`."
        )
    accepted = accepted_encodings(request.headers.get("Accept-Encoding", ""))
    body, encoding = found.encoded_for(accepted)
    etag = f'"{found.digest}-{encoding or "plain"}"'
    response = get_conditional_response(request, etag=etag) or HttpResponse(
        body, content_type=found.content_type
    )
    if encoding and response.status_code == 200:
        response["Content-Encoding"] = encoding
    response["ETag"] = etag
    response["Cache-Control"] = found.cache_control
    response["Vary"] = "Accept-Encoding"
    response["Access-Control-Allow-Origin"] = "*"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
def root(request: HttpRequest) -> HttpResponseBase:
    """The bare host: leads to the demo page where there is one."""
    if not conf.demo:
        raise Http404("There is nothing here. The chat is embedded by other pages.")
    return HttpResponseRedirect("/demo/")


@require_safe
def demo(request: HttpRequest) -> HttpResponseBase:
    """A shop's page with the widget's one tag on it; ``?theme=light|dark`` fixes its colours."""
    if not conf.demo:
        raise Http404("The demo page is for CHAT_DEMO=1.")
    widget = Widget.objects.filter(key=WIDGET_KEY).first() or Widget(key=WIDGET_KEY)
    theme = request.GET.get("theme", "")
    attributes = {"scheme": theme} if theme in _THEMES else {}
    tag = snippet.tag(widget, **attributes)
    sandbox = snippet.sandbox_origin()
    facts = {"tag": tag, "theme": theme if attributes else "auto", "sandbox": sandbox}
    response = render(request, "widgets/demo.html", facts)
    # The page's own policy is as strict as ours everywhere; the lines every site is told to add are
    # added to it, so that the page also proves they are enough.
    response._csp_update = snippet.csp_sources()  # type: ignore[attr-defined]
    return response
