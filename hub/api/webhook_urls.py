"""Addresses of webhooks in the native API, below `/api/hub/v1/`."""

from django.urls import path

from hub.api import webhooks

WEBHOOK = "webhooks/<int:number>"
DELIVERY = f"{WEBHOOK}/deliveries/<uuid:key>"

urlpatterns = [
    path("webhooks", webhooks.webhooks, name="api_webhooks"),
    path("webhooks/hosts", webhooks.hosts, name="api_webhook_hosts"),
    path(WEBHOOK, webhooks.webhook, name="api_webhook"),
    path(f"{WEBHOOK}/secret", webhooks.secret, name="api_webhook_secret"),
    path(f"{WEBHOOK}/ping", webhooks.ping, name="api_webhook_ping"),
    path(f"{WEBHOOK}/deliveries", webhooks.deliveries, name="api_webhook_deliveries"),
    path(DELIVERY, webhooks.delivery, name="api_delivery"),
    path(f"{DELIVERY}/redeliver", webhooks.redeliver, name="api_redeliver"),
]
