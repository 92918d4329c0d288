"""Doors never write to the database: they call a service, which does it in one transaction."""

import ast
from pathlib import Path

import pytest

from tests.house.source import DOORS, ROOT, product_files, tree

# Of rows, querysets and managers, whatever these are called and wherever they come from.
ALWAYS = frozenset(
    {"save", "create", "delete", "get_or_create", "update_or_create", "bulk_create", "bulk_update"}
)
# Of managers of related rows. Sets and lists have these too, but those are names of their own in a door.
RELATED = frozenset({"add", "remove", "set", "clear"})
# Owners that are no rows: their calls change nothing in the database that a service answers for.
HARMLESS = frozenset({"session", "cache"})


def door_files() -> list[Path]:
    return [path for path in product_files() if str(path.relative_to(ROOT)).startswith(DOORS)]


def writes(code: ast.Module) -> list[str]:
    """Calls that write through the ORM: on a model, a manager of any name, a queryset or a row."""
    services = _services(code)
    found = []
    for node in ast.walk(code):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = ast.unparse(node.func.value)
        if owner.rsplit(".", 1)[-1] not in HARMLESS | services and _writes(node, node.func):
            found.append(f"{node.lineno}: {owner}.{node.func.attr}(…)")
    return found


def _writes(call: ast.Call, function: ast.Attribute) -> bool:
    # `asave`, `acreate` and their like are the same in an asynchronous door.
    name = function.attr
    plain = name[1:] if name.startswith("a") and name != "add" else name
    if plain == "update":
        # A queryset takes fields by name; a dictionary or a hash takes a value.
        return not call.args
    if plain in RELATED:
        return isinstance(function.value, ast.Attribute)
    return plain in ALWAYS


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
        "Version.listed.filter(pk=1).update(state='x')",
        "Version.listed.bulk_create(rows)",
        "embedding.versions.update(state='x')",
        "embedding.versions.all().delete()",
        "queryset.update(state='x')",
        "embedding.tags.add(tag)",
        "embedding.tags.set([])",
        "await row.asave()",
        "row.save(update_fields=['state'])",
        "row.delete()",
    ],
)
def test_writing_in_a_door_is_found(code: str) -> None:
    assert writes(ast.parse(code)) != []


@pytest.mark.parametrize(
    "code",
    [
        "from hub.services.people import tokens\ntokens.create(viewer)",
        "context.update(more)",
        "seen.add(name)",
        "digest.update(data)",
        "request.session.delete('x')",
    ],
)
def test_what_writes_nothing_is_not_taken_for_writing(code: str) -> None:
    assert writes(ast.parse(code)) == []


# The ZIP of a version with its sidecars is made by hand, behind the same question as the file alone.
READS_BYTES = {"hub/civitai/sidecars.py"}


def test_doors_hand_out_files_by_the_one_way_out_alone() -> None:
    """`hub.wire.files.send` asks the gate of an embedding; bytes that a door reads by itself would go past it."""
    reads = set()
    for path in door_files():
        called = {ast.unparse(node.func) for node in ast.walk(tree(path)) if isinstance(node, ast.Call)}
        if called & {"converting.stored", "converting.opened", "blobs.read", "blobs.checked", "blobs.url"}:
            reads.add(str(path.relative_to(ROOT)))
    assert reads == READS_BYTES
    assert "gates.check(" in (ROOT / "hub/civitai/sidecars.py").read_text()
