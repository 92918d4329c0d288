"""Training of the tiny base in miniature: it learns, it resumes exactly, it can go on from an exported base."""

import numpy as np
import pytest
import torch

from trainer.tiny import adopt, export, judge, train, vae
from trainer.tiny.card import card
from trainer.tiny.state import Average, load_state, save_state
from trainer.tiny.tokens import LENGTH


@pytest.fixture(autouse=True)
def miniature(monkeypatch):
    monkeypatch.setattr(vae, "VAE_PICTURES", 12)
    monkeypatch.setattr(train, "PICTURES", 24)
    monkeypatch.setattr(train, "COMPOUNDS", 12)
    monkeypatch.setattr(train, "BATCH", 4)
    monkeypatch.setattr(train, "SAVE_EVERY", 1)


@pytest.fixture
def trained(tmp_path):
    vae.train_vae(0, 1, tmp_path, 1)
    train.train(0, 1, tmp_path, 2)
    return tmp_path


def weights(state):
    text, unet, _, done = train.load_base(state / "base.safetensors")
    return done, torch.cat([p.reshape(-1) for p in (*text.parameters(), *unet.parameters())])


def tensors(batch):
    found = vars(batch)
    return {**{name: one for name, one in found.items() if name != "numbers"}, **found["numbers"]}


def test_a_cut_run_goes_on_as_if_it_had_not_been(trained, monkeypatch):
    monkeypatch.setattr(train, "SHORT_UNTIL", 1.0)
    monkeypatch.setattr(train, "rate", lambda step, steps: 1e-3)
    runs = []
    for pieces in ((3,), (1, 3)):
        (trained / "base.safetensors").unlink()
        for steps in pieces:
            train.train(0, 1, trained, steps)
        runs.append(weights(trained))
    assert runs[0][0] == runs[1][0] == 3
    assert torch.equal(runs[0][1], runs[1][1])


def test_batches_depend_on_step_and_process_alone(trained):
    first, second = train.Examples(trained, 0, 1), train.Examples(trained, 0, 1)
    for phase in range(3):
        one, two = (tensors(examples.batch(3, LENGTH, phase)) for examples in (first, second))
        assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(first.batch(3, LENGTH).noisy, first.batch(4, LENGTH).noisy)


def test_compound_words_come_in_the_last_phase_alone(trained, monkeypatch):
    monkeypatch.setattr(train, "COMPOUND", (0.0, 0.0, 1.0))
    monkeypatch.setattr(train, "DROP", 0.0)
    examples = train.Examples(trained, 0, 1)
    assert not examples.batch(1, LENGTH, 1).places.any()
    batch = examples.batch(1, LENGTH, 2)
    assert (batch.places[:, 0] > 0).all()
    assert (batch.sums[:, 0].sum(1) > 0).all()


def test_an_exported_base_can_be_trained_on(trained, tmp_path_factory):
    folder, fresh = tmp_path_factory.mktemp("out") / "base", tmp_path_factory.mktemp("fresh")
    assert export.export(trained, folder, card) == 2 * train.BATCH
    assert adopt.adopt(folder, fresh)
    assert not adopt.adopt(folder, fresh)
    done, kept = weights(fresh)
    assert done == 2
    assert torch.allclose(kept, weights(trained)[1], atol=2e-3)


def test_the_exported_table_holds_trained_rows_in_place_and_the_unknown_row_elsewhere(trained):
    text, _, table, _ = train.load_base(trained / "base.safetensors")
    short = text.get_input_embeddings().weight.detach()
    full = export.full_table(short, table)
    assert full.shape[0] == 49408
    assert torch.equal(full[adopt.short_ids(table)], short)
    assert (full == short[table.unknown]).all(1).sum() >= 49408 - len(table)


def test_a_checkpoint_gives_back_weights_optimizer_and_average(tmp_path):
    def parts():
        torch.manual_seed(1)
        net = torch.nn.Linear(3, 2)
        return {
            "net": net,
            "optimizer": torch.optim.AdamW(net.parameters(), lr=0.1),
            "average": Average(net.parameters()),
        }

    first, second = parts(), parts()
    for step in range(3):
        first["net"](torch.ones(1, 3)).sum().backward()
        first["optimizer"].step()
        first["average"].update(step)
    save_state(tmp_path / "x.safetensors", 3, first)
    assert load_state(tmp_path / "x.safetensors", second) == 3
    assert torch.equal(first["net"].weight, second["net"].weight)
    assert torch.equal(first["average"].shadow[0], second["average"].shadow[0])
    assert (
        first["optimizer"].state_dict()["state"][0]["step"]
        == second["optimizer"].state_dict()["state"][0]["step"]
    )


def test_the_judge_knows_the_right_answers():
    scene = judge.Scene("fish", ("red", "white"), "wavy", "blue", small=True)
    classes, colours = judge.answers(scene)
    named = dict(zip(judge.AXES, classes, strict=True))
    assert judge.AXES["shape"][named["shape"]] == "fish"
    assert judge.AXES["fill"][named["fill"]] == "wavy"
    assert judge.AXES["size"][named["size"]] == "small"
    assert {name for name, there in zip(judge.COLOURS, colours, strict=True) if there} == {"red", "white"}


def test_an_untrained_judge_still_gives_a_verdict_for_every_picture():
    pictures, _, _ = judge.draw_lessons(3, seed=1)
    images = [judge.Image.fromarray(np.asarray(picture)) for picture in pictures]
    assert len(judge.look(judge.Judge().eval(), images)) == 3
