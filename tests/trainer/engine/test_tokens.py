"""New rows stand beside the frozen table exactly as if the table had been made longer."""

import pytest
import torch
from torch import nn

from trainer.engine.base_model import BaseModel
from trainer.engine.events import Fault
from trainer.engine.tokens import PLACES, RowOverlay, first_rows, prompt_ids, training_ids, word_ids


@pytest.mark.parametrize("vectors", [1, 2, 4])
@pytest.mark.parametrize("prompt", ["a photo of [name]", "[name] and [name] on a red house"])
def test_gradient_equals_that_of_a_longer_table_bit_for_bit(
    base: BaseModel, vectors: int, prompt: str
) -> None:
    encoder = base.encoders[0]
    ids = torch.tensor([prompt_ids(encoder.tokenizer, prompt, vectors)])
    rows = torch.randn(vectors, 128, generator=torch.Generator().manual_seed(1)) * 0.1

    leaf = rows.clone().requires_grad_(True)
    with base.showing([leaf]):
        base.encode([ids]).hidden.square().sum().backward()

    longer = nn.Embedding.from_pretrained(torch.cat([encoder.table, rows]), freeze=False)
    encoder.model.set_input_embeddings(longer)
    try:
        base.encode([ids]).hidden.square().sum().backward()
    finally:
        encoder.model.set_input_embeddings(encoder.overlay)
    assert leaf.grad is not None and longer.weight.grad is not None
    assert torch.equal(leaf.grad, longer.weight.grad[encoder.overlay.first :])


def test_prompts_without_the_word_are_untouched_by_shown_rows(base: BaseModel) -> None:
    tokenizer = base.encoders[0].tokenizer
    prompts = [
        f"a photo of a {word} house {n}" for n, word in enumerate(("red", "blue", "old", "flat", "moss") * 10)
    ]
    ids = torch.tensor([prompt_ids(tokenizer, prompt, 0) for prompt in prompts])
    bare = base.encode([ids]).hidden
    with base.showing([torch.full((3, 128), 9.0)]):
        assert torch.equal(base.encode([ids]).hidden, bare)
    encoder = base.encoders[0]
    encoder.model.set_input_embeddings(encoder.overlay.table)
    try:
        assert torch.equal(base.encode([ids]).hidden, bare)
    finally:
        encoder.model.set_input_embeddings(encoder.overlay)


def test_rows_are_shown_inside_the_block_only(base: BaseModel) -> None:
    overlay = base.encoders[0].overlay
    with pytest.raises(RuntimeError, match="inside"), base.showing([torch.ones(1, 128)]):
        assert overlay.rows is not None
        raise RuntimeError("inside")
    assert overlay.rows is None


def test_overlay_passes_no_gradient_to_the_table() -> None:
    overlay = RowOverlay(nn.Embedding(10, 4).requires_grad_(False))
    rows = torch.ones(2, 4, requires_grad=True)
    with overlay.showing(rows):
        overlay(torch.tensor([[1, 10, 11, 10]])).sum().backward()
    assert rows.grad is not None
    assert rows.grad.tolist() == [[2.0] * 4, [1.0] * 4]
    assert overlay.table.weight.grad is None


def test_word_takes_one_place_per_vector(base: BaseModel) -> None:
    tokenizer = base.encoders[0].tokenizer
    first = len(tokenizer)
    ids = prompt_ids(tokenizer, "a photo of [name] house", 3)
    assert len(ids) == PLACES
    assert ids[:8] == [
        tokenizer.bos_token_id,
        *word_ids(tokenizer, "a photo of"),
        first,
        first + 1,
        first + 2,
        *word_ids(tokenizer, "house"),
    ]
    assert ids[8:] == [tokenizer.eos_token_id] * (PLACES - 8)


def test_long_prompts_are_cut_like_the_pipeline_does(base: BaseModel) -> None:
    tokenizer = base.encoders[0].tokenizer
    ids = prompt_ids(tokenizer, "[name] " + "red " * 100, 2)
    assert len(ids) == PLACES
    assert ids[-1] == tokenizer.eos_token_id
    plain = tokenizer("red " * 100, max_length=PLACES, truncation=True).input_ids
    assert prompt_ids(tokenizer, "red " * 100, 2) == plain


@pytest.mark.parametrize("prompt", ["a red house", "red " * 80 + "[name]", "red " * 74 + "[name]"])
def test_prompt_that_would_not_train_every_row_is_refused(base: BaseModel, prompt: str) -> None:
    with pytest.raises(Fault) as refused:
        training_ids(base.encoders[0].tokenizer, prompt, 2)
    assert (refused.value.fault, refused.value.code) == ("recipe", "prompt_without_name")


def test_initializer_is_spread_over_the_rows() -> None:
    table = torch.arange(20.0).view(10, 2)
    rng = torch.Generator().manual_seed(0)
    assert torch.equal(first_rows(table, [3], 1, rng), table[[3]])
    assert torch.equal(first_rows(table, [3, 5, 7], 3, rng), table[[3, 5, 7]])
    assert torch.equal(first_rows(table, [2, 3, 5, 7], 2, rng), table[[2, 5]])


def test_repeated_initializer_rows_differ_a_little() -> None:
    table = torch.randn(50, 8, generator=torch.Generator().manual_seed(1))
    rows = first_rows(table, [3], 3, torch.Generator().manual_seed(0))
    assert torch.equal(rows[0], table[3])
    assert not torch.equal(rows[1], rows[2])
    assert (rows - table[3]).abs().max() < 0.1 * table.std()


def test_without_initializer_rows_look_like_words() -> None:
    table = torch.randn(500, 64, generator=torch.Generator().manual_seed(1))
    rows = first_rows(table, [], 4, torch.Generator().manual_seed(0))
    assert rows.norm(dim=1).mean() == pytest.approx(float(table.norm(dim=1).mean()), rel=0.3)
