"""Precision and recall of the advice on picture sets, over sets made now with faults that are known.

    python -m benchmarks.set_advice [--rounds 1] [--seed N]

A round is 44 sets: each of ten faults and none, for each of the four kinds. The seed is fresh unless given, so that
nothing can be fitted to it. Pictures go the way of uploads, through a sandboxed child. A finding counts as right when
the set has that fault; `pictures` are those of right findings that have the fault, of those named and of those there.
"""

import argparse
import secrets
import tempfile
import time
from collections import Counter
from pathlib import Path

from hub import sandbox
from tests.trainer.advice.made_sets import FAULTS, RESOLUTION, MadeSet, make_sets
from trainer.advice import Look, advise

Counts = dict[str, Counter[str]]


def looks_of(made: MadeSet, folder: Path) -> list[Look]:
    """The looks of a set's pictures, as the trainer gets them."""
    looks = []
    for place, data in enumerate(made.pictures):
        path = folder / "picture.jpg"
        path.write_bytes(data)
        facts = sandbox.read_picture(path, max_side=1024, look=True).facts
        looks.append(Look.of(facts, digest=str(place), width=0, height=0))
    return looks


def judge(made: MadeSet, looks: list[Look], counts: Counts) -> list[str]:
    """Count what was found, what was missed and what was made up; say what went wrong."""
    wrong = []
    said = {
        finding.code: set(finding.pictures)
        for finding in advise(looks, kind=made.kind, resolution=RESOLUTION)
    }
    for code in {*said, *made.truth}:
        count = counts.setdefault(code, Counter())
        if code not in said:
            count["missed"] += 1
            wrong.append(f"{made.kind}: missed {code} in {sorted(made.truth[code])}")
        elif code not in made.truth:
            count["made up"] += 1
            wrong.append(f"{made.kind} with {list(made.truth)}: made up {code} in {sorted(said[code])}")
        else:
            count["right"] += 1
            count["named"] += len(said[code])
            count["there"] += len(made.truth[code]) if said[code] else 0
            count["both"] += len(said[code] & made.truth[code])
    return wrong


def part(some: int, of: int) -> str:
    """A share as people read it."""
    return f"{some / of:.2f}" if of else "   -"


def main() -> None:
    """Make sets, take advice on them, print what it was worth."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1 << 30))
    options = parser.parse_args()
    counts: Counts = {code: Counter() for code in FAULTS}
    pictures, spent, clean, disturbed = 0, 0.0, 0, 0
    made_sets = make_sets(options.seed, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        for number, made in enumerate(made_sets):
            looks = looks_of(made, Path(folder))
            pictures += len(looks)
            began = time.process_time()
            for line in judge(made, looks, counts):
                print(f"set {number}, {line}")
            spent += time.process_time() - began
            if not made.truth:
                clean += 1
                disturbed += bool(advise(looks, kind=made.kind, resolution=RESOLUTION))
    print(f"seed {options.seed}: {len(made_sets)} sets, {pictures} pictures")
    print(f"{'finding':16} precision recall  right made-up missed  pictures: precision recall")
    for code, count in counts.items():
        right, extra, missed = count["right"], count["made up"], count["missed"]
        print(
            f"{code:16} {part(right, right + extra):>9} {part(right, right + missed):>6}  {right:5} {extra:7} "
            f"{missed:6}            {part(count['both'], count['named']):>9} {part(count['both'], count['there']):>6}"
        )
    total = sum(counts.values(), Counter())
    right = total["right"]
    print(f"{'all':16} {part(right, right + total['made up']):>9} {part(right, right + total['missed']):>6}")
    print(f"{clean - disturbed} of {clean} sets without a fault for their kind got no remark")
    print(f"{1000 * spent / len(made_sets):.0f} ms of processor time for the findings of a set")


if __name__ == "__main__":
    main()
