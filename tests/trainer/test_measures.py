"""The four measures of a sheet on the pages of run and entry."""

from collections.abc import Callable

import pytest
from django.test import Client

from hub.access import Viewer
from hub.services import publishing
from hub.web.measures import bars
from trainer import worker
from trainer.models import TrainingRun

Submit = Callable[..., TrainingRun]


def test_there_are_always_four_in_one_order_and_what_is_missing_is_not_zero() -> None:
    found = bars({"measures": {"diverse": {"value": 0.5, "control": 1.0}, "faithful": None}})
    assert [bar.title for bar in found] == ["Faithful", "Obedient", "Diverse", "Strength"]
    assert [bar.value for bar in found] == [None, None, 0.5, None]
    assert (found[2].length, found[2].control_length) == (50.0, 100.0)
    assert "CLIP" in found[1].wanting


@pytest.mark.parametrize(
    "insights", [{}, {"measures": {}}, {"measures": {"diverse": None}}, {"measures": "?"}]
)
def test_a_sheet_that_was_never_measured_has_no_bars(insights: dict[str, object]) -> None:
    assert bars(insights) == []


def test_a_measure_below_nothing_has_a_bar_of_no_length() -> None:
    (_, obedient, *_) = bars({"measures": {"obedient": {"value": -0.1, "control": 0.2}}})
    assert (obedient.length, obedient.control_length) == (0.0, 100.0)


@pytest.mark.django_db
@pytest.mark.usefixtures("static_files", "child")
def test_run_and_entry_show_them_and_say_what_was_not_measured(submit: Submit, maker: Viewer) -> None:
    run = submit()
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    browser = Client()
    assert maker.user is not None and run.version is not None
    browser.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    publishing.publish(maker, version=run.version)
    for address in (f"/runs/{run.id}", "/mia/moss-glow"):
        page = browser.get(address).content.decode()
        assert page.count('class="measure"') == 4
        assert page.count("not measured") == 2
        assert 'title="with the word 0.500, without 1.000"' in page
