"""What the hub gets for an uploaded file: facts and canonical bytes, or a refusal in words."""

import hashlib
import io
import time
from pathlib import Path

import pytest
from PIL import Image

from hub import sandbox
from hub.formats import FormatError, Limits, read, tensor_digest
from tests import samples
from tests.hostile import hostile_files


def stored(folder: Path, data: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(data)
    return path


def test_embedding_comes_back_as_facts_and_canonical_file(tmp_path: Path) -> None:
    data = samples.embedding_file("sd1", vectors=3, dtype="F16", metadata={"modelspec.license": "CC0-1.0"})
    result = sandbox.read_embedding(stored(tmp_path, data), filename="moss-dragon.safetensors")
    facts = result.facts
    assert (facts["verdict"], facts["family"], facts["layout"]) == ("accept", "sd1", "emb_params")
    assert facts["encoders"] == [{"name": "clip_l", "vectors": 3, "width": 768, "dtype": "F16"}]
    assert facts["trigger"] == "moss-dragon"
    assert facts["metadata"]["modelspec.license"] == "CC0-1.0"
    assert facts["digests"]["sha256"] == hashlib.sha256(data).hexdigest()
    again = read(result.canonical, filename="moss-dragon.safetensors")
    assert tensor_digest(again.tensors) == facts["digests"]["tensors"]
    assert again.tensors == read(data, filename="a.safetensors").tensors


@pytest.mark.parametrize(
    "name", ["live-os-system", "no-container-text", "overlap", "nan", "lora", "name-bidi-override"]
)
def test_refusal_of_the_parser_reaches_the_caller_with_its_rule(name: str, tmp_path: Path) -> None:
    sample = next(sample for sample in hostile_files() if sample.name == name)
    with pytest.raises(FormatError) as refusal:
        sandbox.read_embedding(stored(tmp_path, sample.data), filename=sample.filename)
    assert refusal.value.rule == sample.rule
    assert not isinstance(refusal.value, sandbox.SandboxRefusal)


def test_limits_of_the_operator_reach_the_child(tmp_path: Path) -> None:
    path = stored(tmp_path, samples.embedding_file(vectors=5))
    with pytest.raises(FormatError, match="4 is the limit"):
        sandbox.read_embedding(path, filename="a.safetensors", limits=Limits(max_vectors=4))
    with pytest.raises(FormatError) as refusal:
        sandbox.read_embedding(path, filename="a.safetensors", limits=Limits(max_bytes=1000))
    assert refusal.value.rule == "U2"


def test_largest_embedding_fits_into_the_childs_memory(tmp_path: Path) -> None:
    data = samples.keyed_file({"clip_l": 768, "clip_g": 1280}, vectors=256, dtype="F16")
    result = sandbox.read_embedding(stored(tmp_path, data), filename="moss.safetensors")
    assert result.facts["encoders"][0]["vectors"] == 256


def test_record_of_a_file_has_the_promised_keys_in_order(tmp_path: Path) -> None:
    record = sandbox.inspect_embedding(stored(tmp_path, samples.canonical_file()))
    promised = "file verdict rule message container layout family encoders trigger step digests warnings"
    assert list(record) == promised.split()


def test_one_file_alone_takes_a_fraction_of_a_second(tmp_path: Path) -> None:
    path = stored(tmp_path, samples.canonical_file())
    started = time.process_time(), time.monotonic()
    sandbox.read_embedding(path, filename="moss.safetensors")
    assert time.process_time() - started[0] < 0.5
    assert time.monotonic() - started[1] < 30


def test_picture_comes_back_upright_clean_and_small(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "taken at home"
    path = stored(tmp_path, samples.picture("JPEG", size=(640, 480), exif=exif))
    result = sandbox.read_picture(path, max_side=256)
    made = Image.open(io.BytesIO(result.data))
    assert made.format == "WEBP"
    assert made.size == (192, 256) == (result.facts["width"], result.facts["height"])
    assert (result.facts["original_width"], result.facts["original_height"]) == (480, 640)
    assert b"taken at home" not in result.data
    assert not made.getexif()


def test_text_is_no_picture(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="plain text") as refusal:
        sandbox.read_picture(stored(tmp_path, b"a letter, not a picture"), max_side=256)
    assert (refusal.value.code, refusal.value.rule) == ("invalid_image", "P1")
