"""Trains words on the base through the product's own engine, and measures whether the judge recognises them."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from diffusers import StableDiffusionPipeline

from trainer.child import EngineChild
from trainer.recipe import Recipe
from trainer.tiny import world
from trainer.tiny.exam import draw
from trainer.tiny.judge import Judge, Verdict, look
from trainer.tiny.sets import Concept
from trainer.tiny.shapes import SHAPES

SILENCE = 300.0  # seconds without a word from the engine before it counts as stuck


class TrainingFailed(RuntimeError):
    """The engine reported a failure; the message is its own."""


@contextmanager
def engine() -> Iterator[EngineChild]:
    """A warm engine in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        child = EngineChild(folder=folder)
        child.start()
        try:
            yield child
        finally:
            child.stop()


def ask(child: EngineChild, command: dict[str, Any]) -> dict[str, Any]:
    """Sends a command and waits for the event that ends it. Raises TrainingFailed."""
    child.send(command)
    last = list(child.events(SILENCE))[-1]
    if last.get("event") == "failed":
        raise TrainingFailed(f"{last.get('message')} {last.get('detail', '')}")
    return last


def recipe_for(concept: Concept, **changes: Any) -> Recipe:
    """The product's standard recipe for this concept."""
    return Recipe.for_preset(
        "standard",
        family="tiny",
        kind=concept.kind,
        trigger=concept.name,
        initializer=concept.initializer,
        base="tiny",
        **changes,
    )


def teach(child: EngineChild, base: Path, pictures: Path, recipe: Recipe, work: Path) -> dict[str, Any]:
    """Trains a word from a folder of pictures; the engine's whole `result` event."""
    command: dict[str, Any] = {
        "do": "train",
        "id": recipe.trigger,
        "base": str(base),
        "recipe": recipe.to_dict(),
    }
    command |= {"images": images_of(pictures), "workdir": str(work), "resume": None, "preview_every": None}
    return ask(child, command)


def images_of(pictures: Path) -> list[dict[str, Any]]:
    """The pictures of a folder as the engine's commands take them."""
    return [
        {"path": str(path), "caption": None, "sha256": sha256(path.read_bytes()).hexdigest()}
        for path in sorted(pictures.glob("*.png"))
    ]


@dataclass(frozen=True)
class Recognition:
    """Of `count` pictures: where the judge saw the concept, and with the word also the rest of the prompt.

    For a negative word `spoilt` are the snapshots that come out spoilt, and `still_spoilt` those that do with the
    word in the negative prompt; both 0 for other kinds.
    """

    count: int
    word: int
    initializer: int
    neither: int
    ground: int
    thing: int
    spoilt: int = 0
    still_spoilt: int = 0

    def line(self, name: str) -> str:
        """One row of the table."""
        counts = (self.word, self.initializer, self.neither, self.ground, self.thing)
        negative = f"{self.spoilt} to {self.still_spoilt}" if self.spoilt else ""
        return f"| {name} | " + " | ".join(map(str, counts)) + f" | {negative} | of {self.count} |"


