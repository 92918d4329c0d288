"""What is said of each picture: what else is in it, so that the word need not learn it, and which part is kept."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, expect

from hub.access import Viewer
from hub.errors import Unacceptable
from tests import samples
from tests.parts.browser import PATIENCE
from trainer.engine import framing
from trainer.models import TrainingImage, TrainingRun
from trainer.workspace import write_pictures

Submit = Callable[..., TrainingRun]
BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def mia(maker: Viewer) -> Client:
    """The maker's browser."""
    client = Client()
    assert maker.user is not None
    client.force_login(maker.user, backend=BACKEND)
    return client


def form(ids: list[str], **changes: Any) -> dict[str, Any]:
    """The wizard's form with pictures."""
    fixed = {"name": "moss-glow", "kind": "style", "preset": "quick", "base_model": "tiny", "picture": ids}
    return {**fixed, "licence": "cc0-1.0", "consent": "on", "key": str(uuid.uuid4()), **changes}


def captions(run: TrainingRun) -> list[str]:
    """In the order of the pictures."""
    return list(run.images.order_by("position").values_list("caption", flat=True))


@pytest.mark.django_db
def test_captions_go_to_their_pictures_and_the_recipe_learns_with_them(
    submit: Submit, kept: Any, maker: Viewer
) -> None:
    ids = kept(maker)
    run = submit(picture_ids=ids, captions={str(ids[1]): " by a lake, at dawn "})
    assert captions(run) == ["", "by a lake, at dawn", ""]
    assert run.recipe["captions"] is True
    assert submit(name="moss-dim").recipe["captions"] is False


@pytest.mark.django_db
def test_captions_of_files_go_by_the_name_of_the_file(submit: Submit, pictures: Any) -> None:
    run = submit(pictures=pictures, captions={"picture-2.png": "on sand"})
    assert captions(run) == ["", "", "on sand"]


@pytest.mark.django_db
def test_settings_can_switch_captions_off_all_the_same(submit: Submit, kept: Any, maker: Viewer) -> None:
    ids = kept(maker)
    run = submit(picture_ids=ids, captions={str(ids[0]): "on sand"}, settings={"captions": False})
    assert run.recipe["captions"] is False


@pytest.mark.django_db
def test_a_caption_longer_than_a_prompt_is_refused_with_its_length(
    submit: Submit, kept: Any, maker: Viewer
) -> None:
    ids = kept(maker)
    with pytest.raises(Unacceptable, match="at most 400 characters; one here has 401"):
        submit(picture_ids=ids, captions={str(ids[0]): "x" * 401})
    assert not TrainingRun.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("static_files")
def test_what_was_typed_stays_when_the_form_comes_back(
    mia: Client, base: Any, kept: Any, maker: Viewer
) -> None:
    ids = [str(one) for one in kept(maker)]
    answer = mia.post("/train", form(ids, consent="", captions="on", **{f"caption-{ids[0]}": "under a tree"}))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "under a tree" in page and "data-captions checked" in page


@pytest.mark.django_db
@pytest.mark.usefixtures("static_files")
def test_without_the_tick_nothing_typed_is_used(mia: Client, base: Any, kept: Any, maker: Viewer) -> None:
    ids = [str(one) for one in kept(maker)]
    mia.post("/train", form(ids, **{f"caption-{ids[0]}": "under a tree"}))
    run = TrainingRun.objects.get()
    assert captions(run) == ["", "", ""] and run.recipe["captions"] is False


@pytest.mark.django_db
def test_the_kept_end_of_an_oblong_picture_is_where_the_engine_looks(
    submit: Submit, tmp_path: Path, settings: Any
) -> None:
    files = []
    for name, size in (("tall.png", (96, 192)), ("wide.png", (192, 96)), ("square.png", (96, 96))):
        (tmp_path / name).write_bytes(samples.picture(size=size, colour="navy"))
        files.append((tmp_path / name, name))
    run = submit(pictures=files, ends={"tall.png": "start", "wide.png": "end", "square.png": "start"})
    assert run.recipe["crop"] == "focus"
    assert [one["focus"] for one in write_pictures(run, tmp_path)] == [[0, 0, 1, 0.5], [0.5, 0, 1, 1], None]
    first = run.images.order_by("position")[0]
    box = tuple(first.facts["focus"])
    assert framing.frame((96, 192), (64, 64), box).box == (0, 0, 96, 96)


@pytest.mark.django_db
@pytest.mark.usefixtures("static_files")
def test_the_kept_part_stays_when_the_form_comes_back_and_goes_with_the_run(
    mia: Client, base: Any, kept: Any, maker: Viewer
) -> None:
    ids = [str(one) for one in kept(maker)]
    TrainingImage.objects.filter(pk=ids[0]).update(width=96, height=192)
    chosen = {f"end-{ids[0]}": "end"}
    page = mia.post("/train", form(ids, consent="", **chosen)).content.decode()
    assert '<option value="end" selected>the bottom</option>' in page
    mia.post("/train", form(ids, **chosen))
    run = TrainingRun.objects.get()
    assert [image.facts.get("focus") for image in run.images.order_by("position")] == [
        [0, 0.5, 1, 1],
        None,
        None,
    ]


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("static_files")
def test_a_text_file_dropped_with_a_picture_is_its_caption(
    mia: Client, base: Any, live_server: object, chromium: Browser, tmp_path: Path
) -> None:
    url, name = str(live_server), settings.SESSION_COOKIE_NAME
    for stem, colour in (("lake", "navy"), ("wood", "seagreen")):
        (tmp_path / f"{stem}.png").write_bytes(samples.picture(size=(96, 160), colour=colour))
    (tmp_path / "wood.txt").write_text("among ferns\n")
    context = chromium.new_context(base_url=url, viewport={"width": 390, "height": 844})
    context.add_cookies([{"name": name, "value": mia.cookies[name].value, "url": url}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/train")
    box = page.get_by_role("checkbox", name="Say what else is in each picture")
    expect(box).to_be_hidden()
    page.locator("[data-pictures]").set_input_files(
        [tmp_path / f for f in ("lake.png", "wood.png", "wood.txt")]
    )
    expect(page.locator(".picked [data-sha]")).to_have_count(2)
    expect(box).to_be_checked()
    expect(page.get_by_label("What else is in wood.png")).to_have_value("among ferns")
    page.get_by_label("What else is in lake.png").fill("by a lake")
    page.get_by_label("Which part of lake.png is kept").select_option("the top")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_label("Name", exact=True).fill("moss-glow")
    page.get_by_label("I may use these pictures").check()
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")
    found = dict(TrainingImage.objects.values_list("source_name", "caption"))
    assert found == {"lake.png": "by a lake", "wood.png": "among ferns"}
    assert TrainingRun.objects.get().recipe["crop"] == "focus"
    context.close()
