"""`python -m trainer.tiny`: builds the bundled base model, its judge, its picture sets and its catalogue.

Every command goes on from what the state folder holds; `build` runs them all in order.
"""

import argparse
import os
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
BUNDLED = HOME / "trainer" / "bundled"


def _train(options: argparse.Namespace) -> None:
    from trainer.tiny import train, vae
    from trainer.tiny.parallel import run_on_cores
    from trainer.tiny.state import load_pictures

    load_pictures(options.state, vae.VAE_PICTURES, vae.SEED)
    load_pictures(options.state, train.PICTURES, train.SEED)
    run_on_cores(vae.train_vae, options.state, vae.STEPS, processes=options.processes)
    run_on_cores(train.train, options.state, options.steps, processes=options.processes)


COMMANDS = {"train": _train}


def main() -> None:
    """Reads the command line and runs one command."""
    parser = argparse.ArgumentParser(prog="python -m trainer.tiny", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument(
        "--state", type=Path, default=HOME / "state" / "tiny", help="what is kept between sittings"
    )
    parser.add_argument("--steps", type=int, default=7000, help="training steps of the denoiser, %(default)s")
    parser.add_argument(
        "--processes", type=int, default=min(2, os.cpu_count() or 1), help="training processes"
    )
    options = parser.parse_args()
    COMMANDS[options.command](options)


if __name__ == "__main__":
    main()
