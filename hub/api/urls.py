"""Addresses of the native API, all below `/api/hub/v1/`, none with a slash at the end."""

from django.urls import URLPattern, path

from hub.api import files, inspect

urlpatterns: list[URLPattern] = [
    path("embeddings/<str:owner>/<str:name>/versions/<int:number>/files", files.files, name="api_files"),
    path("inspect", inspect.inspect, name="api_inspect"),
]
