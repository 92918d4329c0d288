"""What torch, safetensors and Pillow really write is read to the last bit, and agrees with what torch reads back."""

import io
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.formats import EmbeddingData, FormatError, read, tensor_digest
from tests import real_files
from tests.real_files import PICKLED, SINGLE, TOKEN, encoders, saved, vectors

SUFFIX = {"torch-zip": ".pt", "torch-legacy": ".pt", "safetensors": ".safetensors", "image": ".png"}
WAYS = [(name, container) for name, (_layout, containers, _) in SINGLE.items() for container in containers]
shapes = st.tuples(st.integers(1, 9), st.sampled_from([128, 768, 1024]))
seeds = st.integers(0, 2**31)
dtypes = st.sampled_from(list(real_files.DTYPES))
scales = st.sampled_from([1e-4, 0.02, 40.0])
few = settings(max_examples=8, deadline=None)


def reading(value: Any, container: str, **options: Any) -> EmbeddingData:
    return read(saved(value, container), filename=f"moss-dragon{SUFFIX[container]}", **options)


def numbers(tensor: torch.Tensor) -> bytes:
    """The values as F32, the way torch widens or rounds them."""
    return tensor.detach().to(torch.float32).contiguous().view(torch.uint8).numpy().tobytes()


@pytest.mark.parametrize(("way", "container"), WAYS)
@few
@given(shape=shapes, seed=seeds, dtype=dtypes, scale=scales)
def test_one_encoder_is_read_bit_equal_from_every_container_and_layout(
    way: str, container: str, shape: tuple[int, int], seed: int, dtype: str, scale: float
) -> None:
    layout, _containers, build = SINGLE[way]
    tensor = vectors(*shape, seed=seed, dtype=dtype, scale=scale)
    data = reading(build(tensor), container)
    assert (data.container, data.layout) == (container, layout)
    assert data.family == {128: "tiny", 768: "sd1", 1024: "sd2"}[shape[1]]
    assert data.tensors["emb_params"].data == numbers(tensor)
    assert data.source_dtypes == {"emb_params": dtype}
    assert any("rounded" in warning for warning in data.warnings) == (dtype == "F64")


@pytest.mark.parametrize("container", [*PICKLED, "safetensors"])
@few
@given(
    family=st.sampled_from(["sdxl", "flux", "sd3"]),
    count=st.integers(1, 5),
    seed=seeds,
    dtype=dtypes,
)
def test_several_encoders_are_read_bit_equal(
    container: str, family: str, count: int, seed: int, dtype: str
) -> None:
    tensors = encoders(family, count, seed=seed, dtype=dtype)
    data = reading(tensors, container)
    assert (data.layout, data.family, data.vectors) == ("slots", family, count)
    assert {slot: tensor.data for slot, tensor in data.tensors.items()} == {
        slot: numbers(tensor) for slot, tensor in tensors.items()
    }


@pytest.mark.parametrize("container", PICKLED)
@pytest.mark.parametrize("dtype", ["BF16", "F32"])
def test_list_of_pairs_is_one_embedding_with_a_vector_for_each(container: str, dtype: str) -> None:
    tensors = encoders("sdxl", 3, dtype=dtype)
    data = reading(real_files.pairs(tensors), container)
    assert (data.layout, data.family, data.vectors) == ("emb-list", "sdxl", 3)
    assert data.tensors["clip_g"].data == numbers(tensors["clip_g"])
    assert data.source_dtypes == {"clip_l": dtype, "clip_g": dtype}
    single = reading(real_files.pairs(encoders("sdxl", 1, dtype=dtype))[0], container)
    assert (single.layout, single.vectors) == ("emb-list", 1)


@pytest.mark.parametrize("container", PICKLED)
def test_tensor_without_a_dict_is_read_and_its_base_model_asked_for(container: str) -> None:
    tensor = vectors(3, 4096, scale=0.3)
    data = reading(tensor, container)
    assert (data.layout, data.family) == ("bare", "t5")
    assert "DeepFloyd" in (data.question or "")
    assert data.tensors["t5xxl"].data == numbers(tensor)


