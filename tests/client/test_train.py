"""`glossa train` against a real hub, whose worker is in this process and whose engine is the stand-in."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from hub.access import Viewer
from hub.models import Version
from tests import factories, samples
from tests.client.runner import Glossa
from tests.trainer.conftest import base, child, engine_python, maker  # noqa: F401  # fixtures
from trainer import worker
from trainer.models import TrainingRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs", "child", "base")]


@pytest.fixture
def mia(glossa: Glossa, maker: Viewer) -> Glossa:  # noqa: F811
    """The client of a person who may train and publish."""
    assert maker.user is not None
    glossa.variables["GLOSSA_TOKEN"] = factories.token("mia", scopes=["read", "train", "publish"])[1]
    return glossa


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number, colour in enumerate(("navy", "seagreen", "firebrick")):
        (made / f"picture-{number}.png").write_bytes(samples.picture(size=(96, 96), colour=colour))
    (made / "notes.txt").write_text("not a picture")
    return made


@pytest.fixture
def working() -> Iterator[None]:
    """A worker that takes every run that is queued."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            for run in TrainingRun.objects.filter(state="queued"):
                worker.run_training.fn(str(run.id))
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join(60)


@pytest.mark.usefixtures("working")
def test_pictures_become_a_published_word(mia: Glossa, folder: Path, tmp_path: Path) -> None:
    words = (
        "--name",
        "moss-glow",
        "--kind",
        "style",
        "--consent",
        "--steps",
        "40",
        "--seed",
        "7",
        "--publish",
    )
    said = mia("train", folder, *words, "--json")
    assert (said.record["state"], said.record["name"]) == ("done", "mia/moss-glow")
    assert "picture-0.png: sent." in said.err
    assert "notes.txt" not in said.err
    assert Version.objects.get().is_published
    mia("pull", "mia/moss-glow@v1", "--tool", "diffusers", "--dir", tmp_path / "words")


def test_a_run_goes_on_without_the_client_and_can_be_watched_again(
    mia: Glossa, folder: Path, request: pytest.FixtureRequest
) -> None:
    begun = mia(
        "train",
        folder,
        "--name",
        "moss-glow",
        "--kind",
        "style",
        "--consent",
        "--steps",
        "40",
        "--no-wait",
        "--json",
    ).record
    run = TrainingRun.objects.get()
    assert begun["run"] == str(run.id)
    request.getfixturevalue("working")
    said = mia("train", "--follow", begun["url"])
    assert f"publish it there: {begun['url']}" in said.out
    deadline = time.monotonic() + 30
    while TrainingRun.objects.get().state != "done":
        assert time.monotonic() < deadline
    assert mia("train", "--follow", begun["run"], "--publish").out.startswith("mia/moss-glow is published")


def test_what_is_wrong_with_the_form_is_said_in_the_hubs_words(mia: Glossa, folder: Path) -> None:
    assert mia("train", folder, "--kind", "style", ok=False).code == 2
    said = mia("train", folder, "--name", "moss", "--kind", "style", "--consent", ok=False)
    assert said.code == 8
    assert "already know the word moss" in said.err
    said = mia("train", folder / "none.png", "--name", "moss-glow", "--kind", "style", "--consent", ok=False)
    assert said.code == 7
    mia.variables["GLOSSA_TOKEN"] = factories.token("mia", scopes=["read"])[1]
    said = mia("train", folder, "--name", "moss-glow", "--kind", "style", "--consent", ok=False)
    assert said.code == 4
    assert "train" in said.err


def test_a_run_of_somebody_else_is_not_found(mia: Glossa) -> None:
    said = mia("train", "--follow", "00000000-0000-0000-0000-000000000000", ok=False)
    assert said.code == 3
    assert mia("train", "--follow", "../../etc", ok=False).code in (2, 6)
