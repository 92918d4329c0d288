"""The moderators' desk: the queue, one case, what is decided about it, appeals, and the log of rulings."""

from typing import Any

from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.catalog import cases, moderation
from hub.catalog.case_shapes import Case
from hub.errors import HubError
from hub.models import Embedding, Flag, Ruling
from hub.services.moderation import appeals, looking, rulings
from hub.web import forms
from hub.web.report_forms import AnswerForm, NoteForm, RulingForm
from hub.wire.auth import viewer_of
from hub.wire.files import send
from hub.wire.media import Picture

PAGES_MAX = 1_000


@require_safe
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for moderators, the longest waiting first."""
    which = request.GET.get("state", "open")
    asked = {
        "which": which if which in moderation.OPEN else "open",
        "kind": request.GET.get("kind", ""),
        "reason": request.GET.get("reason", ""),
    }
    found = cases.queue(viewer_of(request), **asked, page=_page(request))
    context = {"page": found, **asked, "reasons": [*Flag.Reason.choices, ("rule", "a rule of the hub")]}
    return render(request, "moderation/queue.html", context)


@require_safe
def appealed(request: HttpRequest) -> HttpResponse:
    """Rulings that owners have appealed."""
    which = request.GET.get("state", "open")
    which = which if which in moderation.OPEN else "open"
    found = cases.appeals(viewer_of(request), which=which, page=_page(request))
    return render(request, "moderation/appeals.html", {"page": found, "which": which})


@require_safe
def log(request: HttpRequest) -> HttpResponse:
    """Every ruling, newest first."""
    kind, by = request.GET.get("kind", ""), request.GET.get("by", "").strip()[:150]
    found = cases.log(viewer_of(request), kind=kind, by=by, page=_page(request))
    context = {"page": found, "kind": kind, "by": by, "kinds": Ruling.Kind.choices}
    return render(request, "moderation/log.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def case(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """One case; a POST rules on it, or says that there is nothing to do."""
    viewer = viewer_of(request)
    found = cases.get(viewer, kind=kind, number=number)
    if request.method == "POST" and request.POST.get("do") == "dismiss":
        return _dismiss(request, found)
    form = RulingForm(request.POST or None, case=found)
    if request.method == "POST" and form.is_valid():
        if form.cleaned_data["kind"] in rulings.GRAVE:
            raise_if_reauthentication_required(request, app="")
        try:
            made = rulings.decide(viewer, thing=found.thing, **form.given())
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, f"{found.name}: {made[0].get_kind_display()}. Its owner is told.")
            return redirect("case", kind, number)
    looking.note(viewer, thing=found.thing)
    context = {
        "case": found,
        "form": form,
        "dismiss": NoteForm(prefix="dismiss"),
        "pictures": _pictures(found),
        "is_embedding": isinstance(found.thing, Embedding),
    }
    return render(request, "moderation/case.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def ruling(request: HttpRequest, number: int) -> HttpResponse:
    """One ruling with its appeal; a POST answers the appeal."""
    viewer = viewer_of(request)
    row = moderation.ruling(viewer, number=number)
    appeal = getattr(row, "appeal", None)
    form = AnswerForm(request.POST or None)
    if request.method == "POST" and appeal is not None and form.is_valid():
        try:
            appeals.answer(
                viewer, appeal=appeal, outcome=form.cleaned_data["outcome"], text=form.cleaned_data["answer"]
            )
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Answered. Its owner is told.")
            return redirect("desk_appeals")
    context = {"ruling": row, "appeal": appeal, "form": form, "lift": NoteForm(), "refusal": ""}
    if appeal is not None and appeal.settled_at is None:
        try:
            appeals.check_judge(viewer, ruling=row)
        except HubError as error:
            context["refusal"] = error.message
    return render(request, "moderation/ruling.html", context, status=422 if form.errors else 200)


@require_POST
def lift(request: HttpRequest, number: int) -> HttpResponse:
    """Take a ruling back."""
    viewer = viewer_of(request)
    row = moderation.ruling(viewer, number=number)
    try:
        rulings.lift(viewer, ruling=row, reason=request.POST.get("note", ""))
    except HubError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"{row.name}: the ruling is taken back. Its owner is told.")
    return redirect("desk_ruling", row.pk)


@require_safe
def picture(request: HttpRequest, sha256: str) -> HttpResponse:
    """A picture of a case, whatever state it is in."""
    found = cases.picture(viewer_of(request), sha256=sha256)
    return send(request, Picture(sha256, found.size, found.content_type, is_public=False), inline=True)


def _dismiss(request: HttpRequest, found: Case) -> HttpResponse:
    form = NoteForm(request.POST, prefix="dismiss")
    note = form.cleaned_data["note"] if form.is_valid() else ""
    try:
        settled = rulings.dismiss(viewer_of(request), thing=found.thing, note=note)
    except HubError as error:
        messages.error(request, error.message)
        return redirect("case", found.kind, _number(found))
    messages.success(
        request, f"{found.name}: {settled} flag{'' if settled == 1 else 's'} settled, nothing done."
    )
    return redirect("desk")


def _number(found: Case) -> int:
    return int(found.thing.pk)


def _page(request: HttpRequest) -> int:
    number = request.GET.get("page", "1")
    page = int(number) if number.isdecimal() and len(number) < 5 else 1
    return min(max(page, 1), PAGES_MAX)


def _pictures(found: Case) -> list[dict[str, Any]]:
    """Every picture of the case once, the reported ones first: `preview`, `version`, `is_reported`."""
    reported = {flag.picture_id for flag in found.open_flags}
    rows = [
        {"preview": one, "version": version, "is_reported": one.pk in reported}
        for version in found.versions
        for one in version.previews.all()
        if one.role != "sheet"
    ]
    return sorted(rows, key=lambda row: not row["is_reported"])[:48]
