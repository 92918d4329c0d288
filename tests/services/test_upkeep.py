"""fsck finds planted damage and nothing else; gc takes what nobody needs and nothing else."""

import json
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from hub import blobs
from hub.blobs.names import path_of
from hub.models import Blob, Download, Embedding, SearchText
from hub.services.moderation import appeals, rulings
from hub.services.upkeep import fsck, gc
from hub.services.upkeep.references import unreferenced
from hub.services.versions import ingest, publishing
from tests import factories
from tests.frozen import flush_allowed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]


def rules(**how: Any) -> list[str]:
    """Rules that fsck finds broken."""
    return [finding.rule for finding in fsck.findings(**how)]


def command(*words: str) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and lines of the command."""
    out = StringIO()
    try:
        call_command("fsck", "--json", *words, stdout=out)
        code = 0
    except SystemExit as end:
        code = int(str(end.code))
    return code, [json.loads(line) for line in out.getvalue().splitlines()]


def age(hours: float) -> None:
    """Make every blob older."""
    Blob.objects.update(created_at=timezone.now() - timedelta(hours=hours))


@pytest.fixture
def hub(disk_blobs: Path) -> Embedding:
    """A hub with a bit of everything."""
    embedding = factories.published()
    factories.version(embedding)
    publishing.update_details(factories.viewer(), embedding=embedding, card="Words.")
    publishing.yank(factories.viewer(), version=embedding.versions.get(number=2), reason="Why.")
    factories.draft(factories.embedding(name="ring-dusk"))
    embedding.refresh_from_db()
    return embedding


@pytest.mark.usefixtures("hub")
def test_a_sound_hub_is_clean() -> None:
    assert rules(read_data=True) == []
    assert command("--read-data") == (0, [{"findings": 0, "repaired": 0}])


def test_lost_and_damaged_bytes_are_found(hub: Embedding, disk_blobs: Path) -> None:
    first, second = (disk_blobs / path_of(f.blob_id) for f in hub.versions.get(number=1).files.all())
    first.unlink()
    data = second.read_bytes()
    second.chmod(0o600)
    second.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    assert rules() == ["I2"]
    assert sorted(rules(read_data=True)) == ["I1", "I2"]
    code, lines = command("--read-data", "--repair")
    assert code == 1 and lines[-1] == {"findings": 2, "repaired": 0}


def test_derived_data_is_found_wrong_and_made_again(hub: Embedding) -> None:
    Embedding.objects.filter(pk=hub.pk).update(downloads=7, head=hub.versions.get(number=2))
    SearchText.objects.filter(embedding=hub).delete()
    Download.objects.create(version=hub.versions.get(number=1), day="2026-01-01", count=3)
    assert sorted(rules()) == ["I10", "I12", "I9"]
    assert command("--repair")[0] == 0
    assert rules() == []
    hub.refresh_from_db()
    assert (hub.downloads, hub.head.number) == (3, 1)


def test_a_changed_history_is_found(hub: Embedding) -> None:
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("the triggers are lifted on SQLite only")
    with flush_allowed(), connection.cursor() as cursor:
        cursor.execute("UPDATE hub_auditentry SET actor = 'eve' WHERE sequence = 2")
        cursor.execute("DELETE FROM hub_auditentry WHERE sequence = 4")
        cursor.execute("UPDATE hub_file SET path = 'x.safetensors' WHERE layout = 'diffusers'")
    found = list(fsck.findings())
    assert [finding.message for finding in found if finding.rule == "I11"] == [
        "audit entry 2 was changed",
        "audit entry 4 is missing",
    ]
    assert {finding.message for finding in found if finding.rule == "I2"} == {"is not the id of its tree"}


@pytest.mark.usefixtures("hub")
def test_gc_leaves_everything_that_is_used() -> None:
    age(hours=1000)
    stored = set(blobs.walk())
    assert gc.collect().removed == 0
    assert set(blobs.walk()) == stored


@pytest.mark.usefixtures("hub")
def test_gc_waits_for_the_grace_and_then_removes_bytes_and_row() -> None:
    blob = ingest.store(b"nobody needs this")
    assert gc.collect().removed == 0
    age(hours=25)
    assert gc.collect(dry_run=True).removed == 1 and blobs.exists(blob.sha256)
    done = gc.collect()
    assert (done.removed, done.bytes_removed) == (1, 17)
    assert not blobs.exists(blob.sha256) and not Blob.objects.filter(pk=blob.pk).exists()
    assert rules() == []


def test_strays_get_a_row_first_and_go_a_grace_later() -> None:
    stored = ingest.put(b"left by a dead upload")
    assert gc.collect().adopted == 1
    assert unreferenced().get().sha256 == stored.sha256
    age(hours=25)
    assert gc.collect().removed == 1 and list(blobs.walk()) == []


def test_an_upload_that_meets_the_mark_puts_the_bytes_back() -> None:
    blob = ingest.store(b"wanted again")
    Blob.objects.update(deleting=True)
    blobs.delete(blob.sha256)
    assert not ingest.store(b"wanted again").deleting
    assert blobs.read(blob.sha256) == b"wanted again"
    blobs.delete(blob.sha256)
    Blob.objects.all().delete()
    stored = ingest.put(b"wanted again")
    blobs.delete(stored.sha256)
    ingest.row(stored)
    assert blobs.read(blob.sha256) == b"wanted again"


def test_a_deleted_version_lets_go_of_its_bytes_after_a_week_and_keeps_its_tombstone() -> None:
    embedding = factories.published(visibility="private", card="Private words.", summary="Private.")
    publishing.delete_embedding(factories.viewer(), embedding=embedding)
    age(hours=1000)
    assert gc.collect().released_versions == 0
    embedding.versions.update(state_changed_at=timezone.now() - timedelta(days=8))
    done = gc.collect()
    assert done.released_versions == 1 and done.removed >= 3
    assert list(blobs.walk()) == []
    embedding.refresh_from_db()
    assert (embedding.card, embedding.summary, embedding.name) == ("", "", "moss-dragon")
    assert embedding.versions.get().state == "deleted"
    assert rules() == []


def test_the_commands_say_what_they_did() -> None:
    out = StringIO()
    call_command("gc", "--json", stdout=out)
    assert json.loads(out.getvalue())["removed"] == 0
    call_command("gc", "--dry-run", stdout=out)
    assert "Would remove 0 blobs" in out.getvalue()
    call_command("fsck", stdout=out)
    assert out.getvalue().endswith("Clean.\n")


def test_what_was_taken_down_goes_when_nobody_can_appeal_any_more(hub: Embedding) -> None:
    mod, first, second = factories.moderator(), *hub.versions.order_by("number")
    made = [
        rulings.rule(mod, embedding=hub, version=version, kind="take_down", reason="Copied.")[0]
        for version in (first, second)
    ]
    appeals.appeal(factories.viewer(), ruling=made[0], text="It is mine.")
    assert gc.collect().released_versions == 0
    hub.versions.update(state_changed_at=timezone.now() - timedelta(days=gc.TAKEN_DOWN_DAYS + 1))
    assert gc.collect().released_versions == 1
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.tensors is not None and first.files.exists()
    assert second.tensors is None and second.state == "taken_down" and not second.files.exists()
    assert rules() == []
