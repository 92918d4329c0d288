"""The tokenizer made from the vocabulary alone, and the short table that training uses."""

import pytest

from trainer.tiny import world
from trainer.tiny.tokens import ShortTable, build_tokenizer, merges, vocabulary


@pytest.fixture(scope="module")
def table() -> ShortTable:
    return ShortTable(build_tokenizer())


def test_the_vocabulary_is_whole_and_its_merges_follow_from_it():
    assert len(vocabulary()) == 49408
    found = merges()
    assert len(found) == 49408 - 512 - 2
    assert ["".join(pair) for pair in found] == vocabulary()[512:-2]


def test_token_ids_are_those_of_stable_diffusion(table):
    assert table.tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]
    assert table.tokenizer.pad_token_id == 49407


def test_no_caption_has_an_unknown_token_or_outgrows_the_short_length(table):
    rows = table.rows([text for _, text, _ in world.examples(300, 8)])
    for row in rows:
        assert table.unknown not in row
        assert row[0] == table.start
        assert row.index(table.end) < 32


def test_a_word_from_outside_the_world_is_the_unknown_row(table):
    assert table.unknown in table.rows(["a quokka on a blue background"])[0]
