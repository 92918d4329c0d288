"""The shared fixture files: synthetic files in the layout of every tool, with a manifest of what they are."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hub.formats import inspect_file, layouts_for, merge_pair, read, tensor_digest, write_layout

FOLDER = Path(
    os.environ.get("GLOSSA_FIXTURES", Path(__file__).resolve().parents[3] / "shared" / "fixtures")
).joinpath("embeddings")
if not FOLDER.is_dir():
    pytest.skip("the shared fixtures are not beside this checkout", allow_module_level=True)
ENTRIES = json.loads((FOLDER / "manifest.json").read_text())["files"]


def name_of(entry: dict[str, Any]) -> str:
    return str(entry["file"])


def container_of(entry: dict[str, Any]) -> str:
    """The manifest names the container only where the suffix does not tell it."""
    suffix = Path(entry["file"]).suffix
    told = {".safetensors": "safetensors", ".png": "image"}.get(suffix, "torch-zip")
    return str(entry.get("container", told))


def layout_of(entry: dict[str, Any]) -> str:
    """The manifest says `image` of a picture: inside is the dict that the WebUI writes to .pt files."""
    return "string_to_param" if entry["layout"] == "image" else str(entry["layout"])


def expected_trigger(entry: dict[str, Any]) -> str:
    """The token of layouts that are keyed by it, the name inside a picture, else the file's name."""
    told = layout_of(entry) in ("token-tensor", "lora-bundle") or container_of(entry) == "image"
    return str(entry["token"]).strip("<>") if told else Path(entry["file"]).stem


def expected_family(entry: dict[str, Any]) -> str:
    """The manifest says where a file came from; half of a pair, read alone, is what its width says."""
    if entry["family"] == "sdxl-half":
        return "clip_g" if "_embeds_2" in entry["file"] else "sd1"
    return str(entry["family"])


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_fixture_is_read_to_the_facts_of_the_manifest(entry: dict[str, Any]) -> None:
    record: Any = inspect_file(FOLDER / entry["file"])
    assert record["verdict"] == ("ask" if expected_family(entry) == "clip_g" else "accept")
    assert (record["container"], record["layout"]) == (container_of(entry), layout_of(entry))
    assert record["family"] == expected_family(entry)
    assert record["digests"]["sha256"] == entry["sha256"]
    assert {encoder["dtype"] for encoder in record["encoders"]} == {entry["dtype"]}
    assert {encoder["vectors"] for encoder in record["encoders"]} == {entry["vectors"]}
    widths = sorted(shape[-1] for shape in entry["slots"].values())
    assert sorted(encoder["width"] for encoder in record["encoders"]) == widths
    assert record["trigger"] == expected_trigger(entry)


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_what_a_fixture_stores_and_calls_itself_is_kept_as_data(entry: dict[str, Any]) -> None:
    data = read(FOLDER / entry["file"])
    assert data.token == entry["token"]
    assert {name: list(shape) for name, (_dtype, shape) in data.stored.items()} == entry["slots"]
    assert set(data.source_dtypes.values()) == {entry["dtype"]}
    assert bool(data.question) == (expected_family(entry) == "clip_g")
    negative = data.metadata.get("modelspec.is_negative_embedding") == "true"
    assert negative == entry.get("negative", False)


def test_pair_of_fixtures_is_one_embedding() -> None:
    halves = [read(FOLDER / entry["file"]) for entry in ENTRIES if entry["family"] == "sdxl-half"]
    merged = merge_pair(*reversed(halves))
    assert (merged.family, merged.vectors, merged.token) == ("sdxl", 2, "<fx-xl>")
    assert list(merged.tensors) == ["clip_l", "clip_g"]


@pytest.mark.parametrize("entry", ENTRIES, ids=name_of)
def test_fixture_survives_the_way_into_every_layout(entry: dict[str, Any]) -> None:
    data = read(FOLDER / entry["file"])
    for layout, filename in layouts_for(data.family, data.trigger):
        again = read(write_layout(data, layout, trigger=data.trigger), filename=filename)
        if not layout.startswith("diffusers") or len(data.tensors) == 1:
            assert tensor_digest(again.tensors) == tensor_digest(data.tensors)


def test_half_of_a_pair_comes_with_a_warning() -> None:
    record: Any = inspect_file(FOLDER / "fx-sdxl-pair_learned_embeds.safetensors")
    assert "width 1280" in record["warnings"][0]
