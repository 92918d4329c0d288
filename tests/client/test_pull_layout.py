"""`glossa pull --layout`: a word's file in the layout that somebody wants, made by the hub where it is not stored."""

from pathlib import Path

import pytest

from hub.formats import read
from hub.models.digest import Conversion
from tests import factories
from tests.client.runner import Glossa

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs")]


def test_a_layout_that_nobody_has_asked_for_is_made_checked_and_put_in_place(
    glossa: Glossa, tmp_path: Path
) -> None:
    word = factories.published("mara", "moss-glow", family="sd1")
    assert not Conversion.objects.exists()
    said = glossa(
        "pull", "mara/moss-glow", "--layout", "webui-image", "--dir", tmp_path / "out", "--json"
    ).record
    (one,) = said["placed"]
    data = (tmp_path / "out" / "moss-glow.png").read_bytes()
    made = Conversion.objects.get()
    assert (said["tool"], one["sha256"], made.layout) == (None, made.blob_id, "webui-image")
    carried = read(data, filename="moss-glow.png")
    assert (carried.trigger, carried.family) == ("moss-glow", word.versions.get().family)
    again = glossa(
        "pull", "mara/moss-glow", "--layout", "webui-image", "--dir", tmp_path / "out", "--json"
    ).record
    assert (again["placed"], again["kept"]) == ([], ["moss-glow.png"])


def test_several_words_of_one_layout_lie_beside_each_other(glossa: Glossa, tmp_path: Path) -> None:
    factories.published("mara", "moss-glow", family="sd1")
    factories.published("mara", "ink-wash", family="tiny")
    glossa("pull", "mara/moss-glow", "mara/ink-wash", "--layout", "diffusers", "--dir", tmp_path / "out")
    for trigger in ("moss-glow", "ink-wash"):
        assert read(
            (tmp_path / "out" / f"{trigger}.safetensors").read_bytes(), filename="x.safetensors"
        ).trigger == (trigger)


def test_with_a_tool_it_lies_where_the_tool_looks_if_the_tool_loads_it(
    glossa: Glossa, tmp_path: Path
) -> None:
    factories.published("mara", "moss-glow", family="sd1")
    glossa(
        "pull", "mara/moss-glow", "--layout", "webui-image", "--tool", "forge", "--dir", tmp_path / "forge"
    )
    assert (tmp_path / "forge" / "embeddings" / "moss-glow.png").is_file()
    pull = ("pull", "mara/moss-glow", "--layout", "onetrainer")
    refused = glossa(*pull, "--tool", "comfyui", "--dir", tmp_path, ok=False)
    assert refused.code == 3 and "ComfyUI does not load onetrainer" in refused.err


def test_what_is_not_to_be_had_is_refused_with_what_there_is(glossa: Glossa, tmp_path: Path) -> None:
    factories.published("mara", "ink-wash", family="tiny")
    refused = glossa("pull", "mara/ink-wash", "--layout", "onetrainer", "--dir", tmp_path, ok=False)
    assert refused.code == 3
    assert "mara/ink-wash@v1 is not to be had as onetrainer; there are canonical, diffusers." in refused.err
    pickle = glossa("pull", "mara/ink-wash", "--layout", "webui-pt", "--dir", tmp_path, ok=False)
    assert pickle.code == 2 and "webui-image" in pickle.err
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == []
