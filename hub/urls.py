"""Mounts the doors by dotted string. Order matters: fixed paths first, `/{owner}/{name}` last."""

from django.urls import include, path

urlpatterns = [
    path("", include("hub.wire.urls")),
    path("api/hub/v1/", include("trainer.api.urls")),
    path("api/hub/v1/", include("hub.api.webhook_urls")),
    path("api/hub/v1/", include("hub.api.urls")),
    path("", include("hub.civitai.urls")),
    path("", include("hub.hf.urls")),
    path("accounts/", include("allauth.urls")),
    path("", include("trainer.urls")),
    path("", include("hub.web.urls")),
]

handler400 = "hub.wire.errors.bad_request"
handler403 = "hub.wire.errors.permission_denied"
handler404 = "hub.wire.errors.page_not_found"
handler500 = "hub.wire.errors.server_error"
