"""Writing and reading lose nothing: values, shapes, dtypes, words, and the identity of the tensors."""

import hashlib
import math
import struct
from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.formats import (
    FAMILIES,
    LAYOUTS,
    FormatError,
    Tensor,
    layouts_for,
    read,
    served_layouts,
    tensor_digest,
    write_canonical,
    write_layout,
)
from hub.formats.safetensors_file import read_safetensors
from hub.formats.values import narrow, widen
from tests import samples

EXACT = ("F16", "BF16", "F32")
TRIGGER = "moss-dragon"


def embedding_of(family: str, vectors: int = 2) -> dict[str, Tensor]:
    return {
        encoder.slot: samples.tensor(vectors, encoder.width, seed=seed)
        for seed, encoder in enumerate(FAMILIES[family].encoders)
    }


@pytest.mark.parametrize("family", FAMILIES)
def test_canonical_file_of_every_family_reads_back_bit_equal(family: str) -> None:
    tensors = embedding_of(family)
    data = read(write_canonical(tensors, family=family, trigger=TRIGGER), filename="x.safetensors")
    assert data.tensors == tensors
    assert (data.family, data.trigger) == (family, TRIGGER)
    assert not [warning for warning in data.warnings if "says" in warning or "hash" in warning]


@pytest.mark.parametrize(
    ("family", "layout", "filename"), [(f, *layout) for f in FAMILIES for layout in layouts_for(f, TRIGGER)]
)
def test_every_layout_holds_the_same_values(family: str, layout: str, filename: str) -> None:
    tensors = embedding_of(family)
    canonical = write_canonical(tensors, family=family, trigger=TRIGGER)
    data = read(write_layout(canonical, layout, trigger=TRIGGER), filename=filename)
    if layout == "diffusers":
        assert [t.data for t in data.tensors.values()] == [next(iter(tensors.values())).data]
    elif layout == "diffusers-2":
        assert [t.data for t in data.tensors.values()] == [list(tensors.values())[1].data]
    else:
        assert data.tensors == tensors
    assert data.trigger == TRIGGER


@settings(max_examples=60, deadline=None)
@given(
    dtype=st.sampled_from(["F16", "BF16", "F32", "F64"]),
    vectors=st.integers(1, 4),
    flat=st.booleans(),
    seed=st.integers(0, 2**32),
    scale=st.sampled_from([1e-3, 0.02, 1.0, 40.0]),
)
def test_values_survive_from_any_dtype_and_shape(
    dtype: str, vectors: int, flat: bool, seed: int, scale: float
) -> None:
    vectors = 1 if flat else vectors
    stored = samples.packed(dtype, samples.floats(vectors * 128, seed=seed, scale=scale))
    shape = [128] if flat else [vectors, 128]
    data = read(samples.safetensors_file({"emb_params": (dtype, shape, stored)}), filename="moss.safetensors")
    tensor = data.tensors["emb_params"]
    assert tensor.shape == (vectors, 128)
    assert data.source_dtypes == {"emb_params": dtype}
    if dtype in EXACT:
        assert narrow(dtype, tensor.data) == stored
    else:
        assert array("f", tensor.data) == array("f", struct.unpack(f"<{vectors * 128}d", stored))
        assert any("F64" in warning for warning in data.warnings)
    again = read(write_canonical(data.tensors, family="tiny", trigger=TRIGGER), filename="x.safetensors")
    assert again.tensors == data.tensors


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_every_finite_half_number_widens_and_narrows_to_itself(dtype: str) -> None:
    every = b"".join(struct.pack("<H", number) for number in range(1 << 16))
    wide = array("f", widen(dtype, every))
    finite = [index for index, value in enumerate(wide) if math.isfinite(value)]
    halves = b"".join(every[2 * index : 2 * index + 2] for index in finite)
    assert narrow(dtype, widen(dtype, halves)) == halves
    assert len(finite) > 63_000


@settings(max_examples=40, deadline=None)
@given(
    metadata=st.dictionaries(
        st.sampled_from(["modelspec.title", "modelspec.license", "glossa.kind", "run"]),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    )
)
def test_canonical_bytes_depend_on_nothing_but_their_input(metadata: dict[str, str]) -> None:
    tensors = embedding_of("sdxl", 1)
    written = write_canonical(tensors, family="sdxl", trigger=TRIGGER, metadata=metadata)
    backwards = dict(reversed(metadata.items()))
    swapped = dict(reversed(tensors.items()))
    assert write_canonical(swapped, family="sdxl", trigger=TRIGGER, metadata=backwards) == written
    stored = read_safetensors(written).metadata
    for key, value in metadata.items():
        assert stored[key if "." in key else f"glossa.{key}"] == value


def test_canonical_of_a_canonical_is_itself() -> None:
    canonical = samples.canonical_file()
    once = write_layout(canonical, "canonical", trigger=TRIGGER)
    assert write_layout(once, "canonical", trigger=TRIGGER) == once


