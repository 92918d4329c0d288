"""One's own account: coming in by a one-time link, what the profile says, and access tokens."""

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from hub.catalog import storage
from hub.catalog import tokens as token_reads
from hub.errors import HubError
from hub.services.people import accounts
from hub.services.people import tokens as token_service
from hub.web import forms
from hub.wire.auth import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in once by a link that the operator was given; a second factor is asked for where there is one.

    Opening the link changes nothing, so that a preview or a prefetch does not use it up; pressing the button does.
    """
    try:
        if request.method != "POST":
            return render(request, "account/link.html", {"person": accounts.person_of_link(token)})
        user = accounts.user_for_link(token)
    except HubError as error:
        return render(request, "account/link_refused.html", {"error": error}, status=401)
    record_authentication(request, user, method="link", reauthenticated=True)
    return perform_login(request, user, email_verification="none", redirect_url="/")


@require_http_methods(["GET", "HEAD", "POST"])
def profile_settings(request: HttpRequest) -> HttpResponse:
    """What the profile says, and the ways to the other settings."""
    viewer = viewer_of(request)
    assert viewer.user is not None
    form = forms.AccountForm(request.POST or None, initial={"about": viewer.user.about})
    if request.method == "POST" and form.is_valid():
        try:
            accounts.update_profile(viewer, about=form.cleaned_data["about"])
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Saved.")
            return redirect("settings_account")
    context = {"form": form, "stored": storage.used(viewer.user.owner), "most_stored": storage.most()}
    return render(request, "settings/account.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def tokens(request: HttpRequest) -> HttpResponse:
    """The viewer's tokens; a POST makes one and shows its secret this once."""
    viewer = viewer_of(request)
    form = forms.TokenForm(request.POST or None)
    made, secret = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            made, secret = token_service.create(viewer, **form.cleaned_data)
        except HubError as error:
            forms.refuse(form, error)
    context = {
        "form": forms.TokenForm() if made else form,
        "tokens": token_reads.list_own(viewer),
        "made": made,
        "secret": secret,
    }
    response = render(request, "settings/tokens.html", context, status=422 if form.errors else 200)
    response["Cache-Control"] = "no-store"
    return response


@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End one token."""
    viewer = viewer_of(request)
    token = token_reads.own(viewer, number=pk)
    token_service.revoke(viewer, token=token)
    messages.success(request, f"The token {token.prefix}… stops working now.")
    return redirect("settings_tokens")
