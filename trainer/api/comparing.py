"""`/runs/compare`: runs side by side, as on their page: settings, outcomes, curves, and sheets by prompt and seed."""

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from hub.api import asked, payloads
from hub.api.answers import json_answer
from hub.api.documented import documented
from hub.api.endpoint import endpoint, viewer_of
from hub.api.shapes import Fields, PictureShape
from hub.errors import NotFound
from trainer import runs as reads


class CompareQuery(Fields):
    """Which runs, the parameter once for each."""

    run = serializers.ListField(
        child=serializers.UUIDField(),
        min_length=2,
        max_length=reads.MOST_COMPARED,
        help_text="`run=…&run=…`: those of the same pictures tell most.",
    )


class ComparedLineShape(Fields):
    """A setting or a fact, and what it is in each run, as people read it."""

    label = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField(allow_blank=True))
    differs = serializers.BooleanField(help_text="Whether the runs were made differently in this.")


class CurvePointShape(Fields):
    """A step of a run; null where nothing was measured then."""

    step = serializers.IntegerField()
    loss = serializers.FloatField(allow_null=True)
    fixed_loss = serializers.FloatField(allow_null=True, help_text="On the same test inputs each time.")
    rate = serializers.FloatField(allow_null=True)


class ComparedRowShape(Fields):
    """One prompt and seed, and the picture of each run; null where a run has none."""

    block = serializers.CharField()
    prompt = serializers.CharField(allow_blank=True)
    seed = serializers.IntegerField()
    pictures = serializers.ListField(child=PictureShape(allow_null=True))


class ComparisonShape(Fields):
    """Runs side by side: every list of values, curves and pictures is in the order of `runs`."""

    runs = serializers.ListField(child=serializers.UUIDField())
    settings = ComparedLineShape(many=True)
    facts = ComparedLineShape(many=True)
    curves = serializers.ListField(child=CurvePointShape(many=True))
    rows = ComparedRowShape(many=True)
    page = serializers.URLField(help_text="The page for people.")


@documented("compareRuns", "Runs of yours side by side.", asks=CompareQuery, gives=ComparisonShape)
@endpoint("GET")
def compare(request: Request) -> HttpResponse:
    """What differs between runs, and what came of it."""
    wanted = asked.query(CompareQuery, {"run": request.GET.getlist("run")})["run"]
    found = reads.chosen(viewer_of(request), run_ids=wanted)
    if len(found) < 2 or len(found) < len(set(wanted)):
        raise NotFound("Name two to four runs that you may see, each once.")
    told, http = reads.compare(found), request._request
    query = "&".join(f"run={run.pk}" for run in found)
    content: dict[str, Any] = {
        "runs": [run.pk for run in found],
        "settings": [_line(one) for one in told.settings],
        "facts": [_line(one) for one in told.facts],
        "curves": [[_point(point) for point in curve] for curve in told.curves],
        "rows": [
            {
                "block": row.block,
                "prompt": row.prompt,
                "seed": row.seed,
                "pictures": [payloads.picture(http, one) if one else None for one in row.pictures],
            }
            for row in told.rows
        ],
        "page": payloads.address(http, "runs_compare") + f"?{query}",
    }
    return json_answer(http, content)


def _line(one: Any) -> dict[str, Any]:
    """ComparedLineShape."""
    return {"label": one.label, "values": one.values, "differs": one.differs}


def _point(point: list[float | None]) -> dict[str, Any]:
    """CurvePointShape."""
    return dict(zip(("step", "loss", "fixed_loss", "rate"), point, strict=True))
