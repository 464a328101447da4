"""Routes of the widget's own files, and of the demo's page."""

from django.urls import path, re_path
from django.views.generic import RedirectView

from chatproxy.widgets import views

urlpatterns = [
    path("", views.root),
    re_path(r"^(?P<page>demo|admin)$", RedirectView.as_view(url="/%(page)s/")),
    path("demo/", views.demo),
    path("widget/v1/<str:name>", views.file),
]
