"""What pictures say of their making: A1111, ComfyUI and InvokeAI, in PNG, JPEG and WebP, and what hostile ones say."""

import io
import json
import struct
import zlib

import pytest
from PIL import Image, PngImagePlugin

from hub.formats.generation_parameters import MAX_REFERENCES, generation_of, read_generation
from hub.formats.picture_texts import texts_of

A1111 = (
    "a teahouse, mossglow, (soft light:1.2)\nsecond line\n"
    "Negative prompt: easynegative, blurry\n"
    'Steps: 20, Sampler: DPM++ 2M, CFG scale: 7, Seed: 42, Size: 512x512, Model: "a, b", '
    'TI hashes: "mossglow: 0a1b2c3d4e5f, easynegative: c74b4e810b03", '
    'Hashes: {"embed:mossglow": "0a1b2c3d4e", "model": "cc6cb27103"}, Version: v1.9.3'
)


def png(**texts: str) -> bytes:
    info = PngImagePlugin.PngInfo()
    for keyword, text in texts.items():
        info.add_itxt(keyword, text) if not text.isascii() else info.add_text(keyword, text)
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, "PNG", pnginfo=info)
    return out.getvalue()


def with_comment(form: str, text: str, *, code: bytes = b"UNICODE\0", encoding: str = "utf-16-be") -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = code + text.encode(encoding)
    out = io.BytesIO()
    Image.new("RGB", (32, 32)).save(out, form, exif=exif.tobytes())
    return out.getvalue()


def named(data: bytes) -> list[tuple[str, str]]:
    found = read_generation(data)
    assert found is not None
    return [(one.name, one.digest) for one in found.references]


def test_a1111_text_names_its_embeddings_with_digests():
    found = read_generation(png(parameters=A1111))
    assert (found.writer, found.negative_prompt) == ("A1111", "easynegative, blurry")
    assert found.prompt.startswith("a teahouse, mossglow") and found.prompt.endswith("second line")
    assert (
        found.settings["Steps"] == "20"
        and found.settings["Model"] == "a, b"
        and found.settings["Seed"] == "42"
    )
    assert named(png(parameters=A1111)) == [
        ("mossglow", "0a1b2c3d4e5f"),
        ("easynegative", "c74b4e810b03"),
        ("mossglow", "0a1b2c3d4e"),
    ]


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_the_same_text_is_read_from_exif_in_either_byte_order(form, encoding):
    data = with_comment(form, A1111, encoding=encoding)
    assert ("mossglow", "0a1b2c3d4e5f") in named(data)


def test_old_texts_name_words_by_a_checksum_that_is_no_digest():
    text = 'x\nSteps: 1, Sampler: Euler, Used embeddings: "EasyNegative [119b], other [0a1b]"'
    assert named(png(parameters=text)) == [("EasyNegative", ""), ("other", "")]


def test_comfyui_graphs_name_embeddings_in_any_text_and_keep_the_sampler():
    graph = {
        "3": {
            "class_type": "KSampler",
            "inputs": {
                "steps": 25, "seed": 7, "cfg": 6.5, "sampler_name": "euler",
                "positive": ["6", 0], "negative": ["7", 0],
            },
        },
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a barn, (embedding:styles/mossglow.pt:1.2), fog"}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "embedding:bad-hands embedding:EasyNegative,"}},
    }  # fmt: skip
    data = png(
        prompt=json.dumps(graph), workflow=json.dumps({"nodes": [{"widgets_values": ["embedding:later"]}]})
    )
    found = read_generation(data)
    assert (
        found.writer == "ComfyUI"
        and found.prompt.startswith("a barn")
        and "bad-hands" in found.negative_prompt
    )
    assert found.settings == {"Steps": "25", "Seed": "7", "CFG scale": "6.5", "Sampler": "euler"}
    assert {name for name, _ in named(data)} == {"mossglow", "bad-hands", "EasyNegative", "later"}


def test_invokeai_metadata_names_words_in_angle_brackets():
    said = {"positive_prompt": "a hill <mossglow>", "negative_prompt": "<bad-dream>", "steps": 30, "seed": 1}
    found = read_generation(png(invokeai_metadata=json.dumps(said)))
    assert found.writer == "InvokeAI" and found.settings == {"Steps": "30", "Seed": "1"}
    assert [(one.name, one.where) for one in found.references] == [
        ("mossglow", "prompt"),
        ("bad-dream", "negative prompt"),
    ]


@pytest.mark.parametrize(
    "data", [png(), png(Comment="holiday"), b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP"]
)
def test_an_ordinary_picture_says_nothing(data):
    assert read_generation(data) is None


def test_a_text_that_inflates_beyond_the_limit_is_left_out():
    packed = zlib.compress(b"x" * (5 << 20))
    body = b"parameters\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body + b"\0\0\0\0"
    assert texts_of(b"\x89PNG\r\n\x1a\n" + chunk) == {"parameters": ""}


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_no_cut_or_flipped_byte_breaks_the_reader(form):
    whole = png(parameters=A1111) if form == "PNG" else with_comment(form, A1111)
    for at in range(0, len(whole), 7):
        read_generation(whole[:at])
        read_generation(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])


def test_deep_wide_and_hostile_graphs_are_bounded():
    assert read_generation(png(prompt="[" * 100_000)) is None
    many = {str(n): {"inputs": {"text": f"embedding:w{n}"}} for n in range(500)}
    assert len(read_generation(png(prompt=json.dumps(many))).references) == MAX_REFERENCES
    loop = {
        "1": {"class_type": "KSampler", "inputs": {"positive": ["2", 0]}},
        "2": {"inputs": {"text": ["2", 0]}},
    }
    assert read_generation(png(prompt=json.dumps(loop))).prompt == ""


def test_a_name_is_the_stem_without_folders_and_control_characters():
    text = 'x\nSteps: 1, TI hashes: "../../etc/passwd\x1b: abcdef0123, C:\\\\x\\\\evil.pt: abcdef0124"'
    assert named(png(parameters=text)) == [("passwd\ufffd", "abcdef0123"), ("evil", "abcdef0124")]


def test_a_childs_answer_is_held_to_its_types_again():
    said = {"writer": 7, "references": [{"name": "a", "digest": "zz"}, "b", {"name": ""}], "settings": [1]}
    found = generation_of(said)
    assert (found.writer, found.settings) == ("7", {})
    assert [(one.name, one.digest) for one in found.references] == [("a", "")]
    assert generation_of(None) is None and generation_of("x") is None