@pytest.mark.parametrize("container", [*PICKLED, "safetensors"])
def test_sixteen_layers_and_old_pivotal_names_are_read_from_every_container(container: str) -> None:
    layers = real_files.xti(2)
    data = reading(layers, container)
    assert (data.layout, data.family) == ("xti", "sd1-xti")
    assert {slot: tensor.data for slot, tensor in data.tensors.items()} == {
        layer: numbers(tensor) for layer, tensor in layers.items()
    }
    old = reading(real_files.pivotal(encoders("sdxl", 2)), container)
    assert (old.layout, old.family) == ("slots", "sdxl")


@few
@given(count=st.integers(1, 12), seed=seeds)
def test_same_values_have_the_same_digest_from_every_container(count: int, seed: int) -> None:
    tensor = vectors(count, 768, seed=seed)
    made = [reading(SINGLE[way][2](tensor), container) for way, container in WAYS]
    carried = real_files.payload(tensor)
    for picture in (real_files.text_picture(carried), real_files.pixel_picture(carried)):
        made.append(read(picture, filename="moss-dragon.png"))
    assert len({tensor_digest(data.tensors) for data in made}) == 1


@pytest.mark.parametrize("container", PICKLED)
@few
@given(seed=seeds, dtype=dtypes, count=st.integers(1, 5))
def test_our_reader_and_torch_read_the_same_values(container: str, seed: int, dtype: str, count: int) -> None:
    value = real_files.webui(vectors(count, 768, seed=seed, dtype=dtype))
    data = saved(value, container)
    theirs = torch.load(io.BytesIO(data), weights_only=True)
    assert read(data).tensors["emb_params"].data == numbers(theirs["string_to_param"]["*"])


@pytest.mark.parametrize("container", PICKLED)
def test_rows_cut_out_of_a_longer_table_are_read(container: str) -> None:
    table = vectors(9, 768)
    data = reading({TOKEN: table[3:5]}, container)
    assert data.tensors["emb_params"].data == numbers(table[3:5])
    single = reading({TOKEN: table[7]}, container)
    assert single.tensors["emb_params"].shape == (1, 768)


@pytest.mark.parametrize(
    "tensor",
    [vectors(768, 2).T, vectors(1, 768).expand(3, 768), vectors(4, 768)[::2], vectors(2, 1536)[:, :768]],
    ids=["transposed", "expanded", "every-other-row", "columns"],
)
@pytest.mark.parametrize("container", PICKLED)
def test_tensor_that_is_not_row_major_is_refused(container: str, tensor: torch.Tensor) -> None:
    with pytest.raises(FormatError) as refusal:
        reading({TOKEN: tensor}, container)
    assert refusal.value.rule == "F4"


@pytest.mark.parametrize("container", PICKLED)
def test_paper_file_with_several_words_names_them_and_reads_the_one_that_is_wanted(container: str) -> None:
    first, second = vectors(2, 768), vectors(3, 768, seed=2)
    value = real_files.paper(first, ("moss", second))
    data = reading(value, container)
    assert data.tensors["emb_params"].data == numbers(first)
    assert (data.words, data.token) == (("*", "moss"), "*")
    assert any("2 words ('*', 'moss')" in warning for warning in data.warnings)
    chosen = reading(value, container, token="moss")
    assert chosen.tensors["emb_params"].data == numbers(second)
    assert not any("2 words" in warning for warning in chosen.warnings)
    with pytest.raises(FormatError, match="no 'fern'"):
        reading(value, container, token="fern")


def test_what_the_file_says_of_itself_is_kept_as_data() -> None:
    data = read(
        saved(real_files.webui(vectors(1, 768), name="x-2101"), "torch-zip"), filename="moss-dragon.pt"
    )
    assert (data.name, data.token, data.step, data.trigger) == ("x-2101", "x-2101", 1500, "moss-dragon")
    assert data.metadata == {"sd_checkpoint": "81761151", "sd_checkpoint_name": "v1-5-pruned"}
    assert "The file calls itself 'x-2101', its name is 'moss-dragon'." in data.warnings
    assert "torch FloatStorage" in data.pickle_names
    assert data.is_new_torch


