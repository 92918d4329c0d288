"""A run's scalars can be looked at in TensorBoard; without its writer, or where it cannot write, the run goes on."""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.trainer.engine.conftest import Images, Recorder, rows_of
from trainer.engine import board
from trainer.engine.base_model import BaseModel
from trainer.engine.board import SCALARS, Board
from trainer.engine.run import Run
from trainer.recipe import Recipe

Make = Callable[..., Recipe]


def run(base: BaseModel, recipe: Recipe, images: Images, work: Path, folder: Path | None) -> Recorder:
    told = Recorder()
    with Board(told, folder) as to_board:
        Run(base, recipe, images, work, to_board, lambda: False).train()
    return told


def records(path: Path) -> Iterator[bytes]:
    """The records of an event file: a length, its checksum, the bytes, their checksum."""
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack_from("<Q", data)
        yield data[12 : 12 + length]
        data = data[16 + length :]


def test_progress_is_written_as_scalars(
    base: BaseModel, recipe: Make, images: Images, tmp_path: Path
) -> None:
    events = pytest.importorskip("tensorboardX.proto.event_pb2", reason="tensorboardX is not installed")
    told = run(base, recipe(max_steps=20), images, tmp_path / "work", tmp_path / "board")
    (file,) = (tmp_path / "board").iterdir()
    found: dict[tuple[str, int], float] = {}
    for record in records(file):
        event = events.Event.FromString(record)
        for value in event.summary.value:
            found[value.tag, event.step] = value.simple_value
    wanted = {
        (name, event["step"]): pytest.approx(event[name], rel=1e-6)
        for event in told.of("progress")
        for name in SCALARS
    }
    assert {10, 20} <= {step for _, step in wanted}
    assert found == wanted


def test_run_is_the_same_with_and_without_a_board(
    base: BaseModel, recipe: Make, images: Images, tmp_path: Path
) -> None:
    settings = recipe(max_steps=10)
    with_board = run(base, settings, images, tmp_path / "one", tmp_path / "board").last
    without = run(base, settings, images, tmp_path / "two", None).last
    assert rows_of(with_board).equal(rows_of(without))


def test_missing_writer_is_told_to_the_operator_alone(
    base: BaseModel,
    recipe: Make,
    images: Images,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(board, "SummaryWriter", None)
    told = run(base, recipe(max_steps=10), images, tmp_path / "work", tmp_path / "board")
    assert told.last["event"] == "result"
    assert "glossa[tensorboard]" in capsys.readouterr().err
    assert not told.of("note")


def test_folder_that_cannot_be_written_ends_no_run(
    base: BaseModel, recipe: Make, images: Images, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "board").write_text("a file")
    told = run(base, recipe(max_steps=10), images, tmp_path / "work", tmp_path / "board")
    assert told.last["event"] == "result"
    assert "No scalars are written" in capsys.readouterr().err
