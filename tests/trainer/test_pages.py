"""The pages of training as a browser sees them: wizard, picture check, live page, draft, and who sees what."""

import io
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub.access import Viewer
from hub.models import Blob, Embedding, Version
from tests import factories, samples
from trainer import worker
from trainer.models import TrainingImage, TrainingRun
from trainer.services import leases, recording

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
Submit = Callable[..., TrainingRun]
JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture
def mia(maker: Viewer) -> Client:
    """The maker's browser."""
    client = Client()
    assert maker.user is not None
    client.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def ben() -> Client:
    """Somebody else's browser."""
    client = Client()
    user = factories.user("ben", made_by_operator=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(data: bytes, name: str = "a photo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, content_type="image/png")


def form(**changes: Any) -> dict[str, Any]:
    """The wizard's form as a browser sends it."""
    return {
        "name": "moss-glow",
        "kind": "style",
        "preset": "quick",
        "base_model": "tiny",
        "licence": "cc0-1.0",
        "consent": "on",
        "flip": "unknown",
        "early_stop": "unknown",
        "key": str(uuid.uuid4()),
        **changes,
    }


def run_of(answer: Any) -> TrainingRun:
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return TrainingRun.objects.get(pk=answer["Location"].rsplit("/", 1)[1])


@pytest.mark.parametrize("address", ["/train", "/runs", f"/runs/{uuid.UUID(int=7)}"])
def test_a_visitor_is_sent_to_sign_in(client: Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=")


def test_the_wizard_offers_every_bundled_set(mia: Client, base: Any) -> None:
    page = mia.get("/train").content.decode()
    sets = sorted(path.name for path in Path("trainer/bundled/sets").iterdir())
    assert len(sets) >= 8
    for name in sets:
        assert f'value="{name}"' in page
    picture = mia.get(f"/train/sets/{sets[0]}/01.png")
    assert picture["Content-Type"] == "image/png"
    assert mia.get(f"/train/sets/{sets[0]}/..%2Fset.json").status_code == 404


def test_one_press_trains_from_a_bundled_set(mia: Client, base: Any) -> None:
    run = run_of(mia.post("/train", {"train_set": "zebra-wave", "key": str(uuid.uuid4())}))
    assert (run.bundled_set, run.recipe["kind"], run.recipe["initializer"]) == (
        "zebra-wave",
        "style",
        "striped",
    )
    assert run.images.count() == 10


def test_a_picture_is_checked_when_it_arrives_and_kept_for_the_run(mia: Client, base: Any) -> None:
    answer = mia.post("/train/pictures", {"picture": upload(samples.picture(size=(300, 280)))}, **JSON)
    assert answer.status_code == 201
    facts = answer.json()
    assert (facts["name"], facts["width"], facts["warnings"]) == ("a photo.png", 300, [])
    assert mia.get(facts["url"]).status_code == 200
    assert facts["id"] in mia.get("/train").content.decode()
    run = run_of(mia.post("/train", form(picture=[facts["id"]])))
    assert str(run.images.get().id) == facts["id"]
    assert "Only 1 picture" in run.warnings[0]


def test_a_picture_that_is_none_is_refused_in_words_and_nothing_is_kept(mia: Client) -> None:
    answer = mia.post("/train/pictures", {"picture": upload(b"GIF89a nothing more")}, **JSON)
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] and error["message"] and error["detail"]["rule"]
    assert not TrainingImage.objects.exists()
    assert not Blob.objects.exists()


def test_a_picture_can_be_taken_away_by_its_owner_alone(mia: Client, ben: Client, base: Any) -> None:
    facts = mia.post("/train/pictures", {"picture": upload(samples.picture())}, **JSON).json()
    ben.delete(facts["remove"])
    assert TrainingImage.objects.count() == 1
    assert mia.delete(facts["remove"]).status_code == 204
    assert not TrainingImage.objects.exists()


def test_training_pictures_are_seen_by_their_owner_alone(mia: Client, ben: Client, client: Client) -> None:
    address = mia.post("/train/pictures", {"picture": upload(samples.picture())}, **JSON).json()["url"]
    moderator = Client()
    moderator.force_login(factories.user("mod", moderator=True), "django.contrib.auth.backends.ModelBackend")
    assert mia.get(address).status_code == 200
    assert [browser.get(address).status_code for browser in (ben, client, moderator)] == [404, 404, 404]


def test_pictures_can_be_sent_with_the_form_where_scripts_are_off(mia: Client, base: Any) -> None:
    files = [upload(samples.picture(colour=colour), f"{colour}.png") for colour in ("red", "blue", "green")]
    assert run_of(mia.post("/train", form(pictures=files))).images.count() == 3


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"name": "moss"}, "already know the word moss"),
        ({"name": "Moss Glow!"}, "small letters"),
        ({"consent": ""}, "may use these pictures"),
        ({"max_steps": "999999"}, "outside 1 to 10000"),
        ({"lr": "fast"}, "Enter a number"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_the_pictures_stay(
    mia: Client, base: Any, kept: Any, maker: Viewer, changes: dict[str, str], says: str
) -> None:
    ids = [str(one) for one in kept(maker)]
    answer = mia.post("/train", form(picture=ids, **changes))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert says in page
    assert all(one in page for one in ids)
    assert not TrainingRun.objects.exists()
    assert not Embedding.objects.exists()


def test_all_that_is_wrong_is_said_at_once(mia: Client, base: Any) -> None:
    answer = mia.post("/train", form(name="Moss Glow!", consent="", max_steps="many"))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"name", "consent", "pictures", "max_steps"}
    empty = mia.post("/train", {"key": str(uuid.uuid4())})
    assert empty.status_code == 422
    assert {"name", "kind", "preset", "licence", "consent", "pictures"} <= set(empty.context["form"].errors)
    assert all(len(errors) == 1 for errors in empty.context["form"].errors.values())
    assert not TrainingRun.objects.exists()


