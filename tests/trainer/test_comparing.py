"""Runs side by side, and training again from what a run was made from."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from tests import factories
from trainer import runs, worker
from trainer.models import TrainingImage, TrainingRun
from trainer.services import pictures
from trainer.services.submission import Submission

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files", "child")]
Submit = Callable[..., TrainingRun]


def browser_of(viewer: Viewer) -> Client:
    client = Client()
    assert viewer.user is not None
    client.force_login(viewer.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def mia(maker: Viewer) -> Client:
    """The maker's browser."""
    return browser_of(maker)


def go(run: TrainingRun) -> TrainingRun:
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    return run


@pytest.fixture
def pair(submit: Submit) -> tuple[TrainingRun, TrainingRun]:
    """Two finished runs of the same pictures with different rates."""
    first = go(submit(name="moss-glow"))
    second = go(submit(name="moss-dim", settings={"lr": 0.004, "max_steps": 30}))
    return first, second


def address(*chosen: TrainingRun) -> str:
    return "/runs/compare?" + "&".join(f"run={run.id}" for run in chosen)


def line(comparison: runs.Comparison, label: str) -> Any:
    return next(one for one in [*comparison.settings, *comparison.facts] if one.label == label)


def test_settings_that_differ_are_told_from_those_that_do_not(pair: tuple[TrainingRun, TrainingRun]) -> None:
    found = runs.compare(list(pair))
    assert line(found, "Most steps").values == ["40", "30"] and line(found, "Most steps").differs
    assert line(found, "Seed").values == ["7", "7"] and not line(found, "Seed").differs
    assert line(found, "Rate").differs
    assert line(found, "Pictures").values == ["3", "3"] and not line(found, "Pictures").differs
    assert line(found, "Steps made").values == ["40", "30"] and not line(found, "Steps made").differs
    assert [len(curve) for curve in found.curves] == [40, 30]


def test_runs_of_other_pictures_are_marked(submit: Submit) -> None:
    found = runs.compare([submit(name="moss-glow"), submit(name="moss-dim", bundled_set="zebra-wave")])
    pictures = line(found, "Pictures")
    assert pictures.differs and pictures.values[0] == "3" and pictures.values[1].endswith(", others")


def test_a_setting_that_is_seldom_changed_is_shown_where_runs_differ_in_it(submit: Submit) -> None:
    first, second = submit(name="moss-glow"), submit(name="moss-dim", settings={"grad_clip": 0.5})
    labels = [one.label for one in runs.compare([first, second]).settings]
    assert "Grad clip" in labels and "Norm" not in labels


def test_pictures_of_one_prompt_and_seed_stand_in_one_row_whatever_the_word(
    pair: tuple[TrainingRun, TrainingRun], submit: Submit
) -> None:
    waiting = submit(name="moss-late")
    rows = runs.compare([*pair, waiting]).rows
    assert [(row.block, row.prompt, row.seed) for row in rows] == [
        ("A", "a picture of [name]", 0),
        ("A", "a picture of [name]", 1),
    ]
    assert [[one is not None for one in row.pictures] for row in rows] == [[True, True, False]] * 2


def test_own_prompts_meet_wherever_they_stood(submit: Submit) -> None:
    first = go(submit(name="moss-glow", settings={"preview_prompts": ["[name] on a mug"]}))
    second = go(submit(name="moss-dim", settings={"preview_prompts": ["a [name] stamp", "[name] on a mug"]}))
    found = runs.compare([first, second])
    rows = [(row.prompt, [one is not None for one in row.pictures]) for row in found.rows if row.block == "H"]
    assert rows == [("[name] on a mug", [True, True])] * 2 + [("a [name] stamp", [False, True])] * 2
    assert line(found, "Preview prompts").differs
    assert line(runs.compare([first, submit(name="moss-late")]), "Preview prompts").values[1] == "none"


def test_the_page_shows_table_curves_and_pictures(pair: tuple[TrainingRun, TrainingRun], mia: Client) -> None:
    page = mia.get(address(*pair))
    assert page.status_code == 200
    text = page.content.decode()
    assert text.count('class="differs"') >= 2
    curves = json.loads(text.partition('id="compare-curves" type="application/json">')[2].partition("<")[0])
    assert [len(one["points"]) for one in curves] == [40, 30]
    assert text.count("a picture of [name]") == 2


def test_no_more_than_four_are_compared_and_strangers_runs_are_not(
    submit: Submit, maker: Viewer, mia: Client
) -> None:
    own = [submit(name=f"moss-{number}") for number in range(5)]
    other = submit(factories.viewer("ben", made_by_operator=True), name="ben-word")
    asked = [other.id, own[0].id, own[0].id, *(run.id for run in own)]
    assert runs.chosen(maker, run_ids=asked) == own[:4]
    text = mia.get(address(other, own[0], own[1])).content.decode()
    assert "ben-word" not in text


