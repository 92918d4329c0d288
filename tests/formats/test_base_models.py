"""Base models by the names that people, sites and checkpoints give them, and claims held against the tensors."""

import io

import pytest
import torch

from hub.formats import (
    BASE_MODELS,
    FAMILIES,
    FormatError,
    base_of_checkpoint,
    bases_of,
    check_base_claim,
    known_base,
    read,
)
from hub.formats.base_models import doubt_checkpoint


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("SD 1.5", "sd-1-5"),
        ("sd-1-5", "sd-1-5"),
        ("runwayml/stable-diffusion-v1-5", "sd-1-5"),
        ("SDXL 1.0", "sdxl-1-0"),
        ("Pony", "pony"),
        ("Illustrious", "illustrious"),
        ("NoobAI", "noobai"),
        ("SD 2.1 768", "sd-2-1-768"),
        ("stabilityai/stable-diffusion-2-1", "sd-2-1-768"),
        ("Flux.1 D", "flux-1-dev"),
        ("PixArt a", "pixart-alpha"),
        ("AnimateDiff on SD 1.5", "animatediff"),
    ],
)
def test_a_base_model_is_known_by_its_names_everywhere(name: str, base: str) -> None:
    assert known_base(name) is BASE_MODELS[base]


@pytest.mark.parametrize(
    ("checkpoint", "base"),
    [
        ("v1-5-pruned-emaonly", "sd-1-5"),
        ("v2-1_768-ema-pruned", "sd-2-1-768"),
        ("512-base-ema", "sd-2-0"),
        ("chilloutmix_NiPrunedFp32Fix", "chilloutmix"),
        ("animefull-final-pruned", "novelai-v1"),
        ("ponyDiffusionV6XL_v6StartWithThisOne", "pony"),
        ("sd_xl_base_1.0", "sdxl-1-0"),
        ("Anything-V3.0-pruned", "anything"),
    ],
)
def test_a_checkpoint_name_hints_at_its_base_model(checkpoint: str, base: str) -> None:
    found = base_of_checkpoint(checkpoint)
    assert found is BASE_MODELS[base]


@pytest.mark.parametrize("name", ["", "my-own-mix", "final_v3", "é\ud800"])
def test_an_unknown_name_means_nothing(name: str) -> None:
    assert known_base(name) is None
    assert base_of_checkpoint(name) is None
    assert check_base_claim(name, "sd1") is None


def test_a_claim_that_the_tensors_contradict_is_refused_with_both_values() -> None:
    with pytest.raises(FormatError) as refusal:
        check_base_claim("Pony", "sd1")
    assert (refusal.value.code, refusal.value.rule) == ("metadata_mismatch", "F8")
    assert refusal.value.detail == {"field": "base_model", "claimed": "sdxl", "found": "sd1"}
    assert check_base_claim("Pony", "sdxl") is BASE_MODELS["pony"]


def test_the_same_claim_inside_a_file_is_a_doubt() -> None:
    assert doubt_checkpoint("v1-5-pruned", "sd1") is None
    assert doubt_checkpoint("my-own-mix", "sd2") is None
    doubt = doubt_checkpoint("v2-1_768-ema-pruned", "sd1")
    assert doubt
    assert "Stable Diffusion 2.1, 768-v" in doubt
    assert "Stable Diffusion 1.x" in doubt


def test_every_family_that_tools_load_has_base_models_and_words_for_what_fits() -> None:
    for family in FAMILIES:
        assert bases_of(family) or family == "sd1-xti"
    assert all(base.family in FAMILIES and len(base.fits) > 40 for base in BASE_MODELS.values())
    assert "odd effect" in BASE_MODELS["pony"].fits
    assert bases_of("sd1")[0].id == "sd-1-5"


def test_no_two_base_models_share_a_name() -> None:
    assert [base for base in BASE_MODELS.values() if known_base(base.id) is not base] == []
    assert [base for base in BASE_MODELS.values() if known_base(base.title) is not base] == []


def test_a_file_that_names_a_checkpoint_of_another_family_is_read_with_a_warning():
    def warnings(checkpoint: str) -> list[str]:
        buffer = io.BytesIO()
        values = {"*": torch.randn(2, 768)}
        torch.save(
            {"string_to_param": values, "string_to_token": {"*": 265}, "sd_checkpoint_name": checkpoint},
            buffer,
        )
        return [
            said for said in read(buffer.getvalue(), filename="x.pt").warnings if "sd_checkpoint_name" in said
        ]

    assert len(warnings("v2-1_768-ema-pruned")) == 1
    assert warnings("v1-5-pruned") == warnings("my-own-mix") == []
