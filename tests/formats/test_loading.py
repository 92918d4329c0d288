"""Which tool loads which file: the table against what the tools' own loaders did with the fixtures."""

import json
import os
from pathlib import Path

import pytest

from hub.formats.inspection import examine
from hub.formats.loading import NO, TOOLS, YES, loads, prompt_word

FIXTURES = Path(
    os.environ.get("GLOSSA_FIXTURES", Path(__file__).resolve().parents[3] / "shared" / "fixtures")
)
MANIFEST = FIXTURES / "embeddings" / "manifest.json"
NAMES = {"comfy": "comfyui", "invoke": "invokeai"}
# Where the manifest has only yes and no, the table knows more: a part that loads, or two calls that a person writes.
IN_PART = {
    ("fx-paper.pt", "comfyui"),
    ("fx-sd3.safetensors", "a1111"),
    ("fx-pivotal.safetensors", "diffusers"),
    ("fx-sdxl-pair_learned_embeds_2.safetensors", "diffusers"),
}
# Alone it is an SD 1.x file and loads as one; the manifest asks what the half does on SDXL.
AN_SD1_FILE = "fx-sdxl-pair_learned_embeds.safetensors"


def files() -> list[dict]:
    return json.loads(MANIFEST.read_text())["files"] if MANIFEST.exists() else []


@pytest.mark.parametrize("fixture", files(), ids=lambda fixture: fixture["file"])
def test_the_table_says_what_the_loaders_did(fixture):
    name = fixture["file"]
    if name == AN_SD1_FILE:
        return
    facts, _ = examine((FIXTURES / "embeddings" / name).read_bytes(), filename=name)
    told = {one.tool: one.verdict for one in loads(facts, name)}
    for tool, did in fixture["loads"].items():
        tool = NAMES.get(tool, tool)
        if (name, tool) not in IN_PART:
            assert (told[tool] == YES) == did, (tool, told[tool])


def test_a_tool_that_does_not_load_says_why_or_what_to_do():
    facts = {"family": "sd1", "layout": "token-tensor", "container": "safetensors", "encoders": []}
    for one in loads(facts, "x.safetensors"):
        assert one.title == TOOLS[one.tool] and (one.verdict != NO or one.note)
    assert loads({"family": None}, "x") == []


def test_the_word_is_written_as_each_tool_wants_it():
    assert [prompt_word(tool, "moss") for tool in ("a1111", "comfyui", "invokeai")] == [
        "moss",
        "embedding:moss",
        "<moss>",
    ]
