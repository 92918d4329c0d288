"""Pictures that wait for a run through the native API: checked, advised on, learned from, dropped."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, ImageFilter

from hub import blobs
from hub.access import Viewer
from hub.models import BaseModel
from tests import factories
from tests.trainer.advice.test_looks import scene
from trainer.models import TrainingImage, TrainingRun

pytestmark = pytest.mark.django_db
API = "/api/hub/v1"
PICTURES = f"{API}/training-pictures"
JSON = "application/json"


@pytest.fixture
def mia(maker: Viewer) -> dict[str, str]:
    """The maker's token."""
    return factories.bearer("mia", "train", "publish")


@pytest.fixture
def big(base: Any) -> Any:
    """A base model trained at 512 pixels."""
    made = factories.base_model(name="big")
    BaseModel.objects.filter(pk=made.pk).update(title="A big one", resolution=512, is_installed=True)
    return made


def add(client: Client, mia: dict[str, str], picture: Image.Image, name: str = "one.jpg") -> Any:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    file = SimpleUploadedFile(name, out.getvalue(), content_type="image/jpeg")
    return client.post(PICTURES, {"file": file}, headers=mia)


def mask(size: tuple[int, int], name: str = "mask.png") -> SimpleUploadedFile:
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).save(out, "PNG")
    return SimpleUploadedFile(name, out.getvalue(), content_type="image/png")


def advised(client: Client, mia: dict[str, str], **given: Any) -> Any:
    given = {"kind": "object", "base_model": "big", **given}
    answer = client.post(f"{PICTURES}/advice", given, content_type=JSON, headers=mia)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_set_is_checked_advised_on_and_learned_from(client: Client, mia: dict[str, str], big: Any) -> None:
    soft = scene(12).filter(ImageFilter.GaussianBlur(5))
    made = [
        add(client, mia, picture, f"{number}.jpg").json()
        for number, picture in enumerate((scene(10), scene(11), soft))
    ]
    assert client.get(PICTURES, headers=mia).json() == {"items": made, "next": None}
    assert client.get(made[0]["url"], headers=mia).status_code == 200
    ids = [one["id"] for one in made]
    for given in ({"pictures": ids}, {}, {"pictures": None}):
        found = advised(client, mia, **given)
        assert found["looked_at"] == 3
        [finding] = found["items"]
        assert (finding["code"], finding["pictures"]) == ("blurred", [ids[2]])
        assert finding["sentence"] and finding["to_do"]
    assert advised(client, mia, base_model="tiny")["items"] == []
    run = client.post(
        f"{API}/runs",
        {
            "name": "moss-glow", "kind": "object", "base_model": "big", "licence": "cc0-1.0", "consent": "true",
            "picture_ids": ids[:2],
        },
        headers=mia,
    )  # fmt: skip
    assert run.status_code == 201, run.content
    assert [str(one.pk) for one in TrainingRun.objects.get().images.order_by("position")] == ids[:2]
    assert [one["id"] for one in client.get(PICTURES, headers=mia).json()["items"]] == ids[2:]


def test_a_picture_is_dropped(client: Client, mia: dict[str, str], base: Any) -> None:
    address = f"{PICTURES}/{add(client, mia, scene(10)).json()['id']}"
    assert [client.delete(address, headers=mia).status_code for _ in range(2)] == [204, 204]
    assert not TrainingImage.objects.exists()


def test_the_part_and_the_mask_of_a_picture_are_kept_until_it_is_learned_from(
    client: Client, mia: dict[str, str], base: Any
) -> None:
    made = add(client, mia, scene(10).resize((128, 96))).json()
    assert (made["focus"], made["mask"]) == (None, None)
    address = f"{PICTURES}/{made['id']}"
    told = client.patch(address, {"focus": [0, 0.25, 0.5, 1]}, content_type=JSON, headers=mia)
    assert (told.status_code, told.json()["focus"]) == (200, [0, 0.25, 0.5, 1])
    wrong = client.patch(address, {"focus": [0.5, 0, 0.5, 1]}, content_type=JSON, headers=mia)
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "field_invalid")
    told = client.post(f"{address}/mask", {"file": mask((128, 96))}, headers=mia)
    assert told.status_code == 200, told.content
    assert client.get(told.json()["mask"], headers=mia)["Content-Type"] == "image/png"
    misfit = client.post(f"{address}/mask", {"file": mask((96, 128))}, headers=mia).json()["error"]
    assert (misfit["code"], misfit["detail"]["field"]) == ("bad_mask", "mask")
    assert client.get(PICTURES, headers=mia).json()["items"] == [told.json()]

    form = {
        "name": "moss-glow", "kind": "object", "base_model": "tiny", "licence": "cc0-1.0", "consent": True,
        "picture_ids": [made["id"]],
    }  # fmt: skip
    run = client.post(f"{API}/runs", form, content_type=JSON, headers=mia).json()
    assert (run["recipe"]["crop"], run["recipe"]["mask"]) == ("focus", "file")
    again = client.post(f"{run['url']}/again", headers=mia).json()
    [waiting] = again["pictures"]
    assert (waiting["focus"], waiting["mask"]) == ([0, 0.25, 0.5, 1], told.json()["mask"])
    assert again["form"]["boxes"] == {waiting["id"]: [0, 0.25, 0.5, 1]}
    address = f"{PICTURES}/{waiting['id']}"
    assert client.patch(address, {"focus": None}, content_type=JSON, headers=mia).json()["focus"] is None
    assert [client.delete(f"{address}/mask", headers=mia).status_code for _ in range(2)] == [204, 204]
    assert client.get(PICTURES, headers=mia).json()["items"][0]["mask"] is None