def test_the_shape_of_pictures_is_an_advanced_setting(
    mia: Client, base: Any, kept: Any, maker: Viewer
) -> None:
    assert b"each picture keeps its shape" in mia.get("/train").content
    sent = form(picture=[str(one) for one in kept(maker)], crop="buckets")
    assert run_of(mia.post("/train", sent)).recipe["crop"] == "buckets"


def test_a_taken_name_is_said_beside_the_name(mia: Client, base: Any, kept: Any, maker: Viewer) -> None:
    factories.published("mia", "moss-glow")
    answer = mia.post("/train", form(picture=[str(one) for one in kept(maker)]))
    assert answer.status_code == 422
    assert "is taken" in answer.content.decode()


def test_a_form_without_pictures_asks_for_them(mia: Client, base: Any) -> None:
    answer = mia.post("/train", form())
    assert answer.status_code == 422
    assert "Add pictures first" in answer.content.decode()


def test_a_second_press_leads_to_the_same_run(mia: Client, base: Any, kept: Any, maker: Viewer) -> None:
    sent = form(picture=[str(one) for one in kept(maker)])
    assert run_of(mia.post("/train", sent)) == run_of(mia.post("/train", sent))


def test_a_waiting_run_says_what_it_waits_for_and_its_place(mia: Client, submit: Submit) -> None:
    submit()
    second = submit(name="moss-dim")
    live = mia.get(f"/runs/{second.id}/events").json()
    assert (live["state"], live["running"], live["over"]) == ("queued", False, False)
    assert live["says"]


def test_the_live_page_gets_what_is_new_since_the_last_time(mia: Client, submit: Submit) -> None:
    run = submit()
    claim = leases.claim(run.id, "one")
    assert claim is not None
    with leases.held(claim) as row:
        recording.enter(row, "training")
        recording.add_progress(row, points=[[1, 0.9, 0.8, 0.1]], latest={"seconds_left": 12.3}, seconds=1)
    live = mia.get(f"/runs/{run.id}/events?after=0").json()
    assert (live["points"], live["left"], live["running"]) == ([[1, 0.9, 0.8, 0.1]], 12, True)
    again = mia.get(f"/runs/{run.id}/events?after={live['last']}").json()
    assert again["points"] == []
    assert mia.get(f"/runs/{run.id}/events?after=x").status_code == 200


