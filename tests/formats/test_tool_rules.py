"""Every file that is written loads in the tools it is said to load in, by the rules of those tools."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from hub.formats import FAMILIES, layouts_for, tools_for, write_canonical, write_layout
from hub.formats.inspection import examine
from hub.formats.loading import loads
from tests import samples
from tests.formats import tool_rules
from tests.formats.tool_rules import ENCODERS, RULES, raw

FIXTURES = Path(
    os.environ.get("GLOSSA_FIXTURES")
    or Path(__file__).resolve().parents[3] / "shared" / "fixtures" / "embeddings"
)
TRIGGER = "moss-dragon"
TOOLS = ("ComfyUI", "A1111", "Forge", "SD.Next", "InvokeAI", "diffusers", "stable-diffusion.cpp", "kohya")
needs_fixtures = pytest.mark.skipif(not FIXTURES.is_dir(), reason="the sample files are not here")


def torch_saved(obj: object, *, old: bool = True) -> bytes:
    """A pickle as torch saves it; `old` leaves out the records that newer versions add."""
    import torch

    out = io.BytesIO()
    torch.save(obj, out)
    if not old:
        return out.getvalue()
    rewritten = io.BytesIO()
    with zipfile.ZipFile(out) as source, zipfile.ZipFile(rewritten, "w") as target:
        for record in source.infolist():
            name = record.filename.split("/", 1)[1]
            if name in ("data.pkl", "version") or name.startswith("data/"):
                target.writestr(f"archive/{name}", source.read(record))
    return rewritten.getvalue()


def vectors(width: int, count: int = 2):
    import torch

    return torch.randn(count, width, generator=torch.Generator().manual_seed(width))


def written(layout: str, family: str) -> tuple[str, bytes]:
    tensors = {e.slot: samples.tensor(2, e.width, seed=e.width) for e in FAMILIES[family].encoders}
    canonical = write_canonical(tensors, family=family, trigger=TRIGGER)
    return dict(layouts_for(family, TRIGGER))[layout], write_layout(canonical, layout, trigger=TRIGGER)


WRITTEN = [(layout, family) for family in ENCODERS for layout, _ in layouts_for(family)]
# Loads with the T5 part passed over: said as loading, because nothing else is to be had there.
KNOWN_PARTS = {("A1111", "sd3")}


@pytest.mark.parametrize(("layout", "family"), WRITTEN)
def test_a_written_file_loads_in_every_tool_that_it_is_said_to_load_in(layout: str, family: str) -> None:
    filename, data = written(layout, family)
    file = raw(data, filename)
    for tool in tools_for(layout, family):
        wanted = tool_rules.PART if (tool, family) in KNOWN_PARTS else tool_rules.YES
        assert RULES[tool](file, family) == wanted, tool


@pytest.mark.parametrize("family", ENCODERS)
def test_no_tool_that_loads_the_canonical_file_is_left_out(family: str) -> None:
    filename, data = written("canonical", family)
    loading = {
        tool
        for tool in TOOLS
        if tool != "kohya" and RULES[tool](raw(data, filename), family) == tool_rules.YES
    }
    if family == "tiny":
        loading &= {"diffusers"}  # no other tool has a base model of that width
    assert loading <= set(tools_for("canonical", family))


@pytest.mark.parametrize(("layout", "family"), [one for one in WRITTEN if one[1] != "tiny"])
def test_the_answer_of_inspect_agrees_with_the_rules(layout: str, family: str) -> None:
    filename, data = written(layout, family)
    facts, _ = examine(data, filename=filename)
    if facts["family"] != family:
        return  # half of a pair, read alone
    words = {"yes": tool_rules.YES, "no": tool_rules.NO, "part": tool_rules.PART}
    said = {one.title.removesuffix(" scripts"): words[one.verdict] for one in loads(facts, filename)}
    ruled = {tool: RULES[tool](raw(data, filename), family) for tool in TOOLS}
    assert said == ruled


def fixture(name: str, suffix: str = "") -> tuple[bytes, str]:
    return (FIXTURES / name).read_bytes(), name if not suffix else f"x{suffix}"


# Layout, family, the answers in the order of TOOLS, and where the file comes from.
TABLE = [
    ("2.1 old torch", "sd1", "YYYYYYYY", lambda: fixture("fx-webui.pt")),
    ("2.1 torch 2.13", "sd2", "Y-YYYYYY", lambda: fixture("fx-webui-sd2.pt")),
    ("2.1 legacy", "sd1", "YYYYYYYY", lambda: fixture("fx-legacy.pt")),
    ("2.1 .bin", "sd1", "YYY-YY-Y", lambda: fixture("fx-webui.pt", ".bin")),
    ("2.2", "sd1", "~-------", lambda: fixture("fx-paper.pt")),
    (
        "2.2 two tokens",
        "sd1",
        "~--~~~~~",
        lambda: (
            torch_saved({"string_to_param": {"*": vectors(768), "@": vectors(768)}, "name": "x"}),
            "x.pt",
        ),
    ),
    ("2.3 .bin", "sd1", "YYY-YY-Y", lambda: fixture("fx-diffusers-1d.bin")),
    ("2.3", "sd1", "YYYY-YYY", lambda: fixture("fx-diffusers.safetensors")),
    ("2.4", "sdxl", "~----Y~-", lambda: fixture("fx-sdxl-pair_learned_embeds.safetensors")),
    ("2.5", "sd1", "YYYYYYYY", lambda: (samples.embedding_file("sd1"), "x.safetensors")),
    ("2.5 F16", "sd1", "YYYYYY-Y", lambda: fixture("fx-kohya.safetensors")),
    ("2.5 .pt", "sd1", "YYY-YYYY", lambda: (torch_saved({"emb_params": vectors(768)}), "x.pt")),
    ("2.6", "sdxl", "YYYYYYYY", lambda: fixture("fx-sdxl.safetensors")),
    ("2.6 .pt", "sdxl", "YYY-YY~Y", lambda: fixture("fx-sdxl-bf16.pt")),
    ("2.7", "sdxl", "~--Y-YY-", lambda: fixture("fx-pivotal.safetensors")),
    ("2.9", "sd1", "YYYY-YYY", lambda: fixture("fx-onetrainer.safetensors")),
    ("2.10 t5", "flux", "~----Y--", lambda: fixture("fx-onetrainer-flux.safetensors")),
    ("2.10 t5xxl", "flux", "Y----Y--", lambda: fixture("fx-flux.safetensors")),
    ("SD 3", "sd3", "Y~------", lambda: fixture("fx-sd3.safetensors")),
    ("2.11", "sdxl", "Y-------", lambda: fixture("fx-lora-bundle.safetensors")),
    ("2.12", "sd1", "~-----~-", lambda: fixture("fx-xti.safetensors")),
    ("image", "sd1", "-YY-----", lambda: fixture("fx-image-text.png")),
]


@needs_fixtures
@pytest.mark.parametrize(("layout", "family", "answers", "make"), TABLE, ids=[row[0] for row in TABLE])
def test_the_rules_give_the_table_of_raw_files(layout: str, family: str, answers: str, make) -> None:
    file = raw(*make())
    assert "".join(RULES[tool](file, family) for tool in TOOLS) == answers


@needs_fixtures
def test_the_rules_agree_with_what_the_tools_own_loaders_did() -> None:
    names = dict(zip(("comfy", "a1111", "forge", "sdnext", "invoke", "diffusers"), TOOLS, strict=False))
    told = json.loads((FIXTURES / "manifest.json").read_text())["files"]
    for entry in told:
        family = {"sdxl-half": "sdxl", "sd1-xti": "sd1"}.get(entry["family"], entry["family"])
        if "pair" in entry:
            continue  # loads with its other half only
        file = raw((FIXTURES / entry["file"]).read_bytes(), entry["file"])
        for tool, loaded in entry["loads"].items():
            if (entry["file"], tool) == ("fx-pivotal.safetensors", "diffusers"):
                continue  # loads when its tensors are taken out by hand, which the list does not count
            answer = RULES[names[tool]](file, family)
            assert answer != (tool_rules.NO if loaded else tool_rules.YES), (entry["file"], tool)


@needs_fixtures
@pytest.mark.parametrize(("layout", "family", "answers", "make"), TABLE, ids=[row[0] for row in TABLE])
def test_the_canonical_file_of_every_raw_one_loads_in_every_tool_of_its_family(
    layout: str, family: str, answers: str, make
) -> None:
    data, filename = make()
    _, embedding = examine(data, filename=filename)
    assert embedding is not None
    canonical = write_layout(embedding, "canonical", trigger=TRIGGER)
    for tool in tools_for("canonical", embedding.family):
        answer = RULES[tool](raw(canonical, f"{TRIGGER}.safetensors"), embedding.family)
        assert answer == (tool_rules.PART if (tool, embedding.family) in KNOWN_PARTS else tool_rules.YES)
