"""Where the console's page, its stream of changes, and its actions live, under /console/."""

from django.urls import path

from chatproxy.sandbox.console import assets, views

app_name = "console"

urlpatterns = [
    path("", views.page, name="page"),
    path("static/<path:name>", assets.asset, name="asset"),
    path("changes", views.changes, name="changes"),
    path("name", views.rename, name="name"),
    path("chats/<str:contact_id>", views.chat, name="chat"),
    path("chats/<str:contact_id>/files", views.upload, name="upload"),
    path("chats/<str:contact_id>/files/<str:attachment_id>", views.download, name="download"),
    path("chats/<str:contact_id>/<str:action>", views.act, name="act"),
]
