"""Pages of base models: those that are installed, and one with its card. They can only be read."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.wire import prose
from hub.wire.auth import viewer_of
from trainer import runs
from trainer.runs import bases

QUALITIES = (("quick", "Quick"), ("standard", "Standard"), ("thorough", "Thorough"))
LIMITS = {
    "memory": "more does not fit into memory",
    "most": "the most a run may have",
    "time": "larger ones were not tried",
}


@require_safe
def listing(request: HttpRequest) -> HttpResponse:
    """All installed base models."""
    found = bases.list_installed(viewer_of(request))
    context = {"bases": [(one, _times(one)) for one in found]}
    return render(request, "trainer/bases.html", context)


@require_safe
def show(request: HttpRequest, name: str) -> HttpResponse:
    """One base model."""
    one = bases.get_installed(viewer_of(request), name=name)
    context = {
        "base": one,
        "times": _times(one),
        "card": prose.card(one.card_text) if one.card_text else "",
        "measured": _measured(one),
    }
    return render(request, "trainer/base_model.html", context)


def _times(one: bases.Installed) -> list[tuple[str, int, str]]:
    """Title, steps and time of each quality, in words; empty where nothing was measured."""
    return [
        (title, one.steps[name], runs.in_words(one.times[name]))
        for name, title in QUALITIES
        if name in one.times
    ]


def _measured(one: bases.Installed) -> list[dict[str, object]]:
    """The lines of the probe's table."""
    if one.probe is None:
        return []
    lines: list[dict[str, object]] = []
    for measured in one.probe.resolutions:
        for tried in measured["batches"]:
            is_largest = tried["batch"] == measured["largest"]
            lines.append(
                {
                    "resolution": measured["resolution"],
                    "batch": tried["batch"],
                    "seconds": f"{tried['seconds']:.3g}",
                    "peak": tried["peak_bytes"],
                    "limit": LIMITS[measured["limit"]] if is_largest else "",
                }
            )
        if not measured["batches"]:
            lines.append(
                {"resolution": measured["resolution"], "batch": 0, "limit": "not even one picture fits"}
            )
    return lines
