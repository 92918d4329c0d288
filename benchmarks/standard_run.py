"""How long a standard run with its full sheet takes on the bundled base, start-up included.

    python benchmarks/standard_run.py [--set NAME] [--preset standard] [--threads 2] [--limit 180]

Prints one line per stage and exits with 1 when the whole took longer than the limit.
"""

import argparse
import json
import os
import sys
import tempfile
import time

from trainer.base_folder import BUNDLED, read_base
from trainer.child import EngineChild
from trainer.recipe import Recipe

SETS = BUNDLED.parent / "sets"


def run(options: argparse.Namespace) -> float:
    """Train and draw once; the seconds it took."""
    facts = json.loads((SETS / options.set / "set.json").read_text("utf-8"))
    base = read_base(BUNDLED)
    recipe = Recipe.for_preset(
        options.preset,
        family=base.family,
        kind=facts["kind"],
        trigger=facts["trigger"],
        initializer=facts["initializer"],
        resolution=base.resolution,
        seed=1,
    )
    images = [{"path": str(path), "caption": None} for path in sorted((SETS / options.set).glob("*.png"))]
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as work:
        child = EngineChild(folder=work)
        common = {"base": str(BUNDLED), "workdir": work, "threads": options.threads}
        child.start()
        child.send({"do": "train", "id": "t", "recipe": recipe.to_dict(), "images": images, **common})
        marks = {}
        for event in child.events(3600):
            marks.setdefault(event["event"], time.monotonic() - began)
        result = event
        trained = time.monotonic()
        names = {"kind": recipe.kind, "trigger": recipe.trigger, "initializer": recipe.initializer}
        source = {"embedding": result["embedding"], "growth": result["growth"]}
        child.send({"do": "sheet", "id": "s", **names, **source, **common})
        *_, event = child.events(3600)
        ended = time.monotonic()
        child.stop()
    whole, steps = ended - began, result["steps"]
    pace = (trained - began - marks["started"]) / steps
    pictures = event["rendered"] + 2
    print(f"start-up          {marks['ready']:7.1f} s")
    print(f"base and pictures {marks['started'] - marks['ready']:7.1f} s")
    print(
        f"training          {trained - began - marks['started']:7.1f} s   {steps} steps, {pace * 1000:.0f} ms each"
        f" ({recipe.batch * recipe.accumulate / pace:.0f} samples/s), stopped by {result['stopped_by']}"
    )
    print(
        f"sheet             {ended - trained:7.1f} s   {pictures} pictures, {(ended - trained) / pictures:.2f} s each"
    )
    print(f"whole             {whole:7.1f} s   load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return whole


def main() -> None:
    """Read the options, measure, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--set", default="zebra-wave")
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--limit", type=float, default=180.0)
    options = parser.parse_args()
    sys.exit(run(options) > options.limit)


if __name__ == "__main__":
    main()