def test_hostile_words_inside_a_pickle_become_plain_text_or_are_refused() -> None:
    value = real_files.webui(
        vectors(1, 768), name="a\0b\x1b[31m\ud800c" + "x" * 5000, sd_checkpoint_name="\x07evil"
    )
    data = reading(value, "torch-zip")
    assert data.name is not None and data.name.startswith("a\ufffdb\ufffd[31m\ufffdc")
    assert len(data.name) <= 200
    assert data.metadata["sd_checkpoint_name"] == "\ufffdevil"
    with pytest.raises(FormatError) as refusal:
        reading({"moss\u202edragon": vectors(1, 768)}, "torch-zip")
    assert refusal.value.rule == "F5"


def test_facts_beside_the_vectors_are_left_out_with_a_warning() -> None:
    data = reading({TOKEN: vectors(1, 768), "steps": 900, "author": "ada"}, "torch-zip")
    assert any("'steps', 'author'" in warning for warning in data.warnings)


def test_lora_and_hypernetwork_in_a_pickle_are_called_by_their_names() -> None:
    name = "lora_unet_down_blocks_0_proj_in"
    lora = {f"{name}.alpha": torch.tensor(4.0), f"{name}.lora_down.weight": torch.zeros(2, 2, 1, 1)}
    with pytest.raises(FormatError, match="This is a LoRA") as refusal:
        reading(lora, "torch-zip")
    assert refusal.value.rule == "U6"
    with pytest.raises(FormatError, match="hypernetwork"):
        reading({768: [lora]}, "torch-zip")
    with pytest.raises(FormatError, match="checkpoint of a whole model"):
        reading({"state_dict": {"model.diffusion_model.x.weight": torch.zeros(2, 2)}}, "torch-zip")
    with pytest.raises(FormatError, match="saved picture or latent"):
        reading({"latent": torch.zeros(1, 4, 8, 8)}, "torch-zip")


def test_whole_numbers_are_no_vectors() -> None:
    with pytest.raises(FormatError) as refusal:
        reading({TOKEN: torch.ones(2, 768, dtype=torch.int64)}, "torch-zip")
    assert refusal.value.rule == "U6"


@pytest.mark.parametrize("options", [{}, {"packed": True}, {"international": True}])
def test_picture_carries_an_embedding_in_each_kind_of_text(options: dict[str, bool]) -> None:
    tensor = vectors(2, 768)
    data = read(real_files.text_picture(real_files.payload(tensor), **options), filename="some.preview.png")
    assert (data.container, data.layout, data.family) == ("image", "string_to_param", "sd1")
    assert (data.trigger, data.step) == ("moss-dragon", 1500)
    assert data.tensors["emb_params"].data == numbers(tensor)


@pytest.mark.parametrize("options", [{}, {"mode": "RGBA"}, {"form": "WEBP", "lossless": True, "exact": True}])
def test_pixels_carry_an_embedding_where_nothing_was_lost(options: dict[str, Any]) -> None:
    tensor = vectors(1, 768)
    picture = real_files.pixel_picture(real_files.payload(tensor), **options)
    assert read(picture).tensors["emb_params"].data == numbers(tensor)


def test_text_is_read_before_the_pixels() -> None:
    hidden = real_files.pixel_picture(real_files.payload(vectors(1, 768)))
    written = real_files.text_picture(real_files.payload(vectors(1, 768, seed=2)))
    at = written.index(b"tEXt") - 4
    chunk = written[at : written.index(b"IDAT") - 4]
    both = hidden[:33] + chunk + hidden[33:]
    assert read(both).tensors == read(written).tensors


def test_picture_that_lost_bits_is_an_ordinary_one_or_damaged() -> None:
    picture = real_files.pixel_picture(real_files.payload(vectors(1, 768)), form="WEBP", quality=60)
    with pytest.raises(FormatError) as refusal:
        read(picture)
    assert refusal.value.rule in ("U6", "F6")
