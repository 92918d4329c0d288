"""Before anything is started the wizard shows the very prompts that a word is taught with."""

import json
from typing import Any

import pytest
from django.test import Client

from hub.access import Viewer
from tests import factories
from tests.trainer.test_pages import form
from trainer import prompts, runs
from trainer.base_folder import BUNDLED
from trainer.services import bases

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("static_files")]


def test_prompts_are_those_of_the_kind_each_once(base: Any) -> None:
    found = runs.prompts("tiny", "object", vectors=4)
    assert [one.text for one in found] == list(prompts.templates("object"))
    # "a photo of a [name]": four words, and four vectors.
    assert (found[0].places, found[0].is_long, found[0].teaches) == (8, False, True)


def test_prompts_of_a_base_that_brings_its_own_are_its_own(base: Any) -> None:
    installed = bases.install(BUNDLED, name="own", copy=False)
    (first, *_) = runs.prompts(installed.name, "style")
    assert first.text in json.loads((BUNDLED / "glossa.json").read_text())["templates"]["style"]
    assert first.text not in prompts.templates("style")


def test_captions_and_own_lines_are_put_together_as_the_engine_does(base: Any) -> None:
    lines = ["a [name]", "[filewords], by [name]"]
    found = runs.prompts("tiny", "style", lines=lines, captions=["on moss", "", "one [name] at night"])
    assert [one.text for one in found] == [
        *prompts.training_prompts(lines, "on moss"),
        *prompts.training_prompts(lines, ""),
        "one [name] at night",
    ]
    (long,) = runs.prompts("tiny", "style", lines=["a [name]" + " leaf" * 75])
    assert long.is_long
    (nothing,) = runs.prompts("tiny", "style", lines=["a leaf"])
    assert not nothing.teaches


def test_the_page_shows_them_for_the_form_as_it_stands(maker: Viewer, base: Any) -> None:
    browser = Client()
    address = "/train/prompts"
    assert browser.post(address).status_code in (302, 401, 403)
    browser.force_login(maker.user, backend="django.contrib.auth.backends.ModelBackend")
    said = {"captions": "on", "caption-1": "on <moss>", "templates": "a [name]\n\none of many"}
    page = browser.post(address, form(**said)).content.decode()
    assert "a <b>moss-glow</b>, on &lt;moss&gt;" in page
    assert "lacks [name]" in page
    assert "on &lt;moss&gt;" not in browser.post(address, form(**{**said, "captions": []})).content.decode()
    assert browser.post(address, {}).status_code == 200


def test_the_api_tells_the_same(maker: Viewer, base: Any) -> None:
    address = "/api/hub/v1/training-prompts"
    given = {"templates": ["a [name]", "one of many"], "captions": ["on moss"], "trigger": "moss-glow"}

    def answer(body: dict[str, Any], *scopes: str) -> Any:
        token = factories.bearer("mia", *scopes)
        return Client().post(address, body, content_type="application/json", headers=token)

    told = answer(given, "train").json()["items"]
    assert [(one["text"], one["teaches"]) for one in told] == [
        ("a moss-glow, on moss", True), ("one of many, on moss", False),
    ]  # fmt: skip
    assert all(0 < one["places"] < 75 and not one["is_long"] for one in told)
    assert "[name]" in answer({"kind": "object"}, "train").json()["items"][0]["text"]
    assert answer({"templates": ["a"] * 201}, "train").status_code == 422
    assert answer(given, "read").status_code == 403
    assert Client().post(address, given, content_type="application/json").status_code == 401
