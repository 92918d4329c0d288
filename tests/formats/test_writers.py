"""Files for A1111 and its relatives: a .pt made byte by byte, and a picture that carries the vectors."""

import base64
import io
import json
import pickletools
import re
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from hub.formats import FAMILIES, FormatError, Tensor, read, write_canonical, write_layout
from hub.formats.image_writer import TEXT_KEY, write_image
from hub.formats.source_dtypes import stored_dtypes
from hub.formats.torch_writer import write_torch
from hub.formats.values import widen
from tests import samples

TRIGGER = "moss-dragon"
# The zip records that the oldest safety check of A1111 knows, and the names that it lets a pickle use.
WEBUI_RECORDS = re.compile(r"[^/]+/(data/\d+|version|data\.pkl)")
WEBUI_GLOBALS = {"torch._utils _rebuild_tensor_v2", "torch FloatStorage", "collections OrderedDict"}


def tensor(vectors: int = 3, width: int = 768, *, seed: int = 1) -> Tensor:
    made = samples.tensor(vectors, width, seed=seed)
    awkward = struct.pack("<6f", -0.0, 0.0, 1.4e-45, -599.0, 0.1, 1 / 3)
    return Tensor("F32", made.shape, awkward + made.data[len(awkward) :])


def test_torch_loads_the_file_with_weights_only() -> None:
    import torch

    source = tensor()
    file = write_torch(source, name=TRIGGER, step=1500, checkpoint="sd-1-5")
    loaded = torch.load(io.BytesIO(file), weights_only=True)
    vectors = loaded["string_to_param"].pop("*")
    assert loaded == {
        "string_to_token": {"*": 265},
        "string_to_param": {},
        "name": TRIGGER,
        "step": 1500,
        "sd_checkpoint": None,
        "sd_checkpoint_name": "sd-1-5",
    }
    assert vectors.dtype == torch.float32
    assert vectors.numpy().tobytes() == source.data
    assert not vectors.requires_grad


@pytest.mark.parametrize("dtype", ["F16", "BF16"])
def test_torch_loads_half_precision_as_it_was(dtype: str) -> None:
    import torch

    stored = samples.packed(dtype, samples.floats(2 * 768))
    file = write_torch(Tensor(dtype, (2, 768), stored), name=TRIGGER)
    vectors = torch.load(io.BytesIO(file), weights_only=True)["string_to_param"]["*"]
    assert vectors.float().numpy().tobytes() == widen(dtype, stored)


def test_safety_check_of_a1111_knows_every_record_and_every_name() -> None:
    file = write_torch(tensor(), name=TRIGGER)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        assert [WEBUI_RECORDS.fullmatch(name) is None for name in archive.namelist()] == [False] * 3
        assert archive.testzip() is None
        pickle = archive.read("archive/data.pkl")
        assert archive.read("archive/version") == b"3\n"
    named = {text for opcode, text, _ in pickletools.genops(pickle) if opcode.name == "GLOBAL"}
    assert named == WEBUI_GLOBALS
    pickletools.dis(pickle, out=io.StringIO())  # every stack and mark in order


def test_storages_begin_where_torch_wants_them() -> None:
    file = write_torch(tensor(), name=TRIGGER)
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        for record in archive.infolist():
            assert (record.header_offset + 30 + len(record.filename) + len(record.extra)) % 64 == 0
            assert record.compress_type == zipfile.ZIP_STORED


def picture_of(file: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(file))
    image.load()
    return image


def tensor_in(payload: bytes) -> tuple[dict, bytes]:
    data = json.loads(payload)
    rows = data["string_to_param"].pop("*")["TORCHTENSOR"]
    return data, struct.pack(f"<{len(rows) * len(rows[0])}f", *[number for row in rows for number in row])


def hidden_in_pixels(image: Image.Image) -> bytes:
    """What A1111 finds: black borders cut, low halves between the black columns, the key stream taken off."""
    pixels, (width, height) = image.load(), image.size
    bright = [
        (x, y) for x in range(width) for y in range(height) if all(channel > 0 for channel in pixels[x, y])
    ]
    left, right = min(x for x, _ in bright), max(x for x, _ in bright)
    top, bottom = min(y for _, y in bright), max(y for _, y in bright)
    rows = range(top, bottom + 1)
    black = [
        x for x in range(left, right + 1) if all(channel & 15 == 0 for y in rows for channel in pixels[x, y])
    ]
    halves = []
    for columns in (range(left, min(black)), range(max(black) + 1, right + 1)):
        state, block = 0, []
        for y in rows:
            for x in columns:
                for channel in pixels[x, y]:
                    state = (1664525 * state + 1013904223) % 2**32
                    block.append(channel & 15 ^ state % 255 & 15)
        halves.append(block)
    return zlib.decompress(bytes(low | high << 4 for low, high in zip(*halves, strict=True)))


