"""The shared fixture files: synthetic files in the layout of every tool, with a manifest of what they are."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hub.formats import inspect_file, layouts_for, read, tensor_digest, write_layout

FOLDER = Path(
    os.environ.get("GLOSSA_FIXTURES", Path(__file__).resolve().parents[3] / "shared" / "fixtures")
).joinpath("embeddings")
if not FOLDER.is_dir():
    pytest.skip("the shared fixtures are not beside this checkout", allow_module_level=True)
ENTRIES = json.loads((FOLDER / "manifest.json").read_text())["files"]
READ = [entry for entry in ENTRIES if entry["file"].endswith(".safetensors")]
OTHER = [entry for entry in ENTRIES if not entry["file"].endswith(".safetensors")]


def name_of(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def expected_family(entry: dict[str, Any]) -> str:
    """The manifest says where a file came from; half of a pair, read alone, is what its width says."""
    if entry["family"] == "sdxl-half":
        return "clip_g" if "_embeds_2" in entry["file"] else "sd1"
    return str(entry["family"])


@pytest.mark.parametrize("entry", READ, ids=name_of)
def test_fixture_is_read_to_the_facts_of_the_manifest(entry: dict[str, Any]) -> None:
    record: Any = inspect_file(FOLDER / entry["file"])
    assert record["verdict"] == ("ask" if expected_family(entry) == "clip_g" else "accept")
    assert (record["container"], record["layout"]) == ("safetensors", entry["layout"])
    assert record["family"] == expected_family(entry)
    assert record["digests"]["sha256"] == entry["sha256"]
    assert {encoder["dtype"] for encoder in record["encoders"]} == {entry["dtype"]}
    assert {encoder["vectors"] for encoder in record["encoders"]} == {entry["vectors"]}
    widths = sorted(shape[-1] for shape in entry["slots"].values())
    assert sorted(encoder["width"] for encoder in record["encoders"]) == widths
    word = (entry["token"] or Path(entry["file"]).stem).strip("<>")
    assert record["trigger"] == word


@pytest.mark.parametrize("entry", READ, ids=name_of)
def test_fixture_survives_the_way_into_every_layout(entry: dict[str, Any]) -> None:
    data = read(FOLDER / entry["file"])
    for layout, filename in layouts_for(data.family, data.trigger):
        again = read(write_layout(data, layout, trigger=data.trigger), filename=filename)
        if not layout.startswith("diffusers") or len(data.tensors) == 1:
            assert tensor_digest(again.tensors) == tensor_digest(data.tensors)


def test_half_of_a_pair_comes_with_a_warning() -> None:
    record: Any = inspect_file(FOLDER / "fx-sdxl-pair_learned_embeds.safetensors")
    assert "width 1280" in record["warnings"][0]


@pytest.mark.parametrize("entry", OTHER, ids=name_of)
def test_other_container_is_named_and_refused(entry: dict[str, Any]) -> None:
    record: Any = inspect_file(FOLDER / entry["file"])
    assert (record["verdict"], record["rule"]) == ("refuse", "F1")
    assert record["container"] in ("torch-zip", "torch-legacy", "image")
