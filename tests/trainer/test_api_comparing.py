"""Runs side by side through the native API."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from tests import factories
from trainer import worker
from trainer.models import TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files", "child")]
Submit = Callable[..., TrainingRun]
COMPARE = "/api/hub/v1/runs/compare"


def asked(headers: dict[str, str], *runs: Any) -> Any:
    return Client().get(COMPARE, {"run": [str(run) for run in runs]}, headers=headers)


def test_settings_curves_and_sheets_stand_in_the_order_that_was_asked(submit: Submit, maker: Viewer) -> None:
    one = submit(name="moss-glow")
    other = submit(name="moss-dim", settings={"lr": 0.004, "max_steps": 30})
    for run in (one, other):
        worker.run_training.fn(str(run.pk))
    told = asked(factories.bearer(maker.name, "train"), other.pk, one.pk)
    assert told.status_code == 200, told.content
    content = told.json()
    assert content["runs"] == [str(other.pk), str(one.pk)]
    lines = {line["label"]: line for line in [*content["settings"], *content["facts"]]}
    assert lines["Most steps"] == {"label": "Most steps", "values": ["30", "40"], "differs": True}
    assert not lines["Seed"]["differs"]
    assert [len(curve) for curve in content["curves"]] == [30, 40]
    assert set(content["curves"][0][0]) == {"step", "loss", "fixed_loss", "rate"}
    for row in content["rows"]:
        assert len(row["pictures"]) == 2
    assert content["page"].endswith(f"/runs/compare?run={other.pk}&run={one.pk}")


def test_one_run_alone_and_those_of_others_cannot_be_compared(submit: Submit, maker: Viewer) -> None:
    one, other = submit(name="moss-glow"), submit(name="moss-dim")
    mine = factories.bearer(maker.name, "train")
    assert asked(mine, one.pk).status_code == 400
    assert asked(mine, one.pk, one.pk).status_code == 404
    assert asked(mine, one.pk, uuid.uuid4()).status_code == 404
    assert asked(mine, one.pk, "nonsense").status_code == 400
    assert asked(mine, *[uuid.uuid4() for _ in range(5)]).status_code == 400
    factories.user("bob")
    assert asked(factories.bearer("bob", "train"), one.pk, other.pk).status_code == 404
    assert asked(factories.bearer(maker.name, "read"), one.pk, other.pk).status_code == 403
    assert asked({}, one.pk, other.pk).status_code == 401
