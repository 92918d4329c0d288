"""Every naming that tools use for one embedding is understood, and what cannot be known is asked or warned about."""

import pytest

from hub.formats import FormatError, read
from tests import samples


def reading(widths: dict[str, int], **options: object):
    return read(samples.keyed_file(widths, **options), filename="moss-dragon.safetensors")


@pytest.mark.parametrize(
    ("widths", "layout", "family"),
    [
        ({"emb_params": 128}, "emb_params", "tiny"),
        ({"emb_params": 768}, "emb_params", "sd1"),
        ({"emb_params": 1024}, "emb_params", "sd2"),
        ({"emp_params": 768}, "emp_params", "sd1"),
        ({"emp_params": 768, "emp_params_out": 768}, "emp_params", "sd1"),
        ({"<moss>": 768}, "token-tensor", "sd1"),
        ({"<moss>": 1280}, "token-tensor", "clip_g"),
        ({"*": 1024}, "token-tensor", "sd2"),
        ({"clip_l": 768}, "slots", "sd1"),
        ({"clip_g": 1280}, "slots", "clip_g"),
        ({"clip_l": 768, "clip_g": 1280}, "slots", "sdxl"),
        ({"clip_g": 1280, "clip_l": 768, "clip_l_out": 768}, "slots", "sdxl"),
        ({"text_encoders_0": 768, "text_encoders_1": 1280}, "slots", "sdxl"),
        ({"text_encoders_0": 768, "text_encoders_1": 4096}, "slots", "flux"),
        ({"clip_l": 768, "t5": 4096}, "slots", "flux"),
        ({"clip_l": 768, "clip_g": 1280, "t5": 4096}, "slots", "sd3"),
        ({"clip_l": 768, "clip_g": 1280, "t5xxl": 4096}, "slots", "sd3"),
        ({"clip_l": 768, "clip_g": 1280, "t5": 4096, "llama": 4096}, "slots", "hidream"),
        ({"llama": 4096, "clip_l": 768}, "slots", "hunyuan-video"),
        ({"t5": 4096}, "slots", "t5"),
        ({"gemma": 2304}, "slots", "sana"),
        ({"bundle_emb.moss.clip_l": 768, "bundle_emb.moss.clip_g": 1280}, "lora-bundle", "sdxl"),
        ({"bundle_emb.a.b.string_to_param.*": 768}, "lora-bundle", "sd1"),
    ],
)
def test_layout_and_family_are_told_by_keys_and_widths(
    widths: dict[str, int], layout: str, family: str
) -> None:
    data = reading(widths)
    assert (data.layout, data.family) == (layout, family)


def test_embedding_inside_a_lora_is_taken_out_and_the_rest_ignored() -> None:
    extra = {
        "lora_unet_x.alpha": ("I64", [], bytes(8)),
        "lora_unet_x.lora_down.weight": ("F8_E4M3", [2, 2, 1, 1], bytes(4)),
        "bundle_emb.mossy.clip_l": ("F16", [1, 768], samples.packed("F16", samples.floats(768))),
        "bundle_emb.mossy.clip_l_out": ("F16", [1, 768], samples.packed("F16", samples.floats(768))),
    }
    data = read(samples.safetensors_file(extra), filename="lora.safetensors")
    assert (data.layout, data.token, data.family) == ("lora-bundle", "mossy", "sd1")
    assert any("LoRA itself was left out" in warning for warning in data.warnings)


@pytest.mark.parametrize("key", ["<moss>", "clip_g"])
def test_width_1280_alone_is_a_question(key: str) -> None:
    assert "Which is it?" in (reading({key: 1280}).question or "")


def test_metadata_answers_the_question_that_widths_leave() -> None:
    metadata = {"modelspec.architecture": "stable-cascade-v1-stage-c/embedding"}
    assert reading({"clip_g": 1280}, metadata=metadata).question is None
    assert (
        reading({"t5": 4096}, metadata={"modelspec.architecture": "chroma/textual-inversion"}).question
        is None
    )


def test_architecture_words_of_both_writers_are_understood() -> None:
    for architecture in ("Flux.1-dev/embedding", "flux-1-dev/textual-inversion"):
        assert not reading(
            {"clip_l": 768, "t5": 4096}, metadata={"modelspec.architecture": architecture}
        ).warnings


@pytest.mark.parametrize(
    ("widths", "said"),
    [
        ({"<moss>": 768}, "second file"),
        ({"emp_params": 768, "emp_params_out": 768}, "Output embeddings were left out"),
        ({"text_encoders_0": 768, "text_encoders_1": 1280}, "one token per row"),
    ],
)
def test_what_the_uploader_should_know_is_a_warning(widths: dict[str, int], said: str) -> None:
    assert any(said in warning for warning in reading(widths).warnings)


def test_many_vectors_and_zero_vectors_are_warnings() -> None:
    assert any("prompt chunk" in warning for warning in reading({"emb_params": 128}, vectors=76).warnings)
    assert not reading({"emb_params": 128}, vectors=75).warnings
    data = samples.packed("F32", samples.floats(128) + [0.0] * 128)
    warnings = read(samples.safetensors_file({"emb_params": ("F32", [2, 128], data)}), filename="a").warnings
    assert warnings == ("emb_params: vector 2 is all zero and has no effect.",)


def test_torch_name_of_a_safetensors_file_is_a_warning() -> None:
    assert read(samples.canonical_file(), filename="moss-dragon.pt").warnings


def test_steps_of_training_are_read_where_a_trainer_left_them() -> None:
    assert reading({"emb_params": 128}, metadata={"ss_steps": "1500"}).step == 1500
    assert reading({"emb_params": 128}, metadata={"ss_steps": "many"}).step is None


def test_hostile_text_in_metadata_becomes_plain_text() -> None:
    metadata = {"modelspec.title": "a\0b\x1b[31m\ud800c", "modelspec.thumbnail": "x" * 100_000}
    data = reading({"emb_params": 128}, metadata=metadata)
    assert data.metadata == {"modelspec.title": "a\ufffdb\ufffd[31m\ufffdc"}


def test_two_words_in_one_file_are_refused_with_advice() -> None:
    with pytest.raises(FormatError, match="upload one file for each"):
        reading({"<one>": 768, "<two>": 768})
