"""`hf auth login` without a token: a code for the person, and questions until it is allowed (RFC 8628)."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from hub.errors import HubError
from hub.hf.endpoint import endpoint
from hub.services.people import device_login

GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@endpoint(bucket="device")
@require_POST
def device(request: HttpRequest) -> HttpResponse:
    """A code for the tool, one for its person, and where that one is typed. Every client is welcome."""
    code, row = device_login.begin()
    where = request.build_absolute_uri(reverse("device"))
    return JsonResponse(
        {
            "device_code": code,
            "user_code": row.user_code,
            "verification_uri": where,
            "verification_uri_complete": f"{where}?code={row.user_code}",
            "interval": device_login.INTERVAL_SECONDS,
            "expires_in": device_login.LIFE_SECONDS,
        }
    )


@endpoint(bucket="device_poll")
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """The token, once a person has allowed it; until then, and instead, a word of the standard."""
    if request.POST.get("grant_type") != GRANT:
        return _said("unsupported_grant_type")
    try:
        word, secret = device_login.collect(request.POST.get("device_code", ""))
    except HubError as error:
        return _said("access_denied", error.message)
    if word:
        return _said(word)
    response = JsonResponse({"access_token": secret, "token_type": "bearer"})
    response["Cache-Control"] = "no-store"
    return response


def _said(word: str, description: str = "") -> HttpResponse:
    return JsonResponse({"error": word, "error_description": description}, status=400)