def test_picture_carries_the_same_vectors_as_text_and_in_its_pixels() -> None:
    source = tensor(2)
    file = write_image(source, name=TRIGGER, note="Stable Diffusion 1.x", step=70)
    image = picture_of(file)
    from_text = tensor_in(base64.b64decode(image.text[TEXT_KEY]))
    assert from_text == tensor_in(hidden_in_pixels(image))
    facts, data = from_text
    assert data == source.data
    assert (facts["name"], facts["step"], facts["string_to_token"]) == (TRIGGER, 70, {"*": 265})


@pytest.mark.parametrize(("vectors", "width"), [(1, 768), (75, 768), (8, 1024)])
def test_picture_of_any_size_is_read_by_its_pixels_when_its_texts_are_stripped(
    vectors: int, width: int
) -> None:
    source = tensor(vectors, width)
    bare = io.BytesIO()
    picture_of(write_image(source, name=TRIGGER, note="x")).save(bare, "PNG")
    data = read(bare.getvalue(), filename="stripped.png")
    assert data.container == "image"
    assert data.tensors["emb_params"] == source
    assert data.trigger == TRIGGER


def test_picture_shows_the_word_and_its_spines_hide_what_they_carry() -> None:
    image = picture_of(write_image(tensor(), name=TRIGGER, note="Stable Diffusion 1.x · 3 vectors"))
    assert image.mode == "RGB"
    assert image.height == 512
    assert all(channel > 0 for channel in image.getpixel((0, 0)))
    assert image.getpixel((12, 100)) == (0, 0, 0)
    headword = image.crop((57, 100, 440, 160)).convert("L").histogram()
    assert sum(headword[:60]) > 500


@pytest.mark.parametrize("layout", ["webui-pt", "webui-image", "onetrainer", "diffusers", "canonical"])
def test_the_same_embedding_is_the_same_bytes(layout: str) -> None:
    canonical = write_canonical({"emb_params": tensor()}, family="sd1", trigger=TRIGGER)
    first = write_layout(canonical, layout, trigger=TRIGGER)
    assert write_layout(read(canonical, filename="x.safetensors"), layout, trigger=TRIGGER) == first


DTYPES = [
    ("sd1", {"emb_params": "F16"}),
    ("sd1", {"emb_params": "BF16"}),
    ("sdxl", {"clip_l": "F16", "clip_g": "F32"}),
    ("flux", {"clip_l": "BF16", "t5xxl": "F16"}),
]


@pytest.mark.parametrize(("family", "dtypes"), DTYPES)
@pytest.mark.parametrize("layout", ["canonical", "onetrainer", "diffusers"])
def test_source_dtype_is_remembered_and_had_back_bit_for_bit(
    family: str, dtypes: dict[str, str], layout: str
) -> None:
    stored = {
        encoder.slot: (
            dtypes[encoder.slot],
            [2, encoder.width],
            samples.packed(dtypes[encoder.slot], samples.floats(2 * encoder.width, seed=encoder.width)),
        )
        for encoder in FAMILIES[family].encoders
    }
    source = read(samples.safetensors_file(stored), filename="moss.safetensors")
    canonical = write_layout(source, "canonical", trigger=TRIGGER)
    assert stored_dtypes(read(canonical, filename="x.safetensors")) == dtypes
    made = write_layout(canonical, layout, trigger=TRIGGER, dtype="source")
    body = b"".join(data for _, _, data in stored.values())
    assert made.endswith(body if layout != "diffusers" else next(iter(stored.values()))[2])
    if layout != "diffusers":
        assert read(made, filename="x.safetensors").tensors == source.tensors
        assert not [w for w in read(made, filename="x.safetensors").warnings if "hash" in w]


@pytest.mark.parametrize("said", ["F16", "F64", "F8_E4M3", "emb_params=BF16"])
def test_a_dtype_that_cannot_be_had_back_is_refused(said: str) -> None:
    canonical = write_canonical(
        {"emb_params": tensor()}, family="sd1", trigger=TRIGGER, metadata={"source_dtype": said}
    )
    with pytest.raises(FormatError) as refusal:
        write_layout(canonical, "onetrainer", trigger=TRIGGER, dtype="source")
    assert refusal.value.code == "dtype_lost"


def test_a_picture_holds_f32_only() -> None:
    canonical = write_canonical({"emb_params": tensor()}, family="sd1", trigger=TRIGGER)
    with pytest.raises(FormatError, match="F32 only"):
        write_layout(canonical, "webui-image", trigger=TRIGGER, dtype="source")


def test_step_of_a_file_outlives_the_canonical_one() -> None:
    source = samples.embedding_file("sd1", metadata={"ss_steps": "1500"})
    canonical = write_layout(read(source, filename="moss.safetensors"), "canonical", trigger=TRIGGER)
    assert read(canonical, filename="x.safetensors").step == 1500