def test_metadata_follows_modelspec() -> None:
    file = read_safetensors(samples.canonical_file(trigger=TRIGGER))
    assert file.metadata["modelspec.sai_model_spec"] == "1.0.1"
    assert file.metadata["modelspec.architecture"] == "glossa-tiny/textual-inversion"
    assert file.metadata["modelspec.trigger_phrase"] == TRIGGER
    assert file.metadata["modelspec.hash_sha256"] == "0x" + hashlib.sha256(file.body).hexdigest()
    assert "modelspec.date" not in file.metadata


def test_header_is_padded_and_sorted_for_every_reader() -> None:
    data = samples.canonical_file()
    (length,) = struct.unpack("<Q", data[:8])
    assert length % 8 == 0
    assert data[8:10] == b'{"'


def test_tensor_digest_is_the_same_from_every_layout_and_dtype() -> None:
    half = samples.packed("F16", samples.floats(768))
    wide = widen("F16", half)
    files = [
        samples.safetensors_file({"emb_params": ("F16", [1, 768], half)}),
        samples.safetensors_file({"<moss>": ("F32", [768], wide)}),
        samples.safetensors_file(
            {"emp_params": ("F64", [1, 768], samples.packed("F64", list(array("f", wide))))}
        ),
    ]
    assert len({tensor_digest(read(data, filename="m.safetensors").tensors) for data in files}) == 1


def test_source_dtype_and_harmless_metadata_go_into_the_canonical_file() -> None:
    data = samples.embedding_file(
        "sd1",
        dtype="BF16",
        metadata={
            "modelspec.license": "CC0-1.0",
            "modelspec.date": "2024-01-01",
            "modelspec.is_negative_embedding": "true",
            "ss_training_comment": "/home/someone/private",
        },
    )
    canonical = write_layout(read(data, filename="moss.safetensors"), "canonical", trigger=TRIGGER)
    metadata = read_safetensors(canonical).metadata
    assert metadata["glossa.source_dtype"] == "BF16"
    assert metadata["modelspec.license"] == "CC0-1.0"
    assert metadata["modelspec.is_negative_embedding"] == "true"
    assert "modelspec.date" not in metadata
    assert b"private" not in canonical


@pytest.mark.parametrize(
    ("tensors", "family"),
    [
        ({}, "tiny"),
        ({"emb_params": samples.tensor(1, 768)}, "tiny"),
        ({"clip_l": samples.tensor(1, 768)}, "sdxl"),
        ({"emb_params": Tensor("F16", (1, 128), bytes(256))}, "tiny"),
        ({"emb_params": Tensor("F32", (1, 128), bytes(8))}, "tiny"),
        ({"emb_params": Tensor("F32", (1, 128), struct.pack("<f", math.nan) * 128)}, "tiny"),
        ({"clip_l": samples.tensor(1, 768), "clip_g": samples.tensor(2, 1280)}, "sdxl"),
    ],
)
def test_tensors_that_are_not_the_familys_are_not_written(tensors: dict[str, Tensor], family: str) -> None:
    with pytest.raises(FormatError) as refusal:
        write_canonical(tensors, family=family, trigger=TRIGGER)
    assert refusal.value.code == "invalid_embedding"


def test_broken_text_is_not_written() -> None:
    with pytest.raises(FormatError):
        write_canonical(embedding_of("tiny"), family="tiny", trigger=TRIGGER, metadata={"title": "\ud800"})


def test_unknown_layout_names_those_there_are() -> None:
    with pytest.raises(FormatError, match="canonical, diffusers"):
        write_layout(samples.canonical_file(), "diffusers-2", trigger=TRIGGER)


def test_layouts_have_the_file_names_that_clients_ask_for() -> None:
    assert layouts_for("tiny", TRIGGER) == [
        ("canonical", "moss-dragon.safetensors"),
        ("diffusers", "learned_embeds.safetensors"),
    ]
    assert [layout for layout, _ in layouts_for("sdxl")] == [
        "canonical",
        "diffusers",
        "diffusers-2",
        "onetrainer",
    ]
    assert layouts_for("sd1", TRIGGER)[2:] == [
        ("onetrainer", "moss-dragon.safetensors"),
        ("webui-image", "moss-dragon.png"),
        ("webui-pt", "moss-dragon.pt"),
    ]
    assert [layout for layout, _ in layouts_for("sd1-xti")] == ["canonical"]
    assert set(LAYOUTS) == {"canonical", "diffusers", "diffusers-2", "onetrainer", "webui-image", "webui-pt"}


def test_a_pickle_is_a_layout_that_no_door_serves() -> None:
    assert [layout.id for layout in LAYOUTS.values() if not layout.is_served] == ["webui-pt"]
    assert "webui-pt" not in [layout.id for layout in served_layouts("sd1")]
