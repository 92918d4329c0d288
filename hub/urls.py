"""Mounts the doors by dotted string. Order matters: fixed paths first, `/{owner}/{name}` last."""

from django.urls import include, path

urlpatterns = [
    path("", include("hub.hf.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("trainer.urls")),
    path("", include("hub.web.urls")),
]
