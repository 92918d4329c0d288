"""At the gate of an embedding: asking for its files, and the page on which its owner answers."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.access import Viewer, require
from hub.catalog import gates, resolve
from hub.errors import HubError, Invalid
from hub.models import AccessRequest, Embedding
from hub.services.embeddings import gating
from hub.web.gate_forms import GrantForm
from hub.wire.auth import viewer_of

State = AccessRequest.State
# What the buttons are called → what is said once it is done.
ANSWERS: Final = {
    "accept": "{} is let in.",
    "reject": "{} may not have the files.",
    "put-back": "The request of {} waits again.",
}
PAGES_MAX: Final = 1_000
SHOWN: Final = 100


@require_POST
def ask(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Agree and ask for the files, or take that back."""
    viewer = viewer_of(request)
    row = resolve.own(viewer, owner=owner, name=name, act="ask_access")
    try:
        if request.POST.get("do") == "withdraw":
            gating.withdraw(viewer, embedding=row)
            told = "That is taken back, and what you shared with it."
        else:
            agrees, said = request.POST.get("agree") == "yes", request.POST.get("message", "")
            made = gating.ask(viewer, embedding=row, agrees=agrees, message=said)
            is_in = made.state == State.ACCEPTED
            told = "The files are yours to have." if is_in else f"{row.owner.name} is asked."
    except HubError as error:
        if error.kind not in ("conflict", "unacceptable", "forbidden"):
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, told)
    return redirect("entry", row.owner.name, row.name)


@require_http_methods(["GET", "HEAD", "POST"])
def requests(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Who asked, by state. A POST answers one of them, or lets somebody in who has not asked."""
    viewer = viewer_of(request)
    row = resolve.embedding(viewer, owner=owner, name=name)
    require(viewer, "manage_gate", row)
    state = request.GET.get("state", State.PENDING.value)
    if state not in State.values:
        raise Invalid("malformed_request", "Requests wait, are accepted or rejected.", field="state")
    form = GrantForm()
    if request.method == "POST":
        if request.POST.get("do") != "grant":
            return _answered(request, viewer, row, state)
        form = GrantForm(request.POST)
        if form.is_valid() and _granted(request, viewer, row, form):
            return _back(row, State.ACCEPTED.value)
    number = request.GET.get("page", "1")
    wanted = int(number) if number.isdecimal() and len(number) < 5 else 1
    found = gates.request_page(viewer, embedding=row, state=state, page=min(max(wanted, 1), PAGES_MAX))
    context: dict[str, Any] = {"embedding": row, "page": found, "state": state, "form": form}
    return render(request, "embedding/requests.html", context, status=422 if form.errors else 200)


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """What waits for the viewer's answer, and what they asked for themselves."""
    viewer = viewer_of(request)
    context = {"waiting": gates.waiting(viewer)[:SHOWN], "asked": gates.asked_by(viewer)[:SHOWN]}
    return render(request, "settings/access.html", context)


def _answered(request: HttpRequest, viewer: Viewer, row: Embedding, state: str) -> HttpResponse:
    """Answer the request of the person that the form names."""
    do, person = request.POST.get("do", ""), request.POST.get("person", "")
    if do not in ANSWERS:
        raise Invalid("malformed_request", "A request is accepted, rejected or put back.", field="do")
    asked = gates.request(viewer, embedding=row, person=person)
    try:
        if do == "reject":
            gating.reject(viewer, request=asked, reason=request.POST.get("reason", ""))
        else:
            (gating.accept if do == "accept" else gating.put_back)(viewer, request=asked)
    except HubError as error:
        if error.kind != "unacceptable":
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, ANSWERS[do].format(asked.user.username))
    return _back(row, state)


def _granted(request: HttpRequest, viewer: Viewer, row: Embedding, form: GrantForm) -> bool:
    try:
        made = gating.grant(viewer, embedding=row, name=form.cleaned_data["person"])
    except HubError as error:
        form.add_error("person", error.message)
        return False
    messages.success(request, ANSWERS["accept"].format(made.user.username))
    return True


def _back(row: Embedding, state: str) -> HttpResponse:
    """To the list that one came from."""
    query = "" if state == State.PENDING else f"?{urlencode({'state': state})}"
    return redirect(f"{reverse('access_requests', args=[row.owner.name, row.name])}{query}")
