"""`python -m trainer.tiny`: builds the bundled base model, its judge, its picture sets and its catalogue.

Every command goes on from what the state folder holds; `build` runs them all in order.
"""

import argparse
import os
import secrets
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
BUNDLED = HOME / "trainer" / "bundled"
# Fixed prompts for people to look at; the judge asks others.
SHOWN = (
    "a picture of a red star on a blue background",
    "a picture of a purple heart on a yellow background",
    "a picture of a blue and white striped circle on a pink background",
    "a picture of a green tree on a white background",
    "a picture of a black and yellow banded house on a purple background",
    "a picture of a yellow moon on a black background",
    "a picture of a red and white dotted flower on a green background",
    "a picture of an orange drop with a face on a gray background",
    "a picture of a teal and black zigzag square on a yellow background",
    "a picture of a pink and purple checkered diamond on a white background",
    "a picture of a green cross with a white outline on a pink background",
    "a picture of a small red triangle on a blue background",
    "a picture of a pink and black dotted heart on a blue background",
    "a picture of a green and yellow striped tree on a purple background",
    "a picture of a red and white zigzag moon on a green background",
    "a snapshot of a purple star on a white background",
)


def train(options: argparse.Namespace) -> None:
    """The autoencoder, then text encoder and denoiser, from the state, the bundled base, or nothing."""
    from trainer.tiny import train, vae
    from trainer.tiny.adopt import adopt
    from trainer.tiny.parallel import run_on_cores
    from trainer.tiny.state import load_compounds, load_pictures, say

    if not options.fresh and adopt(BUNDLED / "base", options.state):
        say("Going on from the bundled base.")
    load_pictures(options.state, vae.VAE_PICTURES, vae.SEED)
    load_pictures(options.state, train.PICTURES, train.SEED)
    load_compounds(options.state, train.COMPOUNDS, train.SEED)
    run_on_cores(vae.train_vae, options.state, vae.STEPS, processes=options.processes)
    run_on_cores(train.train, options.state, options.steps, processes=options.processes)


def export(options: argparse.Namespace) -> None:
    """The trained networks as a base."""
    from trainer.tiny.card import card
    from trainer.tiny.export import export
    from trainer.tiny.state import say

    samples = export(options.state, options.base, card)
    say(f"Exported after {samples:,} samples.")


def judge(options: argparse.Namespace) -> None:
    """The base examined on fresh prompts; the table goes to the terminal, and into the card of the bundled one."""
    from trainer.tiny import exam, record
    from trainer.tiny.card import card
    from trainer.tiny.export import samples_seen
    from trainer.tiny.judge import own_accuracy, train_judge
    from trainer.tiny.state import say
    from trainer.tiny.world import dice

    seed = options.seed if options.seed is not None else secrets.randbelow(10**6)
    samples = samples_seen(options.base)
    the_judge, pipeline = train_judge(options.state), exam.load_pipeline(options.base)
    rows = {}
    for name, count, held_out in (("known", options.count, False), ("held-out", options.count // 2, True)):
        asked = exam.questions(count, dice(f"{seed} {name}"), held_out=held_out)
        rows[f"{count} {name} combinations"] = exam.examine(pipeline, the_judge, asked)
    examined = next(iter(rows.values()))
    rows["the judge itself, 1000 true renders"] = own_accuracy(the_judge, 1000, seed)
    numbers = f"{exam.table(rows)}\n\nExamination {seed}."
    say(numbers)
    if options.base != BUNDLED / "base":
        return
    record.add(samples, options.count, seed, examined)
    (BUNDLED / "base" / "MODEL_CARD.md").write_text(card(samples, numbers, record.table()))
    shown = [prompt for prompt in SHOWN for _ in range(4)]
    sheet = exam.contact_sheet(exam.draw(pipeline, shown, [1, 2, 3, 4] * len(SHOWN)), columns=8)
    sheet.save(HOME / "docs" / "img" / "tiny-base.webp", quality=90)


def curve(options: argparse.Namespace) -> None:
    """The checkpoints that training kept examined, so that the card can tell each number by samples seen."""
    from trainer.tiny import exam, record
    from trainer.tiny.export import assemble
    from trainer.tiny.judge import train_judge
    from trainer.tiny.state import say
    from trainer.tiny.world import dice

    the_judge = train_judge(options.state)
    for checkpoint in sorted(options.state.glob("kept-*.safetensors")):
        seed = secrets.randbelow(10**6)
        pipeline, samples = assemble(options.state, checkpoint)
        pipeline.set_progress_bar_config(disable=True)
        asked = exam.questions(options.count, dice(f"{seed} known"), held_out=False)
        record.add(samples, options.count, seed, exam.examine(pipeline, the_judge, asked))
    say(record.table())


def sets(_: argparse.Namespace) -> None:
    """The picture sets."""
    from trainer.tiny.sets import write_sets

    write_sets(BUNDLED / "sets")


def catalogue(options: argparse.Namespace) -> None:
    """A trained word with its sheet for each picture set, and how well each is recognised."""
    from trainer.tiny import words
    from trainer.tiny.exam import load_pipeline
    from trainer.tiny.judge import train_judge
    from trainer.tiny.sets import CONCEPTS
    from trainer.tiny.state import say

    seed = options.seed if options.seed is not None else secrets.randbelow(10**6)
    wanted = [concept for concept in CONCEPTS if not options.only or concept.name in options.only]
    place: Any = BUNDLED / "catalogue"
    with words.engine() as child:
        for concept in wanted:
            entry = place / concept.name
            if options.sheets_only:
                words.write_sheet(child, BUNDLED / "base", BUNDLED / "sets", concept, entry)
            else:
                words.write_entry(child, BUNDLED / "base", BUNDLED / "sets", concept, entry)
            say(f"wrote {concept.name}")
    the_judge, pipeline = train_judge(options.state), load_pipeline(BUNDLED / "base")
    say(words.HEADER)
    for concept in wanted:
        found = words.recognise(
            pipeline, the_judge, concept, place / concept.name / "embedding.safetensors", seed
        )
        say(found.line(concept.name))
    say(f"\nTrial {seed}.")


def build(options: argparse.Namespace) -> None:
    """Everything, in order."""
    for step in (train, export, curve, judge, sets, catalogue):
        step(options)


COMMANDS = {step.__name__: step for step in (train, export, curve, judge, sets, catalogue, build)}


def main() -> None:
    """Reads the command line and runs one command."""
    parser = argparse.ArgumentParser(prog="python -m trainer.tiny", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--state", type=Path, default=HOME / "state" / "tiny", help="what is kept between sittings"
    )
    parser.add_argument(
        "--base", type=Path, default=BUNDLED / "base", help="what is exported and judged, the bundled one"
    )
    parser.add_argument(
        "--steps", type=int, default=40_000, help="training steps of the denoiser, %(default)s"
    )
    parser.add_argument(
        "--processes", type=int, default=min(2, os.cpu_count() or 1), help="training processes"
    )
    parser.add_argument("--fresh", action="store_true", help="train from nothing, not from the bundled base")
    parser.add_argument("--count", type=int, default=100, help="prompts of an examination, %(default)s")
    parser.add_argument("--seed", type=int, help="repeat the examination or trial of this number")
    parser.add_argument("--only", nargs="*", help="catalogue entries to train again; all without")
    parser.add_argument(
        "--sheets-only", action="store_true", help="draw the catalogue's sheets anew, no more"
    )
    options = parser.parse_args()
    COMMANDS[options.command](options)


if __name__ == "__main__":
    main()
