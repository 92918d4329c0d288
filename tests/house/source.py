"""The product's source as the house checks see it: files and syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOORS = ("hub/web", "hub/api", "hub/hf", "hub/civitai", "hub/management", "trainer/web", "trainer/management")


def product_files() -> Iterator[Path]:
    """Every Python file of hub and trainer that people write and read; migrations are made by a tool."""
    for room in ("hub", "trainer"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path


def tree(path: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(path.read_text(), str(path))