@pytest.mark.parametrize("query", ["", "?run=nonsense", f"?run={uuid.UUID(int=7)}"])
def test_a_page_without_runs_lets_one_choose(query: str, mia: Client, submit: Submit) -> None:
    run = submit()
    text = mia.get(f"/runs/compare{query}").content.decode()
    assert f'<option value="{run.id}">' in text
    assert "Choose a run" in text


def test_the_page_of_a_run_leads_to_its_siblings_and_the_list_to_any(
    pair: tuple[TrainingRun, TrainingRun], mia: Client
) -> None:
    text = mia.get(f"/runs/{pair[0].id}").content.decode()
    assert "Compare with 1 other run of these pictures" in text
    assert address(*pair).replace("&", "&amp;") in text
    assert mia.get("/runs").content.decode().count('name="run"') == 2


def test_the_page_takes_no_more_queries_for_more_runs(
    submit: Submit, mia: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        submit(name=f"moss-{number}")
    few = list(TrainingRun.objects.all()[:2])
    with django_assert_max_num_queries(40):
        mia.get(address(*few))


def test_training_again_brings_pictures_and_every_setting_to_the_wizard(
    submit: Submit, mia: Client, maker: Viewer
) -> None:
    changed = {"lr": 0.004, "vectors_per_token": 3, "early_stop": False, "flip": True, "seed": 99}
    run = go(submit(initializer="flat style", settings=changed))
    answer = mia.post(f"/runs/{run.id}/again")
    assert answer["Location"] == f"/train?again={run.id}"
    page = mia.get(answer["Location"])
    initial = page.context["form"].initial
    assert {name: initial[name] for name in ("lr", "vectors_per_token", "seed")} == {
        "lr": 0.004,
        "vectors_per_token": 3,
        "seed": 99,
    }
    assert (initial["early_stop"], initial["flip"], initial["name"]) == ("false", "true", "moss-glow")
    assert [one["sha256"] for one in page.context["pictures"]] == run.picture_digests
    made = _send(mia, page, lr="0.001")
    assert made.recipe == {**run.recipe, "lr": 0.001}
    assert sorted(made.images.values_list("blob_id", flat=True)) == sorted(run.picture_digests)
    assert run.images.count() == 3


def _send(mia: Client, page: Any, **changes: str) -> TrainingRun:
    """Press the button of a page as it stands, with a field changed."""
    form = page.context["form"]
    values = {name: "" if form[name].value() is None else form[name].value() for name in form.fields}
    values |= {"picture": [one["id"] for one in page.context["pictures"]], "consent": "on", **changes}
    answer = mia.post("/train", values)
    assert answer.status_code == 302, page.content.decode()[:2000]
    return TrainingRun.objects.get(pk=answer["Location"].rsplit("/", 1)[1])


def test_laying_pictures_out_twice_lays_them_out_once(submit: Submit, maker: Viewer) -> None:
    run = go(submit())
    assert pictures.lay_out(maker, run=run) == pictures.lay_out(maker, run=run) == 3
    assert TrainingImage.objects.filter(run=None).count() == 3


def test_a_run_of_a_bundled_set_is_trained_again_from_that_set(
    submission: Callable[..., Submission], submit: Submit, mia: Client
) -> None:
    run = go(submit(bundled_set="zebra-wave"))
    page = mia.get(mia.post(f"/runs/{run.id}/again")["Location"])
    assert page.context["form"]["bundled_set"].value() == "zebra-wave"


def test_a_run_whose_pictures_are_gone_says_so(submit: Submit, mia: Client, maker: Viewer) -> None:
    run = go(submit())
    pictures.forget(maker, run=run)
    answer = mia.post(f"/runs/{run.id}/again", follow=True)
    assert "The pictures of this run were deleted; add them again." in answer.content.decode()


def test_a_strangers_run_cannot_be_trained_again(submit: Submit) -> None:
    run = go(submit())
    ben = browser_of(factories.viewer("ben", made_by_operator=True))
    assert ben.post(f"/runs/{run.id}/again").status_code == 404
    assert ben.get(f"/train?again={run.id}").status_code == 404
    assert ben.get(f"/runs/{run.id}/log").status_code == 404


def test_what_happened_is_told_in_sentences_and_as_lines(submit: Submit, mia: Client) -> None:
    run = go(submit())
    text = mia.get(f"/runs/{run.id}").content.decode()
    for said in ("Waiting.", "The first step begins.", "Drawing the preview sheet.", "Done."):
        assert said in text
    answer = mia.get(f"/runs/{run.id}/log")
    lines = [json.loads(one) for one in b"".join(answer.streaming_content).decode().splitlines()]
    assert [one["sequence"] for one in lines] == list(range(1, len(lines) + 1))
    assert lines[0]["event"] == "state" and lines[-1]["state"] == "done"
    after = list(runs.event_lines(run, after=lines[-2]["sequence"]))
    assert [json.loads(one)["sequence"] for one in after] == [lines[-1]["sequence"]]
