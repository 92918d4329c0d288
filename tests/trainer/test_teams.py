"""Training for a team: whose run it is, who sees and stops it, and that more teams are not more hours."""

from collections.abc import Callable
from typing import Any

import pytest

from hub.access import Viewer, can
from hub.errors import Forbidden, NotFound, RateLimited
from hub.models import Owner, Team, Version
from hub.services.people import teammates
from tests import factories
from trainer import runs, worker
from trainer.child import EngineChild
from trainer.models import TrainingRun
from trainer.services import continuing, pictures, submitting

pytestmark = pytest.mark.django_db
Submit = Callable[..., TrainingRun]


@pytest.fixture
def team(maker: Viewer) -> Team:
    """mia's team: wes and olga write, rhea reads."""
    for name in ("wes", "olga", "rhea"):
        factories.user(name, made_by_operator=True)
    return factories.team(admin="mia", wes="writer", olga="writer", rhea="reader")


@pytest.fixture
def run(submit: Submit, team: Team) -> TrainingRun:
    """A run that wes started for the team."""
    return submit(factories.viewer("wes"), owner=team.owner)


def test_a_writer_starts_a_run_that_is_the_teams(run: TrainingRun) -> None:
    assert run.embedding.full_name == "fern-house/moss-glow"
    assert (run.owner.name, run.created_by.username) == ("fern-house", "wes")
    assert {image.owner_id for image in run.images.all()} == {run.owner_id}
    for person in ("mia", "wes", "olga", "rhea"):
        assert run in runs.list_runs(factories.viewer(person)), person
    assert run not in runs.visible(factories.viewer("bob"))
    assert runs.visible(factories.token_viewer("rhea", scopes=["train"])).count() == 1
    assert not runs.visible(factories.token_viewer("rhea", scopes=["read"])).exists()


def test_its_pictures_are_for_whoever_started_it_and_the_admins(run: TrainingRun) -> None:
    sha256 = run.images.all()[0].blob_id
    sees = {}
    for person in ("mia", "wes", "olga", "rhea", "bob"):
        try:
            sees[person] = runs.picture(factories.viewer(person), sha256=sha256)[0] == sha256
        except NotFound:
            sees[person] = False
        assert can(factories.viewer(person), "see_training_images", run) == sees[person], person
    assert sees == {"mia": True, "wes": True, "olga": False, "rhea": False, "bob": False}


@pytest.mark.parametrize(("person", "may"), [("mia", True), ("wes", True), ("olga", False), ("rhea", False)])
def test_it_is_stopped_by_whoever_started_it_and_the_admins(run: TrainingRun, person: str, may: bool) -> None:
    viewer = factories.viewer(person)
    if may:
        assert submitting.cancel(viewer, run=run).state == "cancelled"
        return
    for act in (
        lambda: submitting.cancel(viewer, run=run),
        lambda: continuing.go_on(viewer, run=run, step=1),
        lambda: pictures.forget(viewer, run=run),
        lambda: pictures.lay_out(viewer, run=run),
    ):
        with pytest.raises(Forbidden):
            act()


@pytest.mark.parametrize("person", ["rhea", "bob"])
def test_who_does_not_write_for_a_team_trains_nothing_for_it(submit: Submit, team: Team, person: str) -> None:
    factories.user(person, made_by_operator=True)
    with pytest.raises(Forbidden):
        submit(factories.viewer(person), owner=team.owner)
    assert not TrainingRun.objects.exists()


def test_more_teams_are_not_more_runs(submit: Submit, team: Team, settings: Any) -> None:
    settings.HUB = {**settings.HUB, "HUB_RUN_MAX_WAITING": 2}
    wes = factories.viewer("wes")
    submit(wes, owner=team.owner, name="moss-one")
    submit(wes, name="moss-two")
    with pytest.raises(RateLimited) as refused:
        submit(wes, owner=factories.team("moss-house", admin="wes").owner, name="moss-three")
    assert "You have 2 runs waiting" in refused.value.message
    submit(factories.viewer("olga"), owner=team.owner, name="moss-four")
    with pytest.raises(RateLimited) as refused:
        submit(factories.viewer("mia"), owner=team.owner, name="moss-five")
    assert "This team has 2 runs waiting" in refused.value.message
    assert runs.usage(wes)["waiting"] == 2


def test_the_line_counts_a_team_as_one(submit: Submit, team: Team) -> None:
    first = submit(factories.viewer("wes"), owner=team.owner, name="moss-one")
    second = submit(factories.viewer("olga"), owner=team.owner, name="moss-two")
    third = submit(factories.viewer("mia"), name="moss-three")
    TrainingRun.objects.filter(pk=first.pk).update(seconds=900, state="done")
    assert runs.line() == [third.pk, second.pk]


def test_a_run_of_somebody_who_has_left_ends_as_the_teams_draft(
    run: TrainingRun, team: Team, child: EngineChild
) -> None:
    teammates.remove(factories.viewer("mia"), team=team, name="wes")
    assert run not in runs.visible(factories.viewer("wes"))
    worker.run_training(str(run.id))
    run.refresh_from_db()
    assert run.state == "done", run.message
    draft = Version.objects.get(run_key=run.id)
    assert draft.embedding.owner == Owner.objects.get(name="fern-house")
    assert can(factories.viewer("olga"), "publish_version", draft)
    assert not can(factories.viewer("wes"), "publish_version", draft)
