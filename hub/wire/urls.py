"""Addresses that all doors share."""

from django.urls import path

from hub.wire import media

urlpatterns = [
    path("media/<str:sha256>.<str:ext>", media.picture, name="media"),
]
