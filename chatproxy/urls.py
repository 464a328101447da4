"""All HTTP routes: the doors, the widget's files, the admin."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("chatproxy.api.urls")),
    path("", include("chatproxy.widgets.urls")),
    path("admin/", admin.site.urls),
]

handler400 = "chatproxy.api.doors.bad_request"
handler404 = "chatproxy.api.doors.not_found"
handler500 = "chatproxy.api.doors.failed"
