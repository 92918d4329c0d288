"""Rulings as those see them whose things they are about: what was decided, why, and the one answer to it."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from hub.catalog import moderation as reads
from hub.errors import HubError
from hub.services.moderation import appeals
from hub.web import forms
from hub.web.report_forms import AppealForm
from hub.wire.auth import viewer_of

SHOWN = 100


@require_safe
def own(request: HttpRequest) -> HttpResponse:
    """Rulings on the viewer's own things and those of their teams."""
    return render(
        request, "settings/rulings.html", {"rulings": reads.own_rulings(viewer_of(request))[:SHOWN]}
    )


@require_http_methods(["GET", "HEAD", "POST"])
def ruling(request: HttpRequest, number: int) -> HttpResponse:
    """One of them; a POST appeals."""
    viewer = viewer_of(request)
    row = reads.own_ruling(viewer, number=number)
    form = AppealForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            appeals.appeal(viewer, ruling=row, text=form.cleaned_data["text"])
        except HubError as error:
            forms.refuse(form, error)
        else:
            messages.success(request, "Sent. Another moderator will look at it and answer here.")
            return redirect("own_ruling", row.pk)
    try:
        appeals.check(viewer, ruling=row)
        refusal = ""
    except HubError as error:
        refusal = error.message
    context = {
        "ruling": row,
        "appeal": getattr(row, "appeal", None),
        "form": form,
        "refusal": refusal,
        "days": appeals.DAYS,
    }
    return render(request, "settings/ruling.html", context, status=422 if form.errors else 200)
