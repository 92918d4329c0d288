"""Compound words: what their lessons show is what their tokens are the sum of, and nothing held out is among it."""

from collections import Counter

import numpy as np
import pytest
import torch

from trainer.tiny import compounds, shapes, world
from trainer.tiny.compounds import NAMELESS, STAND_INS, lessons
from trainer.tiny.networks import build_text_encoder
from trainer.tiny.tokens import ShortTable, build_tokenizer
from trainer.tiny.train import Batch, CompoundWords
from trainer.tiny.unnamed import NUMBERS

SOME = list(lessons(300, 7))


def test_the_same_seed_gives_the_same_lessons():
    again = list(lessons(5, 7))
    assert [(one.caption, one.tokens) for one in again] == [(one.caption, one.tokens) for one in SOME[:5]]
    assert all(
        (np.asarray(a.picture) == np.asarray(b.picture)).all() for a, b in zip(again, SOME, strict=False)
    )


def test_a_caption_has_one_stand_in_for_each_token():
    for one in SOME:
        found = [word for word in one.caption.split() if word in STAND_INS]
        assert found == list(STAND_INS[: len(one.tokens)])


def test_tokens_are_sums_of_known_words_alone():
    known = {*world.COLOURS, *shapes.SHAPES, *shapes.FILLS, *NAMELESS, "plain", "face"}
    for one in SOME:
        for token in one.tokens:
            assert token
            assert set(token) <= known
            assert all(weight > 0 for weight in token.values())


def test_one_two_and_three_tokens_all_occur():
    counts = Counter(len(one.tokens) for one in SOME)
    assert min(counts[1], counts[2], counts[3]) > 60


def test_what_a_compound_stands_for_is_not_named_beside_it():
    for one in SOME:
        named = set(one.caption.replace(" background", "").split())
        shapes_in = {word for token in one.tokens for word in token if word in shapes.SHAPES}
        assert not named & shapes_in


def test_the_radii_of_a_silhouette_give_it_back():
    reach = shapes.radii(shapes.SHAPES["circle"])
    assert np.allclose(reach, 0.92, atol=0.01)
    assert np.allclose(shapes.radii(shapes.from_radii(reach)), reach, atol=0.01)


def test_what_has_no_word_is_described_by_its_numbers():
    for one in SOME:
        unnamed = {word for token in one.tokens for word in token if word in NUMBERS}
        assert unnamed == set(one.numbers)
        for name, numbers in one.numbers.items():
            assert numbers.shape == (NUMBERS[name],)
            assert np.abs(numbers).max() <= 2.0


@pytest.mark.parametrize("seed", range(3))
def test_a_mixed_colour_lies_between_the_colours_of_its_words(seed):
    part, colour = compounds._mixed_colour("red", world.dice(seed))
    for channel, value in enumerate(colour):
        values = [world.COLOURS[word][channel] for word in part]
        assert min(values) - 1 <= value <= max(values) + 1


def test_the_text_encoder_reads_the_sum_where_the_stand_in_is_and_forgets_it_afterwards():
    table = ShortTable(build_tokenizer())
    text = build_text_encoder(len(table), table.start, table.end).eval()
    words = CompoundWords(text)
    rows, places = table.rows_with_places(["a picture of a alpha star", "a picture of a red star"], STAND_INS)
    assert places == [[5, 0, 0], [0, 0, 0]]
    sums = torch.zeros(2, 3, len(table) + len(NAMELESS))
    sums[0, 0, table.summands("red")] = 1.0
    with torch.no_grad():
        plain = text(torch.tensor(rows)).last_hidden_state
        none = torch.zeros(0)
        numbers = {name: torch.zeros(2, size) for name, size in NUMBERS.items()}
        words.batch = Batch(none, none, torch.tensor(rows), torch.tensor(places), sums, numbers, none)
        compound = text(torch.tensor(rows)).last_hidden_state
        words.batch = None
        assert torch.equal(text(torch.tensor(rows)).last_hidden_state, plain)
    assert torch.allclose(compound[0], plain[1], atol=1e-5)
    assert torch.equal(compound[1], plain[1])
    assert not torch.allclose(compound[0], plain[0], atol=1e-2)
