"""The tests that README.md names for what training must keep: `python -m tests.trainer.invariants` lists them."""

import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def named() -> dict[int, list[str]]:
    """The tests of each number, as `file::function`."""
    lines = re.findall(r"^\| (\d+) \|.*\|(.*)\|$", (FOLDER / "README.md").read_text("utf-8"), re.MULTILINE)
    return {int(number): re.findall(r"`([^`]+)`", tests) for number, tests in lines}


if __name__ == "__main__":
    for tests in named().values():
        sys.stdout.write("".join(f"tests/trainer/{test}\n" for test in tests))