def test_a_new_run_may_say_which_part_of_a_file_is_meant(
    client: Client, mia: dict[str, str], base: Any
) -> None:
    form = {
        "name": "moss-glow",
        "kind": "object",
        "base_model": "tiny",
        "licence": "cc0-1.0",
        "consent": "true",
    }
    for boxes, status in (('{"x.png": [0.1, 0.1, 0.5, 0.5]}', 201), ('{"x.png": [1, 2]}', 422), ("[]", 422)):
        sent = {**form, "boxes": boxes, "pictures": mask((96, 96), "x.png")}
        assert client.post(f"{API}/runs", sent, headers=mia).status_code == status
    assert TrainingRun.objects.get().images.get().facts["focus"] == [0.1, 0.1, 0.5, 0.5]


def test_a_new_run_may_bring_a_mask_for_a_file(client: Client, mia: dict[str, str], base: Any) -> None:
    form = {
        "name": "moss-glow",
        "kind": "object",
        "base_model": "tiny",
        "licence": "cc0-1.0",
        "consent": "true",
    }
    for name, size, status in (
        ("y.mask.png", (96, 96), 422),
        ("x.mask.png", (96, 20), 422),
        ("x.mask.png", (96, 96), 201),
    ):
        sent = {**form, "pictures": mask((96, 96), "x.png"), "masks": mask(size, name)}
        answer = client.post(f"{API}/runs", sent, headers=mia)
        assert answer.status_code == status, answer.content
        if status == 422:
            assert answer.json()["error"]["detail"]["field"] == "masks"
    run = TrainingRun.objects.get()
    assert run.images.get().mask_id and run.recipe["mask"] == "file"


def test_what_is_transparent_may_count_less_through_the_api_too(
    client: Client, mia: dict[str, str], base: Any
) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (96, 96), (0, 90, 0, 40)).save(out, "PNG")
    clear = SimpleUploadedFile("x.png", out.getvalue(), content_type="image/png")
    made = client.post(PICTURES, {"file": clear}, headers=mia).json()
    assert "transparency kept, shown on white" in made["remarks"]
    form = {"name": "moss-glow", "kind": "object", "base_model": "tiny", "licence": "cc0-1.0"}
    form |= {"consent": "true", "picture_ids": made["id"], "settings": '{"mask": "alpha"}'}
    assert client.post(f"{API}/runs", form, headers=mia).status_code == 201
    run = TrainingRun.objects.get()
    assert run.recipe["mask"] == "alpha"
    with Image.open(io.BytesIO(blobs.read(run.images.get().blob_id))) as kept:
        assert kept.getchannel("A").getextrema() == (40, 40)


def test_what_is_no_picture_is_refused_and_leaves_nothing(client: Client, mia: dict[str, str]) -> None:
    refused = client.post(PICTURES, {"file": SimpleUploadedFile("x.jpg", b"text")}, headers=mia)
    assert (refused.status_code, bool(refused.json()["error"]["detail"]["rule"])) == (422, True)
    assert client.post(PICTURES, {}, headers=mia).json()["error"]["code"] == "file_missing"
    assert not TrainingImage.objects.exists()


def test_others_see_and_drop_nothing_of_it(client: Client, mia: dict[str, str], base: Any) -> None:
    picture = add(client, mia, scene(10)).json()
    factories.user("ben", made_by_operator=True)
    ben = factories.bearer("ben", "train", "read")
    assert client.get(PICTURES, headers=ben).json() == {"items": [], "next": None}
    assert client.get(picture["url"], headers=ben).status_code == 404
    assert advised(client, ben, pictures=[picture["id"]])["looked_at"] == 0
    client.delete(f"{PICTURES}/{picture['id']}", headers=ben)
    assert TrainingImage.objects.count() == 1
    assert client.get(PICTURES, headers=factories.bearer("mia", "read")).status_code == 403
    assert client.get(PICTURES).status_code == 401


def test_the_sets_that_come_with_the_hub_are_listed_with_their_pictures(client: Client) -> None:
    items = client.get(f"{API}/picture-sets").json()["items"]
    assert items and all(len(one["pictures"]) >= 3 for one in items)
    assert client.get(items[0]["pictures"][0]).status_code == 200