def test_the_live_page_tells_errors_length_and_what_happened(mia: Client, submit: Submit) -> None:
    run = submit()
    latest = {"loss": 0.2, "fixed_loss": 0.1, "norm_max": 1.5, "samples_per_second": 8.0}
    recording.add_progress(run, points=[[1, 0.2, 0.1, 1e-3]], latest=latest, seconds=1)
    first = mia.get(f"/runs/{run.id}/events").json()
    assert (first["error"], first["fixed"], first["norm"], first["speed"]) == (0.2, 0.1, 1.5, 8.0)
    assert [one["said"] for one in first["log"]] == ["Waiting."]
    recording.add_event(run, "note", step=1, text="A picture was odd.")
    then = mia.get(f"/runs/{run.id}/events?after={first['last']}").json()
    assert [one["said"] for one in then["log"]] == ["A picture was odd."]


def test_stop_is_a_press_and_never_a_link(mia: Client, submit: Submit) -> None:
    run = submit()
    assert mia.get(f"/runs/{run.id}/cancel").status_code == 405
    mia.post(f"/runs/{run.id}/cancel")
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert "You stopped this run" in mia.get(f"/runs/{run.id}").content.decode()


def test_a_failure_says_whose_fault_it_was(mia: Client, submit: Submit) -> None:
    run = submit()
    facts = {"state": "failed", "message": "The pictures are black.", "detail": "/secret/path"}
    TrainingRun.objects.filter(pk=run.pk).update(fault="recipe", **facts)
    page = mia.get(f"/runs/{run.id}").content.decode()
    assert "cannot work with these settings or pictures" in page
    assert "The pictures are black." in page
    TrainingRun.objects.filter(pk=run.pk).update(fault="machine")
    page = mia.get(f"/runs/{run.id}").content.decode()
    assert "not your fault" in page
    assert "/secret/path" not in page


@pytest.mark.parametrize("part", ["", "/events"])
def test_the_run_of_somebody_else_does_not_exist(ben: Client, submit: Submit, part: str) -> None:
    real, none = submit().id, uuid.uuid4()
    assert [ben.get(f"/runs/{one}{part}").status_code for one in (real, none)] == [404, 404]
    assert [ben.post(f"/runs/{one}/cancel").status_code for one in (real, none)] == [404, 404]


@pytest.mark.usefixtures("child")
def test_a_finished_run_is_looked_over_and_published_with_one_press(mia: Client, submit: Submit) -> None:
    run = submit()
    worker.run_training.fn(str(run.id))
    page = mia.get(f"/runs/{run.id}").content.decode()
    assert "Look it over, then publish" in page
    assert "a picture of" in page
    answer = mia.post(f"/runs/{run.id}/publish")
    assert answer["Location"] == "/mia/moss-glow"
    version = Version.objects.get(run_key=run.id)
    assert (version.state, version.number) == ("published", 1)
    assert mia.post(f"/runs/{run.id}/publish")["Location"] == "/mia/moss-glow"
    assert "Published as v1" in mia.get(f"/runs/{run.id}").content.decode()


@pytest.mark.usefixtures("child")
def test_a_draft_can_be_thrown_away_and_its_name_used_again(mia: Client, submit: Submit) -> None:
    run = submit()
    worker.run_training.fn(str(run.id))
    mia.post(f"/runs/{run.id}/discard")
    assert not Version.objects.exists()
    assert "thrown away" in mia.get(f"/runs/{run.id}").content.decode()
    assert submit().embedding_id == run.embedding_id


def test_the_list_of_runs_asks_the_same_number_of_questions_for_any_length(
    mia: Client, submit: Submit, django_assert_max_num_queries: Any
) -> None:
    assert "Nothing learned yet" in mia.get("/runs").content.decode()
    for number in range(4):
        run = submit(name=f"moss-{'abcd'[number]}-glow")
        TrainingRun.objects.filter(pk=run.pk).update(state="done")
    with django_assert_max_num_queries(10):
        page = mia.get("/runs").content.decode()
    assert page.count("run-line") == 4


def test_the_picture_form_has_no_other_door(mia: Client) -> None:
    assert mia.get("/train/pictures").status_code == 405
    answer = mia.post("/train/pictures", {}, **JSON)
    assert answer.status_code == 400
    assert json.loads(io.BytesIO(answer.content).read())["error"]["code"] == "file_missing"
