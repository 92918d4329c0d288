"""The two files of diffusers' SDXL script are one embedding, if they belong together."""

import pytest

from hub.formats import EmbeddingData, FormatError, merge_pair, read, tensor_digest, write_layout
from tests import samples


def half(width: int, *, token: str = "<moss>", vectors: int = 2, dtype: str = "F32") -> EmbeddingData:
    return read(samples.keyed_file({token: width}, vectors=vectors, dtype=dtype), filename="learned_embeds")


def test_halves_are_merged_in_either_order_with_their_dtypes() -> None:
    left, right = half(768, dtype="F16"), half(1280)
    merged = merge_pair(left, right)
    assert merged == merge_pair(right, left)
    assert (merged.family, merged.layout, merged.vectors) == ("sdxl", "token-tensor", 2)
    assert merged.source_dtypes == {"clip_l": "F16", "clip_g": "F32"}
    assert (merged.token, merged.trigger) == ("<moss>", left.trigger)
    assert merged.question is None
    assert not any("second file" in warning for warning in merged.warnings)


def test_merged_pair_is_written_like_any_sdxl_embedding() -> None:
    merged = merge_pair(half(768), half(1280))
    canonical = read(write_layout(merged, "canonical", trigger="moss-dragon"))
    assert (canonical.layout, canonical.family) == ("slots", "sdxl")
    assert tensor_digest(canonical.tensors) == tensor_digest(merged.tensors)


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (half(768), half(768), "768 and 1280"),
        (half(1280), half(1280), "768 and 1280"),
        (half(1024), half(1280), "768 and 1280"),
        (half(768), half(1280, token="<fern>"), "different words"),
        (half(768), half(1280, vectors=3), "2 and 3 vectors"),
    ],
)
def test_what_does_not_belong_together_is_not_merged(
    first: EmbeddingData, second: EmbeddingData, said: str
) -> None:
    with pytest.raises(FormatError, match=said) as refusal:
        merge_pair(first, second)
    assert (refusal.value.code, refusal.value.rule) == ("not_a_pair", "U6")
