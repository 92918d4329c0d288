"""The engine as a child program: commands in, events out, and always an end."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.parts.family import children, is_alive
from tests.parts.worker import eventually
from tests.trainer.engine.conftest import Images
from trainer.child import EngineChild, EngineDied, EngineSilent
from trainer.recipe import Recipe

Make = Callable[..., Recipe]
Event = dict[str, Any]


@pytest.fixture(scope="module")
def child(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineChild]:
    engine = EngineChild(folder=tmp_path_factory.mktemp("engine"))
    engine.start()
    yield engine
    engine.stop()


@pytest.fixture
def command(base_folder: Path, images: Images, tmp_path: Path) -> Callable[..., Event]:
    def make(recipe: Recipe, **changes: Any) -> Event:
        return {
            "do": "train",
            "id": "run-1",
            "base": str(base_folder),
            "recipe": recipe.to_dict(),
            "images": images,
            "workdir": str(tmp_path),
            "threads": 1,
            **changes,
        }

    return make


def ask(child: EngineChild, command: Event) -> list[Event]:
    child.send(command)
    return list(child.events(120))


def test_train_then_sheet_then_describe_on_a_warm_base(
    child: EngineChild, command: Callable[..., Event], recipe: Make, tmp_path: Path
) -> None:
    events = ask(child, command(recipe(max_steps=10), preview_every=5))
    names = [event["event"] for event in events]
    assert events[-1]["event"] == "result", events[-1]
    assert {"ready", "preparing", "started", "progress", "preview"} <= set(names)
    assert all(event["id"] == "run-1" for event in events if event["event"] != "ready")
    result = events[-1]
    sheet = {"embedding": result["embedding"], "kind": "style", "trigger": "mossglow", "initializer": None}
    common = {"id": "s", "base": command(recipe())["base"], "workdir": str(tmp_path)}
    drawn = ask(child, {"do": "sheet", **sheet, **common, "growth": result["growth"]})
    assert drawn[-1]["event"] == "sheet", drawn[-1]
    assert "preparing" not in [event["event"] for event in drawn]
    assert drawn[-1]["intact"] is True
    assert drawn[-1]["tensor_digest"] == result["tensor_digest"]
    assert all(Path(image["path"]).exists() for image in drawn[-1]["images"])
    told = ask(child, {"do": "describe", "embedding": result["embedding"], **common})[-1]
    assert told["event"] == "described"
    assert told["encoders"] == drawn[-1]["encoders"] == result["encoders"]


def test_cancel_is_honoured_within_a_step_and_keeps_a_checkpoint(
    child: EngineChild, command: Callable[..., Event], recipe: Make
) -> None:
    child.send(command(recipe(max_steps=5000), id="run-2"))
    asked_at = None
    for event in child.events(120):
        if event["event"] == "progress" and asked_at is None:
            asked_at = event["step"]
            child.cancel("run-2")
    assert event["event"] == "stopped"
    assert asked_at is not None
    assert Path(event["checkpoint"]).exists()


def test_engine_that_compiles_is_deaf_and_is_ended_at_once_with_all_it_started(
    command: Callable[..., Event], recipe: Make, tmp_path: Path
) -> None:
    child = EngineChild(folder=tmp_path)
    child.start()
    child.send(command(recipe(max_steps=600, compile=True, early_stop=False)))
    for event in child.events(120):
        if event["event"] == "compiling":
            break
    assert event["event"] == "compiling", event
    assert child.is_deaf and child.pid is not None
    started = [child.pid, *children(child.pid)]
    child.stop(600)
    assert not child.running
    eventually(lambda: not any(is_alive(pid) for pid in started))


def test_cancel_before_the_command_starts(
    child: EngineChild, command: Callable[..., Event], recipe: Make
) -> None:
    child.cancel("run-3")
    assert ask(child, command(recipe(), id="run-3"))[-1]["event"] == "stopped"


@pytest.mark.parametrize(
    ("changes", "fault", "code"),
    [
        ({"recipe": {"trigger": "x"}}, "recipe", "recipe_kind"),
        ({"base": "/nowhere"}, "machine", "base_not_found"),
        ({"images": []}, "recipe", "no_pictures"),
        ({"images": [{"path": "/nowhere.png"}]}, "recipe", "picture_missing"),
        ({"resume": "/nowhere.safetensors"}, "machine", "checkpoint_damaged"),
        ({"do": "dance"}, "machine", "bad_command"),
        ({"workdir": "/proc/nowhere"}, "machine", "engine_error"),
    ],
)
def test_failures_say_whose_fault_they_are(
    child: EngineChild,
    command: Callable[..., Event],
    recipe: Make,
    changes: Event,
    fault: str,
    code: str,
) -> None:
    last = ask(child, {**command(recipe()), **changes})[-1]
    assert (last["event"], last["fault"], last["code"]) == ("failed", fault, code)
    assert last["message"]


def test_embedding_of_another_family_is_refused(
    child: EngineChild, command: Callable[..., Event], recipe: Make, tmp_path: Path
) -> None:
    (tmp_path / "bad.safetensors").write_text("no tensors")
    ask_for = {"do": "describe", "id": "d", "embedding": str(tmp_path / "bad.safetensors")}
    last = ask(child, {**ask_for, "base": command(recipe())["base"]})[-1]
    assert (last["event"], last["fault"]) == ("failed", "recipe")


def test_line_that_is_no_command_is_answered_and_survived(tmp_path: Path) -> None:
    program = subprocess.run(
        [sys.executable, "-m", "trainer.engine"],
        input="nonsense\n[]\n",
        capture_output=True,
        text=True,
        timeout=120,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=True,
    )
    events = [json.loads(line) for line in program.stdout.splitlines()]
    assert sorted(event["event"] for event in events) == ["failed", "failed", "ready"]


def test_child_sees_nothing_of_the_parents_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_SECRET_KEY", "secret")
    engine = EngineChild(folder=tmp_path)
    engine.start()
    assert b"HUB_SECRET_KEY" not in Path(f"/proc/{engine.pid}/environ").read_bytes()
    assert next(engine.events(120))["event"] == "ready"
    with pytest.raises(EngineSilent):
        next(engine.events(0.1))
    engine.kill()
    assert not engine.running
    with pytest.raises(EngineDied):
        engine.send({"do": "quit"})


def test_engine_ends_when_its_parent_is_gone(tmp_path: Path) -> None:
    script = (
        "from trainer.child import EngineChild; import os, signal\n"
        f"child = EngineChild(folder={str(tmp_path)!r}); child.start(); next(child.events(120))\n"
        "print(child.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    parent = subprocess.run(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        cwd=Path(__file__).parents[3],
        check=False,
    )
    engine = Path(f"/proc/{int(parent.stdout)}")
    for _ in range(300):
        if not engine.exists() or " Z " in (engine / "stat").read_text():
            return
        time.sleep(0.1)
    pytest.fail("the engine outlived its parent")
