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


def progress(step: int, loss: float | None) -> dict[str, object]:
    return {**dict.fromkeys(SCALARS, 0.5), "step": step, "loss": loss}


def test_an_attempt_takes_back_what_the_one_before_wrote_after_its_checkpoint(tmp_path: Path) -> None:
    events = pytest.importorskip("tensorboardX.proto.event_pb2", reason="tensorboardX is not installed")
    for start, shift in ((0, 0.0), (20, 10.0)):
        with Board(Recorder(), tmp_path) as to_board:
            to_board("started", step=start)
            for step in range(start + 10, start + 40, 10):
                to_board("progress", **progress(step, None if step == 10 else step + shift))
    first, second = (
        [events.Event.FromString(record) for record in records(path)] for path in sorted(tmp_path.iterdir())
    )
    # What TensorBoard goes by: a start at a step drops all that other files of the folder have from there on.
    assert [event.step for event in second if event.session_log.status == events.SessionLog.START] == [21]
    losses = [
        {event.step: one.simple_value for event in file for one in event.summary.value if one.tag == "loss"}
        for file in (first, second)
    ]
    assert losses == [{20: 20, 30: 30}, {30: 40, 40: 50, 50: 60}]


def test_records_have_the_sums_that_tensorboard_checks(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX", reason="tensorboardX is not installed")
    with Board(Recorder(), tmp_path) as to_board:
        to_board("started", step=0)
        to_board("progress", **progress(10, 0.25))
    (path,) = tmp_path.iterdir()
    assert path.name.startswith("events.out.tfevents.")
    data = path.read_bytes()
    while data:
        (length,) = struct.unpack_from("<Q", data)
        sums = struct.unpack_from("<I", data, 8) + struct.unpack_from("<I", data, 12 + length)
        assert sums == (masked(data[:8]), masked(data[12 : 12 + length]))
        data = data[16 + length :]


def masked(data: bytes) -> int:
    """CRC-32C as these files have it: turned by 15 bits, and a number added."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


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
