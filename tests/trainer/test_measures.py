"""The measures of a sheet on the pages of run and entry."""

from collections.abc import Callable

import pytest
from django.test import Client

from hub.access import Viewer
from hub.services.versions import publishing
from hub.web.measures import bars, facts, signs
from trainer import worker
from trainer.models import TrainingRun

Submit = Callable[..., TrainingRun]


def test_there_are_always_four_in_one_order_and_what_is_missing_is_not_zero() -> None:
    found = bars({"measures": {"diverse": {"value": 0.5, "control": 1.0}, "faithful": None}})
    assert [bar.title for bar in found] == ["Faithful", "Obedient", "Diverse", "Strength"]
    assert [bar.value for bar in found] == [None, None, 0.5, None]
    assert (found[2].length, found[2].control_length) == (50.0, 100.0)
    assert "CLIP" in found[0].wanting


@pytest.mark.parametrize(
    "insights", [{}, {"measures": {}}, {"measures": {"diverse": None}}, {"measures": "?"}]
)
def test_a_sheet_that_was_never_measured_has_no_bars(insights: dict[str, object]) -> None:
    assert bars(insights) == []


def test_a_measure_below_nothing_has_a_bar_of_no_length() -> None:
    (_, obedient, *_) = bars({"measures": {"obedient": {"value": -0.1, "control": 0.2}}})
    assert (obedient.length, obedient.control_length) == (0.0, 100.0)


def test_who_looked_is_told() -> None:
    (faithful, obedient, *_) = bars(
        {
            "measures": {
                "faithful": {"value": 0.5, "control": 0.4, "by": "safety_checker"},
                "obedient": {"value": 1.0, "control": 1.0, "by": "base"},
            }
        }
    )
    assert "safety checker" in faithful.meaning
    assert "the base finds" in obedient.meaning


def test_further_numbers_are_told_where_there_are_any() -> None:
    told = {
        fact.title: f"{fact.text} {fact.meaning}"
        for fact in facts(
            {
                "measures": {"tone": {"value": 7.8, "control": 17.1}, "dino": None},
                "losses": {
                    "first": 0.25,
                    "last": 0.2,
                    "thirds": {"first": [0.2, 0.4, 0.0], "last": [0.1, 0.4, 0.1]},
                },
                "encoders": [
                    {
                        "slot": "clip_l",
                        "norms": [0.4, 0.3],
                        "table_norms": {"p1": 0.2, "p50": 0.3, "p99": 0.5},
                    }
                ],
                "cosine_to_initializer": [[0.5, 0.7]],
            }
        )
    }
    assert set(told) == {"Colours", "Error", "Length", "Start kept"}
    assert "8 away, without the word 17" in told["Colours"]
    assert "0.250 to 0.200" in told["Error"] and "-50%, +0%, 0 %" in told["Error"]
    assert "0.30 to 0.40" in told["Length"] and "0.20 to 0.50" in told["Length"]
    assert told["Start kept"].startswith("0.60")


@pytest.mark.parametrize(
    ("insights", "words"),
    [
        ({"steps": 100, "capped_steps": 6}, "kept from growing"),
        ({"measures": {"diverse": {"value": 0.5, "control": 1.0}}}, "one picture only"),
        (
            {"measures": {"copies": {"value": 0.99, "control": 0.5, "count": 1}}},
            "A preview is nearly the same",
        ),
        ({"measures": {"obedient": {"value": 0.5, "control": 1.0}}}, "much less"),
    ],
)
def test_each_sign_of_having_learned_too_much_is_a_sentence(insights: dict[str, object], words: str) -> None:
    (sign,) = signs(insights)
    assert words in sign


def test_a_word_that_learned_well_shows_no_sign() -> None:
    good = {
        "diverse": {"value": 0.8, "control": 1.0},
        "obedient": {"value": 0.9, "control": 1.0},
        "copies": {"value": 0.9, "control": 0.5, "count": 0},
    }
    assert signs({"steps": 100, "capped_steps": 5, "measures": good}) == []
    assert signs({}) == facts({}) == []


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
