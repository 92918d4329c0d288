"""Bad numbers, full memory and changed inputs end in a documented state, never in a bad file."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine.base_model import BaseModel
from trainer.engine.events import Fault
from trainer.engine.fit import best_batch
from trainer.recipe import Recipe

Make = Callable[..., Recipe]
Train = Callable[..., Recorder]


@contextmanager
def broken_unet(base: BaseModel, spoil: Callable[[int, Any], Any]) -> Iterator[None]:
    """Let `spoil` see and change what the UNet says in each training call, counted from 0."""
    calls = 0

    def hook(_module: Any, _inputs: Any, output: Any) -> Any:
        nonlocal calls
        if not torch.is_grad_enabled():
            return output
        calls += 1
        return spoil(calls - 1, output)

    handle = base.unet.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def test_base_is_untouched_in_memory_and_on_disk(base: BaseModel, recipe: Make, train: Train) -> None:
    files = {
        path: hashlib.sha256(path.read_bytes()).digest()
        for path in base.facts.path.rglob("*")
        if path.is_file()
    }
    before = base.fingerprint()
    result = train(recipe()).last
    assert result["base_intact"] is True
    assert base.fingerprint() == before
    assert {path: hashlib.sha256(path.read_bytes()).digest() for path in files} == files
    assert all(not parameter.requires_grad for module in base.modules() for parameter in module.parameters())


def test_base_that_changes_during_a_run_fails_it(base_folder: Path, recipe: Make, train: Train) -> None:
    base = BaseModel.load(base_folder, precision="fp32")

    def spoil(call: int, output: Any) -> Any:
        base.vae.post_quant_conv.bias.data += 1
        return output

    with broken_unet(base, spoil), pytest.raises(Fault) as refused:
        train(recipe(max_steps=3), on=base)
    assert (refused.value.fault, refused.value.code) == ("machine", "base_changed")


def test_one_bad_step_is_skipped(base: BaseModel, recipe: Make, train: Train) -> None:
    with broken_unet(base, lambda call, out: (out[0] * float("nan"),) if call == 5 else out):
        events = train(recipe())
    assert events.last["event"] == "result"
    assert torch.isfinite(rows_of(events.last)).all()
    assert events.of("note") == []


def test_bad_stretch_goes_back_and_halves_the_rate(base: BaseModel, recipe: Make, train: Train) -> None:
    with broken_unet(base, lambda call, out: (out[0] * float("inf"),) if 53 <= call < 57 else out):
        events = train(recipe(max_steps=70))
    assert [note["text"] for note in events.of("note")] == [
        "The loss blew up; going back to step 50 at half the rate."
    ]
    assert events.last["event"] == "result"
    assert torch.isfinite(rows_of(events.last)).all()
    steps = [event["step"] for event in events.of("progress") if event["step"] % 10 == 0]
    assert steps == [10, 20, 30, 40, 50, 60, 70]


@pytest.mark.parametrize("first", [0, 55])
def test_run_that_stays_bad_fails_with_an_explanation_and_no_file_has_a_bad_number(
    base: BaseModel, recipe: Make, train: Train, tmp_path: Path, first: int
) -> None:
    def spoil(call: int, output: Any) -> Any:
        return (output[0] * float("nan"),) if call >= first else output

    with broken_unet(base, spoil), pytest.raises(Fault) as refused:
        train(recipe(max_steps=70))
    assert (refused.value.fault, refused.value.code) == ("recipe", "diverged")
    assert "learning rate" in refused.value.message
    tensors = [load_file(path) for path in tmp_path.rglob("*.safetensors")]
    assert len(tensors) > 0 or not first
    assert all(torch.isfinite(one).all() for file in tensors for one in file.values())


@pytest.mark.parametrize("first", [0, 5])
def test_full_memory_splits_the_batch_and_keeps_the_update(
    base: BaseModel, recipe: Make, train: Train, first: int
) -> None:
    settings = recipe(batch=4, max_steps=10)

    def spoil(call: int, output: Any) -> Any:
        if call >= first and len(output[0]) > 2:
            raise torch.OutOfMemoryError("no room")
        return output

    whole = rows_of(train(settings).last)
    with broken_unet(base, spoil):
        events = train(settings)
    (note,) = events.of("note")
    split = rows_of(events.last)
    assert (note["step"], events.last["steps"]) == (first, 10)
    assert (whole - split).abs().max() < 1e-4


def test_full_memory_when_nothing_is_left_to_give_up_ends_with_the_numbers(
    base: BaseModel, recipe: Make, train: Train
) -> None:
    def spoil(call: int, output: Any) -> Any:
        raise torch.OutOfMemoryError("no room")

    with broken_unet(base, spoil), pytest.raises(Fault) as refused:
        train(recipe())
    assert (refused.value.fault, refused.value.code) == ("machine", "out_of_memory")
    assert "smaller pictures" in refused.value.message


def test_recipe_for_another_family_is_refused(recipe: Make, train: Train) -> None:
    with pytest.raises(Fault) as refused:
        train(recipe(family="sd1"))
    assert refused.value.code == "wrong_family"


def test_changed_picture_is_refused(recipe: Make, train: Train, images: Images) -> None:
    with pytest.raises(Fault) as refused:
        train(recipe(), pictures=[{**images[0], "sha256": "0" * 64}])
    assert (refused.value.fault, refused.value.code) == ("recipe", "picture_changed")


def test_stop_while_pictures_are_read(recipe: Make, train: Train) -> None:
    stopped = train(recipe(), stop_at=-3).last
    assert stopped == {"event": "stopped", "step": 0, "checkpoint": None, "embedding": None}


@pytest.mark.parametrize(("step", "kept"), [(20, False), (52, True)])
def test_stopped_run_keeps_its_vectors_if_it_got_somewhere(
    recipe: Make, train: Train, step: int, kept: bool
) -> None:
    stopped = train(recipe(max_steps=60), stop_at=step).last
    assert Path(stopped["checkpoint"]).exists()
    assert (stopped["embedding"] is not None) is kept


def test_result_tells_all_there_is_to_know(recipe: Make, train: Train, base: BaseModel) -> None:
    settings = recipe(max_steps=60)
    events = train(settings)
    result = events.last
    assert (result["steps"], result["stopped_by"]) == (60, "max_steps")
    assert result["chosen"] in ("raw", "average")
    assert [stage["label"] for stage in result["growth"]] == [
        "step 0",
        *(f"step {step}" for step in (10, 30, 40)),
        "step 60",
        "average",
    ]
    assert len(result["losses"]["curve"]) == 7
    assert len(result["losses"]["thirds"]["last"]) == 3
    assert result["provenance"]["recipe"] == settings.to_dict()
    assert result["provenance"]["base_digest"] == result["base_digest"] == base.digest
    facts = result["encoders"][0]
    assert len(facts["norms"]) == len(facts["nearest"]) == 2
    assert [len(words) for words in facts["nearest"]] == [5, 5]
    started = events.of("started")[0]
    assert (started["steps"], started["pictures"]) == (60, 5)
    assert all("[name]" in prompt for prompt in started["prompts"])


def test_run_stops_by_itself_when_it_has_learned(recipe: Make, train: Train) -> None:
    result = train(recipe(max_steps=400, batch=1, patience=8)).last
    assert result["stopped_by"] == "learned"
    assert 150 <= result["steps"] < 400


def test_measures_against_full_memory_come_in_order_and_change_no_number_of_the_step(
    base: BaseModel, recipe: Make, train: Train
) -> None:
    """Until the text encoders are in main memory, the card is said to be full."""
    settings = recipe(batch=4, max_steps=6)
    whole = train(settings)

    def spoil(call: int, output: Any) -> Any:
        if "encoders" not in base._saved:
            raise torch.OutOfMemoryError("no room")
        return output

    with broken_unet(base, spoil):
        events = train(settings)
    told = [note["text"] for note in events.of("note")]
    words = ("2 pictures", "one picture", "gradient checkpointing", "attention in slices", "main memory")
    assert [word in text for word, text in zip(words, told, strict=True)] == [True] * 5
    assert (rows_of(events.last) - rows_of(whole.last)).abs().max() < 1e-4
    assert events.last["provenance"]["given_up"] == ["checkpointing", "slicing", "encoders"]
    # The next run starts with everything again.
    assert torch.equal(rows_of(train(settings).last), rows_of(whole.last))


def test_checkpoint_remembers_what_was_given_up(base: BaseModel, recipe: Make, train: Train) -> None:
    settings = recipe(batch=4, max_steps=12)

    def spoil(call: int, output: Any) -> Any:
        if len(output[0]) > 2:
            raise torch.OutOfMemoryError("no room")
        return output

    with broken_unet(base, spoil):
        whole = train(settings).last
        stopped = train(settings, stop_at=5).last
        resumed = train(settings, resume=stopped["checkpoint"])
    assert resumed.of("note") == []
    assert resumed.last["tensor_digest"] == whole["tensor_digest"]


def test_bad_gradient_is_skipped_like_a_bad_loss(base: BaseModel, recipe: Make, train: Train) -> None:
    def spoil(call: int, output: Any) -> Any:
        if call == 5:
            output[0].register_hook(lambda gradient: gradient * float("nan"))
        return output

    with broken_unet(base, spoil):
        events = train(recipe())
    assert events.last["event"] == "result"
    assert torch.isfinite(rows_of(events.last)).all()


def test_picture_that_encodes_to_nothing_sound_is_refused(
    base: BaseModel, recipe: Make, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = torch.full((1, 4, 16, 16), float("nan"))
    monkeypatch.setattr(base, "to_latents", lambda pixels: (nothing, nothing))
    with pytest.raises(Fault) as refused:
        train(recipe())
    assert (refused.value.fault, refused.value.code) == ("recipe", "bad_picture")


@pytest.mark.parametrize(
    ("seconds", "best"),
    [
        ({1: 1.0, 2: 1.2, 4: 1.6, 8: 3.1}, 4),
        ({1: 1.0, 2: 1.9}, 1),
        ({1: 1.0, 2: 1.1, 4: None}, 2),
        ({1: None}, 1),
        ({1: 1.0, 2: 1.0, 4: 1.0, 8: 1.0, 16: 1.0}, 16),
    ],
)
def test_batch_is_doubled_while_it_pays(seconds: dict[int, float | None], best: int) -> None:
    assert best_batch(lambda size: seconds[size], 16) == best
