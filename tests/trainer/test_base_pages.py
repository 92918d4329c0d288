"""Pages of base models: what is installed, what fits it, what it is made of, how long a run takes here."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import BaseModel
from tests import factories
from tests.trainer.conftest import Submit
from tests.trainer.test_pages import mia
from tests.trainer.test_probing import Probed, probed
from trainer.base_folder import BUNDLED, base_digest
from trainer.models import TrainingRun
from trainer.services import bases

__all__ = ["mia", "probed"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]


@pytest.fixture
def installed() -> BaseModel:
    """The bundled base, installed as `seed_catalogue` does it."""
    return bases.install(BUNDLED, copy=False)


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return " ".join(answer.content.decode().split())


def test_a_hub_without_a_base_says_what_its_operator_can_do(client: Client) -> None:
    page = text(client, "/bases")
    assert "No base model" in page and "manage.py seed_catalogue" in page


def test_installed_bases_are_listed_with_the_words_that_fit_them(
    client: Client, installed: BaseModel
) -> None:
    factories.base_model("sd1", name="sd-1-5", installed=False)
    factories.published("ada", "moss-dragon", family="tiny")
    page = text(client, "/bases")
    assert f'href="/bases/{installed.name}"' in page
    assert "Tiny shapes" in page and "Glossa tiny, 64 px" in page
    assert "1 word fits" in page
    assert "sd-1-5" not in page
    assert "pace not measured here" in page


def test_a_base_tells_what_it_is_made_of(client: Client, installed: BaseModel) -> None:
    page = text(client, f"/bases/{installed.name}")
    assert base_digest(BUNDLED) in page
    assert installed.record["parts"]["unet/diffusion_pytorch_model.safetensors"] in page
    assert "clip_tiny, 128 wide" in page and "v_prediction" in page and "Apache-2.0" in page
    assert "What it knows" in page and page.count("<h1") == 1


def test_a_base_that_was_removed_or_never_installed_has_no_page(client: Client, installed: BaseModel) -> None:
    assert client.get("/bases/nothing").status_code == 404
    bases.remove(installed.name)
    assert client.get(f"/bases/{installed.name}").status_code == 404


def test_nobody_changes_anything_here(client: Client, installed: BaseModel) -> None:
    assert client.post("/bases").status_code in (403, 405)
    assert client.post(f"/bases/{installed.name}").status_code in (403, 405)


def test_words_that_a_reader_may_not_see_are_not_counted(client: Client, installed: BaseModel) -> None:
    factories.published("ada", "moss-dragon", family="tiny")
    before = client.get(f"/api/hub/v1/base-models/{installed.name}").json()["embeddings"]
    factories.published("ada", "secret-dragon", family="tiny", visibility="private")
    assert client.get(f"/api/hub/v1/base-models/{installed.name}").json()["embeddings"] == before == 1


def test_what_was_not_measured_is_not_promised(client: Client, installed: BaseModel) -> None:
    page = text(client, f"/bases/{installed.name}")
    assert "Not measured" in page and f"manage.py probe_base_model {installed.name}" in page
    assert "minute" not in page


def test_a_probe_says_how_long_each_quality_takes(client: Client, base: BaseModel, probed: Probed) -> None:
    probed(b4=0.3, b8=0.6)
    page = text(client, f"/bases/{base.name}")
    # 800 steps of 0.6 seconds.
    assert "<dt>Standard, up to 800 steps</dt><dd>about 8 minutes</dd>" in page
    assert "steps alone" in page and "larger ones were not tried" in page
    assert "a word in about 8 minutes" in text(client, "/bases")


def test_finished_runs_say_it_better(client: Client, base: BaseModel, probed: Probed, submit: Submit) -> None:
    probed()
    done = submit()
    TrainingRun.objects.filter(pk=done.pk).update(
        state="done", step=40, seconds=120, finished_at=timezone.now()
    )
    page = text(client, f"/bases/{base.name}")
    assert "<dd>about 40 minutes</dd>" in page and "pictures and sheet included" in page


def test_the_wizard_tells_the_same_time_and_where_to_read_about_the_base(
    mia: Client, base: BaseModel, probed: Probed
) -> None:
    assert "about" not in text(mia, "/train").split("up to 800 steps")[1][:20]
    probed(b8=0.6)
    page = text(mia, "/train")
    assert "up to 800 steps, about 8 minutes here" in page
    assert f'href="/bases/{base.name}"' in page


def test_with_several_bases_each_says_its_time_in_the_list_of_them(
    mia: Client, base: BaseModel, probed: Probed
) -> None:
    factories.base_model("sd1", name="big")
    probed(b8=0.6)
    page = text(mia, "/train?base=big")
    assert "(standard quality: about 8 minutes here)" in page
    assert "(how long it takes here was not measured)" in page
    assert '<option value="big" selected>' in page


def test_as_many_queries_for_many_bases_as_for_one(
    client: Client, installed: BaseModel, django_assert_max_num_queries: Callable[..., Any]
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get("/bases")
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get("/bases")
    for number in range(5):
        factories.base_model("tiny", name=f"tiny-{number}")
    with CaptureQueriesContext(connection) as many:
        client.get("/bases")
    assert len(many) <= len(one)


def test_the_head_of_a_card_names_the_licence(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(BUNDLED, tmp_path / "mine"))
    (folder / "MODEL_CARD.md").unlink()
    (folder / "README.md").write_text(
        "---\nlicense: creativeml-openrail-m\ntags:\n- x\n---\n# Mine\n\nIt draws.\n"
    )
    record = (folder / "glossa.json").read_text().replace('"licence": "Apache-2.0",', "")
    (folder / "glossa.json").write_text(record)
    base = bases.install(folder, name="mine", copy=False)
    assert (base.record["licence"], base.record["card_text"]) == ("creativeml-openrail-m", "It draws.")
    assert base.record["size"] > 1000
    assert bases.install(folder, name="mine", copy=False, licence="MIT").record["licence"] == "MIT"


def test_a_program_is_told_the_same(client: Client, installed: BaseModel) -> None:
    said = client.get(f"/api/hub/v1/base-models/{installed.name}").json()
    assert (said["digest"], said["family"], said["resolution"]) == (base_digest(BUNDLED), "tiny", 64)
    assert (said["seconds"], said["probe"], said["source"]) == ({}, None, None)
    assert said["page"].endswith(f"/bases/{installed.name}")
    answer = client.get("/api/hub/v1/base-models/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "base_not_found")
