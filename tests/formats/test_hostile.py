"""Every hostile file is refused by the rule it breaks, and its harmless twin is read."""

import pytest

from hub.formats import FormatError, check_claims, inspect_file, read
from hub.formats.limits import MIB, Limits
from tests import samples
from tests.hostile import Hostile, hostile_files

HOSTILE = hostile_files()


@pytest.mark.parametrize("sample", HOSTILE, ids=lambda sample: sample.name)
def test_hostile_file_is_refused_by_its_rule(sample: Hostile) -> None:
    with pytest.raises(FormatError) as refusal:
        read(sample.data, filename="moss-dragon.safetensors")
    assert refusal.value.rule == sample.rule
    assert refusal.value.message.endswith((".", "…"))
    assert refusal.value.message.isprintable()


@pytest.mark.parametrize("sample", HOSTILE, ids=lambda sample: sample.name)
def test_harmless_twin_of_a_hostile_file_is_read(sample: Hostile) -> None:
    assert read(sample.control, filename="moss-dragon.safetensors").tensors


def test_hostile_samples_are_all_different() -> None:
    assert (
        len({sample.data for sample in HOSTILE}) == len(HOSTILE) == len({sample.name for sample in HOSTILE})
    )


def test_every_prefix_of_a_sound_file_is_refused() -> None:
    data = samples.canonical_file()
    for length in range(0, len(data), 37):
        with pytest.raises(FormatError):
            read(data[:length], filename="moss-dragon.safetensors")


def test_file_over_the_limit_is_refused_and_the_limit_named() -> None:
    with pytest.raises(FormatError) as refusal:
        read(bytes(MIB + 1), filename="a.safetensors", limits=Limits(max_bytes=MIB))
    assert refusal.value.rule == "U2"
    assert "1 MiB" in refusal.value.message
    assert "LoRA" in refusal.value.message


def test_text_named_safetensors_is_called_text() -> None:
    with pytest.raises(FormatError, match="plain text"):
        read(b"hello there, this is a letter", filename="letter.safetensors")


def test_lora_is_called_a_lora() -> None:
    with pytest.raises(FormatError, match="a LoRA, not an embedding"):
        read(samples.lora_file(), filename="style.safetensors")


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<!doctype html><title>Log in</title>", "web page"),
        (b"PK\x03\x04" + bytes(40), "Save it as .safetensors"),
    ],
)
def test_refusal_says_what_to_do(start: bytes, said: str) -> None:
    with pytest.raises(FormatError, match=said):
        read(start, filename="moss.pt")


def test_safetensors_named_as_a_picture_is_a_type_mismatch() -> None:
    with pytest.raises(FormatError) as refusal:
        read(samples.canonical_file(), filename="moss.png")
    assert (refusal.value.code, refusal.value.rule) == ("type_mismatch", "U4")


def test_a_word_may_look_like_a_lora_tag() -> None:
    data = samples.keyed_file({"<lora:moss.lora_style>": 768})
    assert read(data, filename="moss.safetensors").layout == "token-tensor"


@pytest.mark.parametrize(
    ("claims", "field"),
    [({"family": "sdxl"}, "family"), ({"vectors": 9}, "vectors"), ({"width": "768"}, "width")],
)
def test_claim_that_the_bytes_contradict_is_refused_with_both_values(
    claims: dict[str, object], field: str
) -> None:
    data = read(samples.canonical_file(vectors=2), filename="moss.safetensors")
    with pytest.raises(FormatError) as refusal:
        check_claims(data, **claims)
    assert refusal.value.rule == "F8"
    assert refusal.value.detail["claimed"] == claims[field]
    assert refusal.value.detail["found"] == {"family": "tiny", "vectors": 2, "width": 128}[field]


def test_true_and_missing_claims_pass() -> None:
    data = read(samples.canonical_file(vectors=2), filename="moss.safetensors")
    check_claims(data, family="tiny", vectors="2", width=None)


def test_false_claims_inside_the_file_are_warnings() -> None:
    data = samples.embedding_file(
        "sd1",
        metadata={
            "modelspec.architecture": "stable-diffusion-xl-v1-base/textual-inversion",
            "modelspec.hash_sha256": "0x" + "0" * 64,
        },
    )
    warnings = " ".join(read(data, filename="moss.safetensors").warnings)
    assert "says Stable Diffusion XL, but the tensors are those of Stable Diffusion 1.x" in warnings
    assert "hash_sha256 is not the hash" in warnings


def test_inspect_never_raises_for_content(tmp_path) -> None:
    for sample in HOSTILE:
        path = tmp_path / "sample.safetensors"
        path.write_bytes(sample.data)
        record = inspect_file(path)
        assert (record["verdict"], record["rule"]) == ("refuse", sample.rule)
