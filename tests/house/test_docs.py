"""The documentation keeps up with the code: every setting and every error code has its line."""

import ast
import re
from pathlib import Path

import pytest

from hub import errors
from hub.env import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
ERROR_CLASSES = {name for name, value in vars(errors).items() if isinstance(value, type)}


def raised_codes() -> set[str]:
    """The literal codes with which product code builds domain errors."""
    codes = set()
    for path in [*ROOT.glob("hub/**/*.py"), *ROOT.glob("trainer/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if (
                name in ERROR_CLASSES
                and name != "NotFound"
                and node.args
                and isinstance(node.args[0], ast.Constant)
            ):
                codes.add(node.args[0].value)
            if name in ERROR_CLASSES:
                codes |= {
                    k.value.value
                    for k in node.keywords
                    if k.arg == "code" and isinstance(k.value, ast.Constant)
                }
    return codes


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda variable: variable.name)
def test_every_setting_is_documented_with_its_default_and_meaning(variable):
    default = f"`{variable.default}`" if variable.default else "empty"
    row = f"| `{variable.name}` | {default} | {variable.help} |"
    assert row in (ROOT / "docs" / "settings.md").read_text()


def test_every_error_code_is_documented():
    documented = set(re.findall(r"`([a-z_0-9]+)`", (ROOT / "docs" / "errors.md").read_text()))
    codes = raised_codes()
    assert len(codes) > 10
    assert codes - documented == set()


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text()):
            if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} → {target}")
    assert broken == []
