"""Learning may go on from another word that is here: by page, API and command line, and with the very same vectors."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from hub import blobs
from hub.access import Viewer
from hub.errors import Unacceptable
from hub.services.embeddings import gating
from tests import factories
from tests.trainer.test_pages import form, run_of
from trainer import worker, workspace
from trainer.models import TrainingRun
from trainer.services import continuing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
Submit = Callable[..., TrainingRun]


@pytest.fixture
def moss() -> Any:
    """A published word with three vectors for the same base."""
    return factories.published("ben", "moss-old", family="tiny", vectors=3).versions.get()


def test_a_run_starts_at_the_vectors_of_a_word(submit: Submit, moss: Any, tmp_path: Path) -> None:
    run = submit(start_from="ben/moss-old")
    assert run.start == moss
    wanted = {
        "initializer_mode": "file",
        "initializer_file": moss.tensor_digest,
        "vectors_per_token": moss.vectors,
    }
    assert {name: run.recipe[name] for name in wanted} == wanted
    path = workspace.write_start(run, tmp_path)
    assert path is not None
    assert Path(path).read_bytes() == blobs.read(moss.tensors_id)
    assert workspace.write_start(submit(name="moss-new"), tmp_path) is None


def test_a_gated_word_is_started_from_by_whom_it_is_open_to_alone(
    submit: Submit, moss: Any, tmp_path: Path
) -> None:
    gating.set_gate(factories.viewer("ben"), embedding=moss.embedding, gate="manual")
    with pytest.raises(Unacceptable, match="is gated") as refused:
        submit(start_from="ben/moss-old")
    assert refused.value.field == "start_from"
    maker = submit(name="moss-new").created_by
    let_in = gating.grant(factories.viewer("ben"), embedding=moss.embedding, name=maker.username)
    run = submit(name="moss-newer", start_from="ben/moss-old")
    assert workspace.write_start(run, tmp_path) is not None
    gating.reject(factories.viewer("ben"), request=let_in)
    assert workspace.write_start(TrainingRun.objects.get(pk=run.pk), tmp_path) is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("moss-old", "owner/name"),
        ("ben/none-such", "ben/none-such"),
        ("ben/moss-old@v7", "v7"),
        ("ben/wide", "another family"),
        ("ben/hidden", "ben/hidden"),
    ],
)
def test_what_cannot_be_started_from_is_refused_by_its_field(
    submit: Submit, moss: Any, written: str, said: str
) -> None:
    factories.published("ben", "wide", family="sd1")
    factories.published("ben", "hidden", family="tiny", visibility="private")
    with pytest.raises(Unacceptable, match=said) as refused:
        submit(start_from=written)
    assert refused.value.field == "start_from"


def test_its_number_of_vectors_cannot_be_changed(submit: Submit, moss: Any) -> None:
    assert submit(start_from="ben/moss-old@v1", settings={"vectors_per_token": 3}).start == moss
    with pytest.raises(Unacceptable, match="3 vectors"):
        submit(name="moss-new", start_from="ben/moss-old", settings={"vectors_per_token": "2"})


@pytest.mark.usefixtures("child")
def test_the_page_asks_for_it_and_a_run_trained_again_or_gone_on_from_keeps_it(
    submit: Submit, kept: Any, maker: Viewer, base: Any, moss: Any
) -> None:
    browser = Client()
    browser.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    sent = form(picture=[str(one) for one in kept(maker)], start_from="ben/moss-old", max_steps="20")
    run = run_of(browser.post("/train", sent))
    assert run.start == moss
    page = browser.get(f"/runs/{run.id}").content.decode()
    assert "ben/moss-old" in page
    worker.run_training.fn(str(run.id))
    run.refresh_from_db()
    assert run.state == "done"
    TrainingRun.objects.filter(pk=run.pk).update(state="cancelled", step=10)
    run.refresh_from_db()
    assert continuing.go_on(maker, run=run, step=10).start == moss
    filled = browser.post(f"/runs/{run.id}/again", follow=True).context["form"].initial
    assert (filled["start_from"], filled["initializer_mode"]) == ("ben/moss-old@v1", "")
    wrong = browser.post("/train", form(picture=[], start_from="nothing"))
    assert "start_from" in wrong.context["form"].errors
