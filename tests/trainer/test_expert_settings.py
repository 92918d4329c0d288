"""Every setting of a recipe can be said on the page: advanced ones below a fold, the rest below another one."""

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from tests.trainer.test_pages import form, run_of
from trainer.models import TrainingRun
from trainer.recipe import Recipe

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]
Submit = Callable[..., TrainingRun]


@pytest.fixture
def browser(maker: Viewer) -> Client:
    """The maker's browser."""
    client = Client()
    client.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    return client


EXPERT = {
    "optimizer": ("prodigy", "prodigy"),
    "lr": ("0.5", 0.5),
    "lr_schedule": ("0.5:100, 1e-1", "0.5:100, 1e-1"),
    "initializer_mode": ("random", "random"),
    "accumulate": ("2", 2),
    "templates": ("a [name]\r\n\r\n[name], [filewords]\r\n", ["a [name]", "[name], [filewords]"]),
    "preview_prompts": (" [name] on a mug\r\n\r\na [name] stamp", ["[name] on a mug", "a [name] stamp"]),
    "warmup": ("0.1", 0.1),
    "weight_decay": ("0.01", 0.01),
    "patience": ("5", 5),
    "average": ("0", 0.0),
    "norm": ("soft", "soft"),
    "grad_clip": ("off", None),
    "timesteps": ("100-900", "100-900"),
    "min_snr_gamma": ("3", 3.0),
    "noise_offset": ("0.02", 0.02),
    "resolution": ("128", 128),
    "mask": ("alpha", "alpha"),
    "mask_outside": ("0.2", 0.2),
    "background": ("#102030", "#102030"),
    "long_prompts": ("chunks", "chunks"),
    "context_reg": ("0.1", 0.1),
    "clip_skip": ("2", 2),
    "precision": ("fp32", "fp32"),
    "compile": ("true", True),
    "seed": ("9223372036854775807", 2**63 - 1),
}


def test_every_setting_of_a_recipe_has_a_field(browser: Client, base: Any, kept: Any, maker: Viewer) -> None:
    page = browser.get("/train").content.decode()
    own = {"trigger", "kind", "family", "initializer", "initializer_file", "base", "preset", "captions"}
    for name in {spec.name for spec in dataclasses.fields(Recipe)} - own:
        assert f'name="{name}"' in page, name
    words = {"initializer": "flat style"} | {name: word for name, (word, _) in EXPERT.items()}
    run = run_of(browser.post("/train", form(picture=[str(one) for one in kept(maker)], **words)))
    assert {name: run.recipe[name] for name in EXPERT} == {name: value for name, (_, value) in EXPERT.items()}


def test_a_run_trained_again_has_every_setting_filled_in(browser: Client, submit: Submit) -> None:
    settings = {name: value for name, (_, value) in EXPERT.items()}
    run = submit(initializer="flat style", settings=settings)
    again = browser.post(f"/runs/{run.id}/again", follow=True)
    filled = again.context["form"].initial | {"key": "", "picture": [], "consent": "on"}
    sent = {name: value for name, value in filled.items() if value is not None}
    sent["picture"] = [str(one["id"]) for one in again.context["pictures"]]
    sent |= {"name": "moss-again", "trigger": "moss-again", "key": str(uuid.uuid4())}
    second = run_of(browser.post("/train", sent)).recipe
    assert {name: second[name] for name in settings} == settings


def test_the_page_of_a_run_says_what_was_chosen_otherwise(browser: Client, submit: Submit) -> None:
    assert browser.get(f"/runs/{submit().id}").context["changed"] == []
    run = submit(
        name="moss-new", settings={"norm": "soft", "grad_clip": None, "warmup": 0.1, "compile": True}
    )
    page = browser.get(f"/runs/{run.id}")
    told = {"Length of the vectors": "soft", "Largest step": "off", "Warm-up": "0.1"}
    told["Compile the base for training"] = "yes"
    assert dict(page.context["changed"]) == told
    assert all(f"<dt>{label}</dt><dd>{value}</dd>" in page.content.decode() for label, value in told.items())


def test_preview_prompts_of_ones_own_are_checked_and_told(
    browser: Client, base: Any, kept: Any, maker: Viewer, submit: Submit
) -> None:
    pictures = [str(one) for one in kept(maker)]
    for lines, said in (
        ("a mug", "lacks [name], so the word would not be shown."),
        ("\n".join("abcde").replace("\n", " [name]\n") + " [name]", "Use at most 4 lines; here are 5."),
        ("[name] " * 60, "A line has at most 400 characters."),
    ):
        answer = browser.post("/train", form(picture=pictures, preview_prompts=lines))
        assert answer.status_code == 422 and answer.context["unfold"]
        assert said in answer.context["form"].errors["preview_prompts"][0]
    run = submit(settings={"preview_prompts": ["<[name]> on a mug"]})
    assert "<li>&lt;[name]&gt; on a mug</li>" in browser.get(f"/runs/{run.id}").content.decode()


def test_a_wrong_expert_setting_is_shown_where_it_is(
    browser: Client, base: Any, kept: Any, maker: Viewer
) -> None:
    answer = browser.post("/train", form(picture=[str(one) for one in kept(maker)], grad_clip="lots"))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == ["grad_clip"]
    assert answer.context["unfold"] and answer.context["unfold_expert"]
    crossed = form(picture=[str(one) for one in kept(maker)], initializer_mode="cross", initializer="star")
    assert run_of(browser.post("/train", crossed)).recipe["norm"] == "off"
