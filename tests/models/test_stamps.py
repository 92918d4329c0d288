"""Stamps: the database itself draws a number anew with every change to what doors tell of an embedding."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from hub.models import BaseModel, Embedding, Owner, Preview, Tag, Version
from hub.models.reading import Stamp
from hub.services.upkeep import counting
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]

MIGRATION = importlib.import_module("hub.migrations.0017_stamps")


@pytest.fixture
def version() -> Version:
    return factories.published("ada", "moss-dragon", family="sd1").versions.get()


def drawn(version: Version) -> int:
    """The stamp of its embedding."""
    return Stamp.objects.get(pk=version.embedding_id).number


def raw(sql: str) -> Callable[[Version], object]:
    """A change past all of our code; `{e}` and `{v}` are the ids of embedding and version."""

    def run(version: Version) -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql.format(e=version.embedding_id, v=version.pk))

    return run


def tagged(version: Version) -> None:
    version.embedding.tags.add(Tag.objects.get_or_create(slug="moss")[0])


def tag_renamed(version: Version) -> None:
    tagged(version)
    Tag.objects.filter(slug="moss").update(slug="lichen")


def on_a_base(version: Version) -> None:
    draft = factories.draft(version.embedding)
    Version.objects.filter(pk=draft.pk).update(base_model=factories.base_model())


def base_renamed(version: Version) -> None:
    on_a_base(version)
    BaseModel.objects.update(name="renamed")


CHANGES: dict[str, Callable[[Version], object]] = {
    "title": raw("UPDATE hub_embedding SET title = 'Other' WHERE id = {e}"),
    "visibility": raw("UPDATE hub_embedding SET visibility = 'private' WHERE id = {e}"),
    "likes": raw("UPDATE hub_embedding SET likes = likes + 1 WHERE id = {e}"),
    "state": raw("UPDATE hub_version SET state = 'yanked' WHERE id = {v}"),
    "label": raw("UPDATE hub_version SET label = 'spring' WHERE id = {v}"),
    "a draft": lambda version: factories.draft(version.embedding),
    "tag": tagged,
    "a tag's name": tag_renamed,
    "base model": on_a_base,
    "a base model's name": base_renamed,
    "owner's name": lambda version: Owner.objects.filter(name="ada").update(name="eda"),
    "card": lambda version: publishing.update_details(
        factories.viewer("ada"), embedding=version.embedding, card="New."
    ),
    "next version": lambda version: factories.version(
        Embedding.objects.get(pk=version.embedding_id), trigger="moss-dragon"
    ),
    "pulls": lambda version: counting.count_download(file_id=version.files.all()[0].pk, day="2026-01-01"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_draws_another_number(version: Version, change: str) -> None:
    before, other = drawn(version), factories.published("ada", "ink-fox").versions.get()
    stays = drawn(other)
    CHANGES[change](version)
    assert drawn(version) != before
    if change != "owner's name":
        assert drawn(other) == stays


def test_pictures_draw_another_number_when_they_come_change_and_go(version: Version, tmp_path: Path) -> None:
    numbers = [drawn(version)]
    blob = version.files.all()[0].blob
    picture = Preview.objects.create(version=version, blob=blob, width=8, height=8)
    numbers.append(drawn(version))
    Preview.objects.filter(pk=picture.pk).update(alt="A dragon.")
    numbers.append(drawn(version))
    picture.delete()
    numbers.append(drawn(version))
    assert len(set(numbers)) == 4


def test_a_number_comes_from_nowhere_twice(version: Version) -> None:
    numbers = set()
    for _ in range(50):
        Embedding.objects.filter(pk=version.embedding_id).update(likes=0)
        numbers.add(drawn(version))
    assert len(numbers) == 50


def test_saving_a_row_that_was_read_long_ago_does_not_bring_a_number_back(version: Version) -> None:
    old = Embedding.objects.get(pk=version.embedding_id)
    seen = {drawn(version)}
    for _ in range(3):
        old.save()
        assert drawn(version) not in seen
        seen.add(drawn(version))


def test_every_rule_has_its_triggers() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'stamp_%%'"
            if connection.vendor == "postgresql"
            else "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'stamp_%%'",
            [],
        )
        found = {name for (name,) in cursor.fetchall()}
    rules = {f"stamp_{rule.table}_{event.lower()}" for rule in MIGRATION.RULES for event in rule.events}
    assert found == rules | {"stamp_first"}
