"""Routes of the widget's own files."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