HEADER = (
    "| word | with the word | with the initializer | with neither | ground right | shape or colours right "
    "| spoilt snapshots, with the word as negative | |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Thing:
    """What a prompt asks for beside the word: an axis of the judge and what it should say there."""

    axis: str
    value: str | frozenset[str]


@dataclass(frozen=True)
class Question:
    """A prompt with `[name]`, and what else it asks for."""

    prompt: str
    ground: str
    thing: Thing


def questions_for(concept: Concept, rng: Random, count: int) -> list[Question]:
    """Fresh questions; all but the concept varies."""
    found = []
    for _ in range(count):
        ground = rng.choice(list(world.GROUNDS))
        if concept.kind in ("style", "negative"):
            shape = rng.choice(list(SHAPES))
            text, thing = f"a [name] {shape}", Thing("shape", shape)
        elif concept.kind == "object":
            colour = rng.choice([c for c in world.COLOURS if world.stands_out(c, ground)])
            text, thing = f"a {colour} [name]", Thing("colours", frozenset([colour]))
        else:
            ground = rng.choice(
                [g for g in world.GROUNDS if world.stands_out(concept.scene(rng, 0).colours[0], g)]
            )
            text, thing = "a [name]", Thing("ground", ground)
        found.append(Question(f"a picture of {text} on a {ground} background", ground, thing))
    return found


def recognise(
    pipeline: StableDiffusionPipeline,
    judge: Judge,
    concept: Concept,
    embedding: Path,
    seed: int,
    count: int = 16,
) -> Recognition:
    """Loads the word as any diffusers user would and lets the judge look at fresh pictures."""
    rng = world.dice(f"{seed} {concept.name}")
    asked = questions_for(concept, rng, count)
    seeds = [rng.getrandbits(31) for _ in asked]

    def shown(word: str, negative: str = "", *, snapshots: bool = False) -> list[Verdict]:
        prompts = [" ".join(one.prompt.replace("[name]", word).split()) for one in asked]
        if snapshots:
            prompts = [prompt.replace("a picture of", "a snapshot of") for prompt in prompts]
        return look(judge, draw(pipeline, prompts, seeds, negative))

    axis, value = concept.sign
    pipeline.load_textual_inversion(str(embedding), token=concept.name)
    with_word = shown(concept.name)
    spoilt: list[list[Verdict]] = [[], []]
    if concept.kind == "negative":
        spoilt = [shown("", snapshots=True), shown("", concept.name, snapshots=True)]
    pipeline.unload_textual_inversion()
    nothing = "shape" if concept.kind in ("object", "subject") else ""
    pairs = list(zip(with_word, asked, strict=True))
    return Recognition(
        count=count,
        word=_count(with_word, axis, value),
        initializer=_count(shown(concept.initializer), axis, value),
        neither=_count(shown(nothing), axis, value),
        ground=sum(seen.ground == one.ground for seen, one in pairs),
        thing=sum(getattr(seen, one.thing.axis) == one.thing.value for seen, one in pairs),
        spoilt=sum(seen.defect != "none" for seen in spoilt[0]),
        still_spoilt=sum(seen.defect != "none" for seen in spoilt[1]),
    )


def _count(verdicts: Sequence[Verdict], axis: str, value: str) -> int:
    return sum(getattr(seen, axis) == value for seen in verdicts)


def write_entry(child: EngineChild, base: Path, sets: Path, concept: Concept, entry: Path) -> None:
    """Trains one word and writes it with its sheet as the engine gave them, paths relative to the entry."""
    with tempfile.TemporaryDirectory() as folder:
        result = teach(child, base, sets / concept.name, recipe_for(concept), Path(folder))
        shutil.rmtree(entry, ignore_errors=True)
        (entry / "growth").mkdir(parents=True)
        result["embedding"] = _move(result["embedding"], entry, "embedding.safetensors")
        for stage in result["growth"]:
            stage["path"] = _move(stage["path"], entry, f"growth/{Path(stage['path']).name}")
    result.pop("seconds", None)
    _write(entry / "result.json", result)
    write_sheet(child, base, sets, concept, entry)


def write_sheet(child: EngineChild, base: Path, sets: Path, concept: Concept, entry: Path) -> None:
    """Draws the preview sheet of a trained word anew; the old one is written over."""
    result = json.loads((entry / "result.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        command = {
            "do": "sheet",
            "id": concept.name,
            "base": str(base),
            "embedding": str(entry / result["embedding"]),
            "kind": concept.kind,
            "trigger": concept.name,
            "initializer": concept.initializer,
            "workdir": folder,
            "images": images_of(sets / concept.name),
            "growth": [
                {"label": stage["label"], "step": stage["step"], "path": str(entry / stage["path"])}
                for stage in result["growth"]
            ],
        }
        sheet = ask(child, command)
        for picture in sheet["images"]:
            picture["path"] = _move(picture["path"], entry, Path(picture["path"]).name)
        sheet["sheet"] = _move(sheet["sheet"], entry, "sheet.webp")
    _write(entry / "sheet.json", sheet)


def _write(path: Path, event: dict[str, Any]) -> None:
    path.write_text(json.dumps(event, indent=1, sort_keys=True) + "\n")


def _move(path: str, entry: Path, name: str) -> str:
    shutil.copyfile(path, entry / name)
    return name
