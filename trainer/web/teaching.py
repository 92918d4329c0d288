"""The prompts of the wizard's form as it stands, before anything is started."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from hub.models.registry import Kind
from trainer import runs
from trainer.forms import TrainForm
from trainer.prompts import NAME
from trainer.web.picked import CAPTION, CAPTIONS


@require_POST
def show(request: HttpRequest) -> HttpResponse:
    """A part of the page: the prompts, with the places they take."""
    form = TrainForm(request.POST)
    form.is_valid()
    said = form.cleaned_data
    kind = said.get("kind") or Kind.STYLE
    captions = [request.POST[name] for name in request.POST if name.startswith(CAPTION)]
    found = runs.prompts(
        said.get("base_model") or "",
        kind,
        lines=said.get("templates") or (),
        captions=captions if CAPTIONS in request.POST else (),
        vectors=said.get("vectors_per_token"),
    )
    word = form.word() or NAME
    context = {"prompts": [(prompt, prompt.with_word(word)) for prompt in found], "word": word}
    return render(request, "trainer/parts/prompts.html", context)
