"""Sheets are stored whole and replaced whole; pulls are counted by day."""

from pathlib import Path

import pytest

from hub.errors import UnacceptableFile
from hub.models import Download, Preview
from hub.services.upkeep import counting
from hub.services.versions import previews
from tests import factories, samples

pytestmark = pytest.mark.django_db


def test_a_sheet_keeps_what_is_needed_to_draw_it_again(tmp_path: Path) -> None:
    version = factories.version()
    factories.sheet(version, tmp_path, blocks="AC", columns=2)
    version.refresh_from_db()
    assert version.sheet_state == "done" and version.insights == {"intact": True}
    cells = list(version.previews.filter(role="image"))
    assert [(cell.block, cell.column, cell.seed, cell.is_control) for cell in cells] == [
        ("A", 0, 0, False),
        ("A", 1, 1, False),
        ("C", 0, 0, True),
        ("C", 1, 1, True),
    ]
    assert cells[0].parameters == {"steps": 20} and (cells[0].width, cells[0].height) == (64, 48)
    assert version.previews.get(role="sheet").content_type == "image/webp"


def test_recording_a_sheet_again_replaces_it(tmp_path: Path) -> None:
    version = factories.version()
    factories.sheet(version, tmp_path, blocks="ABC")
    factories.sheet(version, tmp_path, blocks="AC")
    factories.sheet(version, tmp_path, blocks="AC")
    assert sorted(set(version.previews.values_list("block", flat=True))) == ["", "A", "C"]
    assert Preview.objects.count() == 9


@pytest.mark.parametrize(
    "data", [b"", b"text that is no picture at all, though long enough", samples.picture("GIF")]
)
def test_a_sheet_with_something_else_in_it_leaves_the_old_one(tmp_path: Path, data: bytes) -> None:
    version = factories.version()
    factories.sheet(version, tmp_path)
    before = list(version.previews.values())
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    with pytest.raises(UnacceptableFile):
        previews.record_sheet(
            version_id=version.pk, images=[{"path": path, "block": "A"}], sheet=None, insights={}
        )
    assert list(version.previews.values()) == before


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 50}, {"quality": 50, "icc_profile": b"x" * 200}]
)
def test_the_size_of_every_kind_of_webp_is_read(tmp_path: Path, options: dict[str, object]) -> None:
    path = tmp_path / "x.webp"
    path.write_bytes(samples.picture("WEBP", size=(123, 45), **options))
    assert previews.picture_size(path) == ("image/webp", 123, 45)


def test_the_state_of_a_sheet_is_told_to_the_owner() -> None:
    version = factories.version()
    previews.mark(version_id=version.pk, state="failed", message="x" * 500)
    version.refresh_from_db()
    assert version.sheet_state == "failed" and len(version.sheet_message) == 280


def test_pulls_add_up_by_day_and_in_all() -> None:
    embedding = factories.published()
    file = embedding.versions.get().files.first()
    assert file is not None
    for day in ("2026-01-01", "2026-01-01", "2026-01-02"):
        counting.count_download(file_id=file.pk, day=day)
    counting.count_download(file_id=0, day="2026-01-01")
    embedding.refresh_from_db()
    assert embedding.downloads == 3
    assert sorted(Download.objects.values_list("count", flat=True)) == [1, 2]
