"""Whether a mail is wanted when a run ends."""

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from hub.errors import Conflict
from hub.wire.auth import viewer_of
from trainer import runs
from trainer.services import telling


@require_POST
def tell(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Ask for a mail, or take the wish back."""
    viewer = viewer_of(request)
    try:
        telling.ask(viewer, run=runs.get(viewer, run_id=run_id), wanted=request.POST.get("mail") == "yes")
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("run", run_id=run_id)
