"""Budgets: a file is read in one go, a function is seen at a glance."""

import ast
import subprocess
import sys

import pytest

from tests.house.source import ROOT, product_files, tree

MOST_LINES = 300
BRANCHY = "def f(a, b):\n" + "".join(f"    if a == {number}:\n        b += 1\n" for number in range(10))
LONG = "def f(a):\n" + "    a += 1\n" * 41


def measured(*arguments: str, code: str | None = None) -> str:
    """What ruff says of functions with more than 40 statements or more than 10 ways through."""
    command = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "--no-cache",
        "--select",
        "C901,PLR0915",
        "--output-format",
        "concise",
    ]
    answer = subprocess.run(
        [*command, *arguments], input=code, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert answer.returncode in (0, 1), answer.stderr
    return answer.stdout if answer.returncode else ""


def test_no_file_is_longer_than_300_lines() -> None:
    lengths = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in product_files()}
    assert {path: length for path, length in lengths.items() if length > MOST_LINES} == {}


def test_no_function_is_over_40_statements_or_10_ways_through() -> None:
    assert measured("hub", "trainer", "manage.py", "--ignore-noqa") == ""


@pytest.mark.parametrize(("code", "rule"), [(LONG, "PLR0915"), (BRANCHY, "C901")])
def test_a_function_over_budget_is_found(code: str, rule: str) -> None:
    assert rule in measured("-", code=code)


def test_every_module_says_what_it_is_for() -> None:
    silent = [str(path.relative_to(ROOT)) for path in product_files() if not ast.get_docstring(tree(path))]
    assert silent == []
