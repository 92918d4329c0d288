"""Several runs side by side, and what happened in one as lines of JSON."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from hub.access import Viewer
from hub.wire.auth import viewer_of
from trainer import runs
from trainer.models import TrainingRun
from trainer.prompts import BLOCK_TITLES

MOST_ASKED = 50


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """The runs named in the address, beside each other; with fewer than two, which there are to choose from."""
    viewer = viewer_of(request)
    found = runs.chosen(viewer, run_ids=_ids(request))
    comparison = runs.compare(found) if len(found) > 1 else None
    context = {
        "comparison": comparison,
        "chosen": [(run, _address([one for one in found if one != run])) for run in found],
        "offered": _offered(viewer, found),
        "is_full": len(found) >= runs.MOST_COMPARED,
        "most": runs.MOST_COMPARED,
        "curves": _curves(comparison) if comparison else [],
        "blocks": _blocks(comparison) if comparison else [],
    }
    return render(request, "trainer/compare.html", context)


@require_GET
def log(request: HttpRequest, run_id: uuid.UUID) -> StreamingHttpResponse:
    """Everything that happened in a run, one JSON object a line."""
    run = runs.get(viewer_of(request), run_id=run_id)
    response = StreamingHttpResponse(runs.event_lines(run), content_type="application/x-ndjson")
    response["Content-Disposition"] = f'attachment; filename="{run.trigger}-{run.pk}.jsonl"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def address_of(found: list[TrainingRun]) -> str:
    """Where these runs are compared."""
    return _address(found[: runs.MOST_COMPARED])


def _address(found: list[TrainingRun]) -> str:
    return reverse("runs_compare") + "?" + "&".join(f"run={run.pk}" for run in found)


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    found = []
    for text in request.GET.getlist("run")[:MOST_ASKED]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _offered(viewer: Viewer, found: list[TrainingRun]) -> list[TrainingRun]:
    """What may be added: runs of the same pictures first."""
    if not found:
        return list(runs.list_runs(viewer)[:MOST_ASKED])
    return [run for run in runs.others(viewer, found[0]) if run not in found][:MOST_ASKED]


def _curves(comparison: runs.Comparison) -> list[dict[str, Any]]:
    """Of each run the error on the fixed test inputs, or that of the steps where none was measured."""
    lines = []
    for run, curve in zip(comparison.runs, comparison.curves, strict=True):
        fixed = [[point[0], point[2]] for point in curve if point[2] is not None]
        steps = [[point[0], point[1]] for point in curve if point[1] is not None]
        lines.append({"name": f"{run.trigger}, {run.pk!s:.8}", "points": fixed or steps})
    return lines


def _blocks(comparison: runs.Comparison) -> list[tuple[str, list[Any]]]:
    """The rows of the sheets under the names of their blocks."""
    blocks: dict[str, list[Any]] = {}
    for row in comparison.rows:
        blocks.setdefault(BLOCK_TITLES[row.block], []).append(row)
    return list(blocks.items())
