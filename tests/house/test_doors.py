"""Doors never write to the database: they call a service, which does it in one transaction."""

import ast
from pathlib import Path

import pytest

from tests.house.source import DOORS, ROOT, product_files, tree

WRITES = frozenset(
    {
        "save",
        "create",
        "update",
        "delete",
        "get_or_create",
        "update_or_create",
        "bulk_create",
        "bulk_update",
        "add",
    }
)
# Owners of these calls that are no rows: sessions, forms' caches, sets, hashes, argument parsers.
HARMLESS = frozenset({"session", "cache", "digest", "found", "seen", "names", "messages"})


def door_files() -> list[Path]:
    return [path for path in product_files() if str(path.relative_to(ROOT)).startswith(DOORS)]


def writes(code: ast.Module) -> list[str]:
    """Calls that write through the ORM: `Model.objects.create`, `queryset.update`, `row.save` and the like."""
    found = []
    services = _services(code)
    for node in ast.walk(code):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        last = owner.rsplit(".", 1)[-1]
        if node.func.attr not in WRITES or last in HARMLESS or owner in services:
            continue
        if node.func.attr in {"update", "add"} and "objects" not in owner:
            # Dictionaries and sets have these too; a queryset is reached through `objects`.
            continue
        found.append(f"{node.lineno}: {owner}.{node.func.attr}(…)")
    return found


def _services(code: ast.Module) -> set[str]:
    """Names under which the file knows modules of services: what they do is theirs to answer for."""
    return {
        alias.asname or alias.name
        for node in ast.walk(code)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[1:2] == ["services"]
        for alias in node.names
    }


@pytest.mark.parametrize("path", door_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_door_does_not_write_to_the_database(path: Path) -> None:
    assert writes(tree(path)) == []


@pytest.mark.parametrize(
    "code",
    [
        "Embedding.objects.create(name='x')",
        "Version.objects.filter(pk=1).update(state='x')",
        "row.save()",
        "row.delete()",
    ],
)
def test_writing_in_a_door_is_found(code: str) -> None:
    assert writes(ast.parse(code)) != []
