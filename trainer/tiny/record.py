"""What every examination found, by how many samples the base had seen: the curve in its card."""

import json
from collections.abc import Mapping
from pathlib import Path

RECORD = Path(__file__).with_name("record.json")
AXES = ("ground", "colours", "shape", "fill", "size", "all")


def add(samples: int, prompts: int, seed: int, shares: Mapping[str, float], file: Path = RECORD) -> None:
    """Keeps the shares (0 to 1) of an examination of known combinations; a later one of the same base replaces it."""
    rows = [row for row in json.loads(file.read_text()) if row["samples"] != samples]
    found = {axis: round(shares[axis], 4) for axis in AXES}
    rows.append({"samples": samples, "prompts": prompts, "seed": seed, **found})
    rows.sort(key=lambda row: row["samples"])
    file.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


def table(file: Path = RECORD) -> str:
    """All examinations as a Markdown table, a line each, by samples seen."""
    lines = [
        "| samples seen | " + " | ".join(AXES) + " | prompts | examination |",
        "| --- |" + " --- |" * (len(AXES) + 2),
    ]
    for row in json.loads(file.read_text()):
        shares = " | ".join(f"{row[axis]:.1%}" for axis in AXES)
        lines.append(f"| {row['samples']:,} | {shares} | {row['prompts']} | {row['seed']} |")
    return "\n".join(lines)
