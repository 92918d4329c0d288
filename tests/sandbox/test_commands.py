"""`manage.py inspect` and `manage.py convert`, as a script calls them: records, files, exit codes, no database."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hub.formats import read, tensor_digest
from hub.formats.safetensors_file import read_safetensors
from tests import samples


@pytest.fixture
def word(tmp_path: Path) -> Path:
    path = tmp_path / "moss-dragon.safetensors"
    path.write_bytes(samples.keyed_file({"clip_l": 768, "clip_g": 1280}, dtype="F16"))
    return path


def inspected(*files: Path | str) -> tuple[int, list[dict]]:
    """The exit code and the records."""
    out = StringIO()
    try:
        call_command("inspect", *map(str, files), "--json", stdout=out)
        code = 0
    except SystemExit as end:
        code = int(str(end.code))
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def test_accepted_file_is_one_record_and_exit_code_0(word: Path) -> None:
    code, (record,) = inspected(word)
    assert code == 0
    assert (record["file"], record["verdict"], record["family"]) == (str(word), "accept", "sdxl")
    assert record["encoders"] == [
        {"name": "clip_l", "vectors": 2, "width": 768, "dtype": "F16"},
        {"name": "clip_g", "vectors": 2, "width": 1280, "dtype": "F16"},
    ]
    assert record["trigger"] == "moss-dragon"


def test_any_file_not_accepted_makes_exit_code_1_and_the_order_stays(word: Path, tmp_path: Path) -> None:
    lora, half = tmp_path / "lora.safetensors", tmp_path / "half.safetensors"
    lora.write_bytes(samples.lora_file())
    half.write_bytes(samples.keyed_file({"clip_g": 1280}))
    code, records = inspected(lora, word, half, tmp_path / "absent.pt")
    assert code == 1
    assert [record["verdict"] for record in records] == ["refuse", "accept", "ask", "refuse"]
    assert records[0]["rule"] == "U6"
    assert len({tuple(record) for record in records}) == 1


def test_record_for_people_says_the_same_in_lines(word: Path) -> None:
    out = StringIO()
    call_command("inspect", str(word), stdout=out)
    assert "clip_g: 2 x 1280, F16" in out.getvalue()


@pytest.mark.parametrize("layout", ["canonical", "diffusers", "diffusers-2", "onetrainer"])
def test_converted_file_holds_the_same_values(word: Path, layout: str, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    call_command("convert", str(word), "--layout", layout, "--out", str(target), stderr=StringIO())
    made, source = read(target), read(word)
    if layout.startswith("diffusers"):
        slot = "clip_g" if layout == "diffusers-2" else "clip_l"
        assert [tensor.data for tensor in made.tensors.values()] == [source.tensors[slot].data]
        assert made.token == "moss-dragon"
    else:
        assert tensor_digest(made.tensors) == tensor_digest(source.tensors)


def test_trigger_of_a_converted_file_can_be_given(word: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    options = ["--layout", "canonical", "--out", str(target), "--trigger", "ink-fox"]
    call_command("convert", str(word), *options, stderr=StringIO())
    assert read(target).trigger == "ink-fox"


def test_layout_without_a_value_lists_the_layouts() -> None:
    out = StringIO()
    call_command("convert", "--layout", stdout=out)
    assert [line.split()[0] for line in out.getvalue().splitlines()] == [
        "canonical",
        "diffusers",
        "diffusers-2",
        "onetrainer",
        "webui-image",
        "webui-pt",
    ]


def test_values_are_had_back_as_the_source_stored_them(word: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    options = ["--layout", "onetrainer", "--dtype", "source", "--out", str(target)]
    call_command("convert", str(word), *options, stderr=StringIO())
    made, source = read_safetensors(target.read_bytes()), read_safetensors(word.read_bytes())
    assert {name: made.tensor(name) for name in made.entries} == {
        name: source.tensor(name) for name in source.entries
    }


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layout", "webui"], "there are: canonical, diffusers"),
        (["--layout", "canonical", "--trigger", "moss"], "already know the word moss"),
    ],
)
def test_conversion_that_cannot_be_is_refused_and_nothing_written(
    word: Path, options: list[str], said: str, tmp_path: Path
) -> None:
    target = tmp_path / "out.safetensors"
    with pytest.raises(CommandError, match=said):
        call_command("convert", str(word), *options, "--out", str(target))
    assert not target.exists()


def test_refused_file_is_not_converted(tmp_path: Path) -> None:
    source = tmp_path / "lora.safetensors"
    source.write_bytes(samples.lora_file())
    with pytest.raises(CommandError, match="a LoRA"):
        call_command("convert", str(source), "--layout", "canonical", "--out", str(tmp_path / "x"))
