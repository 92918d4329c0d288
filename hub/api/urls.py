"""Addresses of the native API, all below `/api/hub/v1/`, none with a slash at the end."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
