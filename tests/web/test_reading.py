"""Texts of the pages: cards and documentation, how to use a word, the sheet, how it was made, health."""

import pytest

from hub.catalog.shapes import Picture
from hub.web import provenance, usage
from hub.web.embedding import nearest_words
from hub.web.sheet import arrange
from hub.wire import prose


def subject(**changes):
    facts = {"owner": "ada", "name": "moss", "trigger": "moss-glow", "family": "sd1", "kind": "style"}
    return usage.Subject(**{**facts, "revision": "v2", "hub": "https://hub.test", **changes})


def tab(tabs, name):
    return next(one for one in tabs if one.id == name)


@pytest.mark.parametrize(
    "text",
    ["<script>alert(1)</script>", "[x](javascript:alert(1))", "![x](https://elsewhere/x.png)", "<img src=x>"],
)
def test_a_card_carries_no_code_and_no_foreign_picture(text):
    html = prose.card(text)
    assert "<script" not in html and "href" not in html and "<img" not in html


def test_headings_of_a_card_stand_below_those_of_the_page():
    assert prose.card("# Moss") == "<h3>Moss</h3>\n"


def test_a_heading_of_the_documentation_can_be_linked_to():
    assert '<h2 id="every-setting-of-a1111">' in prose.documentation("## Every `setting` of A1111")


def test_links_between_documentation_pages_lead_to_pages():
    assert 'href="/docs/settings#names"' in prose.documentation("[x](settings.md#names)")
    assert 'href="/docs/tools-forge"' in prose.documentation("[x](../tools/forge.md)")
    assert 'href="https://example.org/a.md"' in prose.documentation("[x](https://example.org/a.md)")


def test_each_tool_gets_the_word_its_own_way():
    tabs = usage.usages(subject())
    assert [one.id for one in tabs] == [
        "diffusers", "webui", "comfyui", "invokeai", "sdnext", "sdcpp", "onetrainer", "terminal",
    ]  # fmt: skip
    assert tab(tabs, "webui").prompt == "a picture in the style of moss-glow"
    assert tab(tabs, "comfyui").prompt == "a picture in the style of embedding:moss-glow"
    assert tab(tabs, "invokeai").prompt == "a picture in the style of <moss-glow>"


def test_only_tools_that_load_the_family_are_named():
    assert [one.id for one in usage.usages(subject(family="tiny"))] == ["diffusers", "terminal"]


def test_layouts_made_on_request_have_their_line_in_the_terminal():
    code = tab(usage.usages(subject()), "terminal").code
    assert "'https://hub.test/ada/moss/versions/2?layout=webui-image'" in code
    assert "layout=" not in tab(usage.usages(subject(family="tiny")), "terminal").code
    assert "webui-pt" not in code


def test_two_encoders_are_loaded_by_two_calls():
    code = tab(usage.usages(subject(family="sdxl")), "diffusers").code
    assert code.count("load_textual_inversion") == 2 and "learned_embeds_2.safetensors" in code


def test_a_negative_word_goes_into_the_negative_prompt():
    code = tab(usage.usages(subject(kind="negative")), "diffusers").code
    assert 'negative_prompt="moss-glow"' in code


@pytest.mark.parametrize("is_private", [True, False])
def test_a_private_word_is_pulled_with_a_token(is_private):
    tabs = usage.usages(subject(is_private=is_private))
    assert ("HF_TOKEN" in tab(tabs, "diffusers").code) is is_private
    assert ("Bearer" in tab(tabs, "terminal").code) is is_private


def test_the_code_compiles():
    for family in ("tiny", "sd1", "sd2", "sdxl"):
        compile(tab(usage.usages(subject(family=family)), "diffusers").code, family, "exec")


def cell(block, row, column, **more):
    return Picture(f"{block}{row}{column}", "png", 64, 64, "", block=block, row=row, column=column, **more)


def test_pictures_meet_their_controls():
    sheet = arrange([cell("A", 0, 0), cell("B", 1, 0), cell("C", 0, 0), cell("C", 2, 0), cell("D", 0, 0)])
    assert sheet.faithful[0].pairs[0].control.sha256 == "C00"
    assert sheet.obedient[0].pairs[0].control.sha256 == "C20"
    assert len(sheet.intact) == 1


def test_a_negative_word_is_shown_with_and_without_it():
    sheet = arrange([cell("G", 0, 0), cell("G", 1, 0, is_control=True), cell("G", 2, 0)])
    assert sheet.cover.control.sha256 == "G10"
    assert sheet.negative[1].pairs[0].control is None


def test_own_prompts_stand_apart_and_say_where_the_word_is():
    own = [cell("H", 0, 0), cell("H", 1, 0, is_control=True), cell("H", 2, 0, negative_prompt="moss-glow")]
    sheet = arrange([cell("A", 0, 0), *own])
    assert sheet.cover.picture.sha256 == "A00"
    assert sheet.own[0].pairs[0].control.sha256 == "H10"
    assert [row.is_negative for row in sheet.own] == [False, True]


def test_a_sheet_without_pictures_is_empty():
    assert arrange([]).is_empty


def test_provenance_shows_what_is_known_and_survives_any_claim():
    rows = dict(provenance.rows({"steps": 250, "stopped_by": "learned", "recipe": {"lr": 0.008}, "seed": 0}))
    assert rows == {"Steps": "250, had learned it", "Learning rate": "0.008", "Seed": "0"}
    assert provenance.rows({"recipe": 7, "versions": "x", "base_digest": 3, "stopped_by": []}) is not None


def test_nearest_words_are_told_for_each_vector():
    near = nearest_words(
        {"encoders": [{"slot": "emb_params", "nearest": [[{"word": "fog", "cosine": 0.4}], []]}]}
    )
    assert [row["number"] for row in near] == [1, 2]
    assert nearest_words({}) == []


@pytest.mark.django_db
def test_health_pages_say_only_yes_or_no(client):
    assert client.get("/healthz").content == b"ok"
    assert client.get("/readyz").content == b"ok"


@pytest.mark.django_db
def test_a_probe_may_ask_for_health_by_any_host_name_and_nothing_else(client):
    assert client.get("/healthz", HTTP_HOST="172.17.0.5:8000").status_code == 200
    assert client.get("/readyz", HTTP_HOST="site").status_code == 200
    assert client.get("/docs", HTTP_HOST="site").status_code == 400


@pytest.mark.django_db
def test_documentation_is_listed_and_read(client):
    assert "/docs/settings" in client.get("/docs").content.decode()
    assert "HUB_DATA_DIR" in client.get("/docs/settings").content.decode()
    assert client.get("/docs/no-such-page").status_code == 404
