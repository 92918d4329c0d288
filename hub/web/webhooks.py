"""One's own webhooks: the list, and one with what was sent to it."""

import json
from typing import Any
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from hub.access import Viewer
from hub.catalog import webhooks as reads
from hub.errors import HubError
from hub.models import Delivery, Webhook
from hub.services.webhooks import sending, targets
from hub.services.webhooks import webhooks as services
from hub.web import forms
from hub.web.webhook_forms import WebhookForm
from hub.wire.auth import viewer_of

SHOWN = 25


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def webhooks(request: HttpRequest) -> HttpResponse:
    """The viewer's webhooks; a POST makes one and shows its secret this once."""
    viewer = viewer_of(request)
    assert viewer.user is not None
    form = WebhookForm(request.POST or None, owner=viewer.user.owner)
    made, secret = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = services.create(viewer, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
    context = {
        "form": WebhookForm(owner=viewer.user.owner) if made else form,
        "webhooks": reads.list_own(viewer),
        "hosts": targets.in_words(),
        "made": made,
        "secret": secret,
    }
    response = render(request, "settings/webhooks.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def webhook(request: HttpRequest, number: int) -> HttpResponse:
    """One webhook and what was sent to it; a POST changes where it goes and what it is told."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    form = WebhookForm(request.POST or None, owner=row.owner, webhook=row)
    if request.method == "POST" and form.is_valid():
        changes = dict(form.cleaned_data)
        changes["only"] = (changes.pop("embedding"),)
        try:
            services.update(viewer, webhook=row, **changes)
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("webhook", row.pk)
    return _shown(request, row, form, status=422 if form.errors else 200)


@require_POST
@reauthentication_required
def secret(request: HttpRequest, number: int) -> HttpResponse:
    """A new secret, shown this once."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    made = services.rotate(viewer, webhook=row)
    response = _shown(request, row, WebhookForm(owner=row.owner, webhook=row), secret=made)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def test(request: HttpRequest, number: int) -> HttpResponse:
    """A test on its way."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    return _done(request, row, lambda: services.ping(viewer, webhook=row), "The test is on its way.")


@require_POST
def again(request: HttpRequest, number: int, key: UUID) -> HttpResponse:
    """A delivery on its way once more."""
    viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    found = reads.delivery(row, key=key)
    return _done(request, row, lambda: services.redeliver(viewer, delivery=found), "It is on its way again.")


@require_POST
def switch(request: HttpRequest, number: int) -> HttpResponse:
    """Off, or on again."""
    viewer = viewer_of(request)
    row, is_on = reads.own(viewer, number=number), request.POST.get("to") == "on"
    told = "The webhook is on." if is_on else "The webhook is off; what waited for it was given up."
    return _done(request, row, lambda: services.update(viewer, webhook=row, is_active=is_on), told)


@require_POST
def delete(request: HttpRequest, number: int) -> HttpResponse:
    """Take it away."""
    viewer: Viewer = viewer_of(request)
    row = reads.own(viewer, number=number)
    services.delete(viewer, webhook=row)
    messages.success(request, f"The webhook to {row.host} is gone.")
    return redirect("settings_webhooks")


def _done(request: HttpRequest, row: Webhook, act: Any, told: str) -> HttpResponse:
    """Do it and go back to the webhook; what was refused is said there."""
    try:
        act()
    except HubError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, told)
    return redirect("webhook", row.pk)


def _shown(
    request: HttpRequest, row: Webhook, form: WebhookForm, *, secret: str = "", status: int = 200
) -> HttpResponse:
    deliveries = list(reads.deliveries(row)[:SHOWN])
    context = {
        "webhook": row,
        "deliveries": [(one, _laid_out(one.body)) for one in deliveries],
        # Only what will come to an end soon is worth looking for every few seconds.
        "is_moving": any(one.state == Delivery.State.WAITING and not one.is_retried for one in deliveries),
        "is_on": bool(targets.allowed()),
        "hosts": targets.in_words(),
        "form": form,
        "secret": secret,
        "shown": SHOWN,
        "now": timezone.now(),
        "tries": len(sending.WAITS) + 1,
    }
    return render(request, "settings/webhook.html", context, status=status)


def _laid_out(body: str) -> str:
    """The JSON as people read it."""
    return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else ""
