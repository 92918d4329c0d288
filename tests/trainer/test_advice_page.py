"""Advice where its maker meets it: on the wizard as pictures come and go, on the run, on the command line."""

import io
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageFilter

from hub.access import Viewer
from hub.models import BaseModel
from tests import factories
from tests.trainer.advice.test_looks import scene
from trainer.management.commands.train import advice_on
from trainer.models import TrainingImage, TrainingRun
from trainer.recipe import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def mia(maker: Viewer) -> Client:
    """The maker's browser."""
    client = Client()
    assert maker.user is not None
    client.force_login(maker.user, backend=BACKEND)
    return client


def encoded(picture: Image.Image) -> bytes:
    """As JPEG."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def uploaded(client: Client, picture: Image.Image, name: str) -> str:
    """The id of a picture that was checked."""
    file = SimpleUploadedFile(name, encoded(picture), content_type="image/jpeg")
    answer = client.post("/train/pictures", {"picture": file}, HTTP_ACCEPT="application/json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["id"])


def advice(client: Client, ids: list[str], kind: str = "object", base: str = "big") -> dict[str, Any]:
    """What the page's script gets, as JSON, by code."""
    values = {"picture": ids, "kind": kind, "base_model": base}
    answer = client.post("/train/advice", values, HTTP_ACCEPT="application/json")
    assert answer.status_code == 200
    return {finding["code"]: finding for finding in answer.json()["advice"]}


@pytest.fixture
def big(base: Any) -> Any:
    """A base model trained at 512 pixels."""
    made = factories.base_model(name="big")
    BaseModel.objects.filter(pk=made.pk).update(title="A big one", resolution=512, is_installed=True)
    return made


def test_findings_stand_with_their_pictures_a_sentence_and_what_to_do(mia: Client, big: Any) -> None:
    soft = scene(12).filter(ImageFilter.GaussianBlur(5))
    ids = [
        uploaded(mia, scene(10), "a.jpg"),
        uploaded(mia, scene(11), "b.jpg"),
        uploaded(mia, soft, "soft.jpg"),
    ]
    found = advice(mia, ids)
    assert list(found) == ["blurred"]
    assert found["blurred"]["pictures"] == [ids[2]]
    page = mia.post("/train/advice", {"picture": ids, "kind": "object", "base_model": "big"}).content.decode()
    assert f'href="#picture-{ids[2]}"' in page and f'href="#picture-{ids[0]}"' not in page
    assert found["blurred"]["sentence"] in page and found["blurred"]["to_do"] in page
    assert 'alt="soft.jpg"' in page
    assert advice(mia, ids, base="tiny") == {}
    assert (
        "Nothing to remark"
        in mia.post(
            "/train/advice", {"picture": ids, "kind": "object", "base_model": "tiny"}
        ).content.decode()
    )


def test_the_wizard_shows_advice_without_a_script_and_it_stops_nobody(mia: Client, big: Any) -> None:
    picture = scene(13)
    ids = [uploaded(mia, picture, "one.jpg"), uploaded(mia, picture.resize((540, 540)), "again.jpg")]
    page = mia.get("/train").content.decode()
    assert "Only 1 different picture" in page and 'data-code="duplicate"' in page
    answer = mia.post(
        "/train",
        {
            "name": "moss-glow", "kind": "object", "preset": "quick", "base_model": "big", "licence": "cc0-1.0",
            "consent": "on", "flip": "unknown", "early_stop": "unknown", "key": str(uuid.uuid4()), "picture": ids,
        },
    )  # fmt: skip
    assert answer.status_code == 302
    run = TrainingRun.objects.get()
    assert run.warnings[0].startswith("Only 1 different picture")
    assert "nearly the same" in run.warnings[1]


def test_advice_is_measured_once_and_read_from_the_row(
    mia: Client, big: Any, django_assert_max_num_queries: Any
) -> None:
    ids = [uploaded(mia, scene(seed), f"{seed}.jpg") for seed in (14, 15, 16)]
    assert all(image.facts["look"]["thumb"] for image in TrainingImage.objects.all())
    with django_assert_max_num_queries(6):
        advice(mia, ids)


def test_other_peoples_pictures_and_nonsense_get_no_advice(mia: Client, big: Any) -> None:
    ids = [uploaded(mia, scene(17), "mine.jpg")]
    ben = Client()
    ben.force_login(factories.user("ben", made_by_operator=True), backend=BACKEND)
    assert "few" in advice(mia, ids)
    assert advice(ben, ids) == {}
    assert advice(mia, ["no id", str(uuid.uuid4())], kind="none such", base="none such") == {}
    assert Client().post("/train/advice", {"picture": ids}, HTTP_ACCEPT="application/json").status_code == 401


def test_pictures_of_a_bundled_set_get_no_remark(mia: Client, base: Any) -> None:
    assert "What we noticed" not in mia.get("/train?set=zebra-wave").content.decode()


def test_the_command_line_says_the_same_and_names_the_files(tmp_path: Path) -> None:
    sharp, soft = tmp_path / "sharp.jpg", tmp_path / "soft.jpg"
    sharp.write_bytes(encoded(scene(18)))
    soft.write_bytes(encoded(scene(19).filter(ImageFilter.GaussianBlur(5))))
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff and nothing more")
    recipe = Recipe.for_preset(
        "quick", family="sd1", kind="object", trigger="moss", initializer="toy", resolution=512
    )
    said = advice_on([{"path": str(path)} for path in (sharp, soft, broken)], recipe)
    assert [finding["code"] for finding in said] == ["few", "blurred"]
    assert said[1]["pictures"] == ["soft.jpg"] and said[1]["text"].endswith("(soft.jpg)")
