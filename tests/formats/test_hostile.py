"""Every hostile file is refused by the rule it breaks, and its harmless twin is read."""

import hashlib

import pytest

from hub.formats import FormatError, check_claims, inspect_file, read
from hub.formats.limits import MIB, Limits
from tests import samples
from tests.hostile import FEWEST, FUNCTIONS, Builder


def refusal_of(data: bytes, filename: str) -> str | None:
    """The rule that refuses a file; every refusal is a sentence that can be shown."""
    try:
        read(data, filename=filename)
    except FormatError as error:
        assert error.message.endswith((".", "…"))
        assert error.message.isprintable()
        return error.rule
    return None


@pytest.mark.parametrize("build", FUNCTIONS.values(), ids=FUNCTIONS)
def test_hostile_file_is_refused_by_its_rule(build: Builder) -> None:
    wrong = {
        sample.name: (sample.rule, found)
        for sample in build()
        if (found := refusal_of(sample.data, sample.filename)) != sample.rule
    }
    assert wrong == {}


@pytest.mark.parametrize("build", FUNCTIONS.values(), ids=FUNCTIONS)
def test_harmless_twin_of_a_hostile_file_is_read(build: Builder) -> None:
    twins = {(sample.control, sample.control_name): sample.name for sample in build()}
    refused = {name: rule for twin, name in twins.items() if (rule := refusal_of(*twin)) is not None}
    assert refused == {}


def test_hostile_files_are_many_and_have_names_of_their_own() -> None:
    samples = [
        (sample.name, hashlib.sha256(sample.data).digest(), sample.filename)
        for build in FUNCTIONS.values()
        for sample in build()
    ]
    assert len({name for name, _digest, _filename in samples}) == len(samples)
    assert len({digest for _name, digest, _filename in samples}) >= FEWEST


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
        (b"PK\x03\x04" + bytes(40), "cut off"),
        (b"\x80\x04K\x01.", "Save it as .safetensors"),
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
    for build in FUNCTIONS.values():
        sample = next(iter(build()))
        path = tmp_path / sample.filename
        path.write_bytes(sample.data)
        record = inspect_file(path)
        assert (record["verdict"], record["rule"]) == ("refuse", sample.rule)
