"""Trigger words: the legal ones, the refused ones with their reasons, and the ones suggested."""

import gzip
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.formats import FormatError, check_trigger, is_vocabulary_word, suggest_trigger
from hub.formats import trigger as rules

VOCABULARY = gzip.decompress(Path(rules.__file__).with_name("clip_vocabulary.txt.gz").read_bytes())


@pytest.mark.parametrize(
    "word", ["moss-dragon", "zebra_wave", "x1y", "mossglow", "a" * 63, "9lives-ink", "v_2b"]
)
def test_legal_trigger_passes(word: str) -> None:
    check_trigger(word)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("", "trigger_illegal"),
        ("ab", "trigger_illegal"),
        ("a" * 64, "trigger_illegal"),
        ("Moss-dragon", "trigger_illegal"),
        ("-moss", "trigger_illegal"),
        ("moss dragon", "trigger_illegal"),
        ("moss.dragon", "trigger_illegal"),
        ("moss\n", "trigger_illegal"),
        ("møss-dragon", "trigger_illegal"),
        ("<moss>", "trigger_illegal"),
        ("moss٣-dragon", "trigger_illegal"),
        ("moss_1", "trigger_numbered"),
        ("moss-dragon_007", "trigger_numbered"),
        ("con", "trigger_reserved"),
        ("lpt1", "trigger_reserved"),
        ("learned_embeds", "trigger_reserved"),
        ("moss", "trigger_vocabulary"),
        ("photo", "trigger_vocabulary"),
        ("abstr", "trigger_vocabulary"),
    ],
)
def test_illegal_trigger_is_refused_with_its_reason(word: str, code: str) -> None:
    with pytest.raises(FormatError) as refusal:
        check_trigger(word)
    assert refusal.value.code == code


def test_vocabulary_is_the_whole_of_clips_and_nothing_else() -> None:
    for word in ("cat", "dragon", "<|startoftext|>"):
        assert is_vocabulary_word(word)
    for word in ("", "mossglow", "cat\ndog", "at</w>\nca"):
        assert not is_vocabulary_word(word)


def test_every_line_of_the_vocabulary_is_a_word_and_no_two_lines_are() -> None:
    lines = VOCABULARY.decode().split("\n")[:-1]
    assert [line for line in lines if not is_vocabulary_word(line)] == []
    like = [line for line in lines if line.startswith("ca")]
    assert len(like) > 50
    assert [pair for pair in pairwise(like) if is_vocabulary_word("\n".join(pair))] == []


@pytest.mark.parametrize(
    ("token", "filename", "metadata", "suggested"),
    [
        (None, "moss-dragon.safetensors", {}, "moss-dragon"),
        (None, "C:\\Users\\me\\Moss Dragon (v2).safetensors", {}, "moss-dragon-v2"),
        ("<moss-glow>", "learned_embeds.safetensors", {}, "moss-glow"),
        ("<x-y>", "a.pt", {"modelspec.trigger_phrase": "Ink Wash Style"}, "ink-wash-style"),
        ("*", "moss-dragon.safetensors", {}, "moss-dragon"),
        ("苔の龍", "moss-dragon.safetensors", {}, "moss-dragon"),
        ("<cat>", "a.safetensors", {}, "cat-emb"),
        (None, "moss_12.safetensors", {}, "moss-12"),
        (None, "learned_embeds.safetensors", {}, "learned_embeds-emb"),
        (None, "NUL.safetensors", {}, "nul-emb"),
        (None, "éclair-déco.safetensors", {}, "eclair-deco"),
        (None, "../../etc/passwd-file", {}, "passwd-file"),
        (None, "", {}, "unnamed-embedding"),
        (None, "x" * 300 + ".safetensors", {}, "x" * 63),
    ],
)
def test_suggestion_comes_from_the_file_and_is_legal(
    token: str | None, filename: str, metadata: dict[str, str], suggested: str
) -> None:
    assert suggest_trigger(token, filename, metadata) == suggested
    check_trigger(suggested)


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_suggestion_is_legal(token: str, filename: str) -> None:
    check_trigger(suggest_trigger(token, filename, {}))
