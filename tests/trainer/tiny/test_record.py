"""The record of examinations: one row a base, in order of what it had seen."""

from pathlib import Path

from trainer.tiny import record


def test_a_later_examination_of_the_same_base_replaces_the_first(tmp_path: Path) -> None:
    file = tmp_path / "record.json"
    file.write_text("[]")
    for samples, fill in ((80_000, 0.5), (40_000, 0.25), (80_000, 0.75)):
        record.add(samples, 100, 7, dict.fromkeys(record.AXES, 1.0) | {"fill": fill}, file)
    lines = record.table(file).splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 40,000", "| 80,000"]
    assert "75.0%" in lines[3]
    assert "50.0%" not in record.table(file)


def test_the_bundled_record_can_be_shown() -> None:
    assert record.table().count("\n") > 1
