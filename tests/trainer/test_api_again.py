"""Training again through the native API: a run's pictures and all that it was asked for make another run."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from tests import factories
from trainer import worker
from trainer.child import EngineChild
from trainer.models import TrainingImage, TrainingRun

pytestmark = pytest.mark.django_db
API = "/api/hub/v1/runs"
JSON = "application/json"
Submit = Callable[..., TrainingRun]


@pytest.fixture
def mia(maker: Viewer) -> dict[str, str]:
    """The maker's token."""
    return factories.bearer("mia", "train", "publish", "read")


def test_a_run_is_trained_again_with_one_change(client: Client, mia: dict[str, str], submit: Submit) -> None:
    own = {"batch": 2, "preview_prompts": ["[name] on a mug"]}
    first = submit(initializer="leaf", settings=own)
    assert client.post(f"{API}/{first.pk}/cancel", headers=mia).status_code == 200
    told = [client.post(f"{API}/{first.pk}/again", headers=mia).json() for _ in range(2)]
    assert told[0] == told[1]
    waiting = TrainingImage.objects.filter(run=None)
    assert {one["id"] for one in told[0]["pictures"]} == {
        str(pk) for pk in waiting.values_list("pk", flat=True)
    }
    form: dict[str, Any] = {**told[0]["form"], "name": "moss-bright", "consent": True}
    form["settings"] = {**form["settings"], "lr": 0.004}
    made = client.post(API, form, content_type=JSON, headers=mia)
    assert made.status_code == 201, made.content
    second = TrainingRun.objects.get(pk=made.json()["id"])
    assert second.embedding.full_name == "mia/moss-bright"
    assert {key for key in second.recipe if second.recipe[key] != first.recipe[key]} == {"lr"}
    assert second.recipe["preview_prompts"] == ["[name] on a mug"]
    assert second.picture_digests == first.picture_digests
    assert not waiting.exists()


def test_what_the_pictures_said_comes_along(client: Client, mia: dict[str, str], submit: Submit) -> None:
    run = submit()
    image = run.images.earliest("position")
    TrainingImage.objects.filter(pk=image.pk).update(caption="on moss", height=192)
    TrainingImage.objects.filter(pk=image.pk).update(facts={"focus": [0.0, 0.0, 1.0, 0.5]})
    client.post(f"{API}/{run.pk}/cancel", headers=mia)
    form = client.post(f"{API}/{run.pk}/again", headers=mia).json()["form"]
    (named,) = form["captions"]
    assert (form["captions"], form["ends"]) == ({named: "on moss"}, {named: "start"})
    assert TrainingImage.objects.get(pk=named).blob_id == image.blob_id


def test_a_run_from_a_bundled_set_names_the_set(client: Client, mia: dict[str, str], submit: Submit) -> None:
    run = submit(bundled_set="moss-bark", picture_ids=[])
    told = client.post(f"{API}/{run.pk}/again", headers=mia).json()
    assert (told["pictures"], told["form"]["bundled_set"]) == ([], "moss-bark")
    assert "picture_ids" not in told["form"]


def test_its_pictures_and_what_it_drew_are_seen(
    client: Client, mia: dict[str, str], submit: Submit, child: EngineChild
) -> None:
    run = submit()
    worker.run_training.fn(str(run.pk))
    pictures = client.get(f"{API}/{run.pk}/pictures", headers=mia).json()["items"]
    assert [one["sha256"] for one in pictures] == TrainingRun.objects.get().picture_digests
    growth = client.get(f"{API}/{run.pk}/growth", headers=mia).json()["items"]
    assert [one["step"] for one in growth] == [10, 20, 30, 40]
    for one in (pictures[0], growth[0]):
        assert client.get(one["url"], headers=mia)["Content-Type"].startswith("image/")


def test_nobody_else_sees_or_repeats_it_and_moderators_see_no_pictures(
    client: Client, mia: dict[str, str], submit: Submit
) -> None:
    run = submit()
    factories.user("ben", made_by_operator=True)
    ben = factories.bearer("ben", "train", "publish", "read")
    for answer in (
        client.get(f"{API}/{run.pk}/pictures", headers=ben),
        client.get(f"{API}/{run.pk}/growth", headers=ben),
        client.post(f"{API}/{run.pk}/again", headers=ben),
    ):
        assert answer.status_code == 404
    moderator = Client()
    moderator.force_login(
        factories.user("mod", moderator=True), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert moderator.get(f"{API}/{run.pk}/growth").status_code == 200
    assert moderator.get(f"{API}/{run.pk}/pictures").status_code == 403


def test_pictures_that_were_deleted_cannot_be_trained_again(
    client: Client, mia: dict[str, str], submit: Submit
) -> None:
    run = submit()
    client.post(f"{API}/{run.pk}/cancel", headers=mia)
    assert client.delete(f"{API}/{run.pk}/pictures", headers=mia).status_code == 204
    refused = client.post(f"{API}/{run.pk}/again", headers=mia)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "state_conflict")


def test_a_key_stands_for_every_value_of_a_field_that_is_sent_several_times(
    client: Client, mia: dict[str, str], submit: Submit, kept: Callable[[Viewer], list[Any]], maker: Viewer
) -> None:
    ids = kept(maker)
    given = {
        "name": "moss-two",
        "kind": "style",
        "base_model": submit().base_model.name,
        "licence": "cc0-1.0",
    }
    form = {**given, "consent": "true", "picture_ids": [str(one) for one in ids]}
    key = {**mia, "idempotency-key": "again-0001"}
    assert client.post(API, form, headers=key).status_code == 201
    other = client.post(API, {**form, "picture_ids": form["picture_ids"][1:]}, headers=key)
    assert (other.status_code, other.json()["error"]["code"]) == (409, "key_reused")
