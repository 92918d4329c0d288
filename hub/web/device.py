"""Allowing a tool that shows a code on another screen a token of one's own."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from hub.errors import HubError
from hub.services.people import device_login
from hub.web import forms
from hub.wire.auth import viewer_of


@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required(allow_get=True)
def device(request: HttpRequest) -> HttpResponse:
    """The code, what the tool may do, and two buttons. Opening it with a code allows nothing."""
    form = forms.DeviceForm(request.POST or None, initial={"code": request.GET.get("code", "")[:20]})
    if request.method == "POST" and form.is_valid():
        allow = "allow" in request.POST
        code, scopes = form.cleaned_data["code"], form.cleaned_data["scopes"]
        try:
            device_login.decide(viewer_of(request), user_code=code, scopes=scopes, allow=allow)
        except HubError as error:
            form.add_error("code" if error.kind == "not_found" else None, error.message)
        else:
            messages.success(request, "The tool is signed in now." if allow else "The tool was refused.")
            return redirect("settings_tokens")
    return render(request, "settings/device.html", {"form": form}, status=422 if form.errors else 200)
