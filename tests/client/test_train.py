"""`glossa train` against a real hub, whose worker is in this process and whose engine is the stand-in."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection

from hub.access import Viewer
from hub.models import Version
from tests import factories, samples
from tests.client.made_up import Answer, Asked, MadeUp
from tests.client.runner import ROOT, Glossa
from tests.trainer.conftest import base, child, engine_python, maker  # noqa: F401  # fixtures
from trainer import worker
from trainer.models import TrainingRun

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("disk_blobs", "child", "base")]


@pytest.fixture
def mia(glossa: Glossa, maker: Viewer) -> Glossa:  # noqa: F811
    """The client of a person who may train and publish."""
    assert maker.user is not None
    glossa.variables["GLOSSA_TOKEN"] = factories.token("mia", scopes=["read", "train", "publish"])[1]
    return glossa


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    for number, colour in enumerate(("navy", "seagreen", "firebrick")):
        (made / f"picture-{number}.png").write_bytes(samples.picture(size=(96, 96), colour=colour))
    (made / "notes.txt").write_text("not a picture")
    return made


@pytest.fixture
def working() -> Iterator[None]:
    """A worker that takes every run that is queued."""
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(0.2):
            for run in TrainingRun.objects.filter(state="queued"):
                worker.run_training.fn(str(run.id))
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join(60)


@pytest.mark.usefixtures("working")
def test_pictures_become_a_published_word(mia: Glossa, folder: Path, tmp_path: Path) -> None:
    words = (
        "--name",
        "moss-glow",
        "--kind",
        "style",
        "--consent",
        "--steps",
        "40",
        "--seed",
        "7",
        "--publish",
    )
    said = mia("train", folder, *words, "--json")
    assert (said.record["state"], said.record["name"]) == ("done", "mia/moss-glow")
    assert "picture-0.png: sent." in said.err
    assert "notes.txt" not in said.err
    assert Version.objects.get().is_published
    mia("pull", "mia/moss-glow@v1", "--tool", "diffusers", "--dir", tmp_path / "words")


def test_a_run_goes_on_without_the_client_and_can_be_watched_again(
    mia: Glossa, folder: Path, request: pytest.FixtureRequest
) -> None:
    begun = mia(
        "train",
        folder,
        "--name",
        "moss-glow",
        "--kind",
        "style",
        "--consent",
        "--steps",
        "40",
        "--no-wait",
        "--json",
    ).record
    run = TrainingRun.objects.get()
    assert begun["run"] == str(run.id)
    assert (run.max_steps, run.trigger) == (40, "moss-glow")
    request.getfixturevalue("working")
    said = mia("train", "--follow", begun["url"])
    assert f"publish it there: {begun['url']}" in said.out
    deadline = time.monotonic() + 180
    while TrainingRun.objects.get().state != "done":
        assert time.monotonic() < deadline
    said = mia("train", "--follow", begun["run"], "--publish", "--notes", "First.")
    assert said.out.startswith("mia/moss-glow@v1 is published")
    assert Version.objects.get().notes == "First."
    assert "mia/moss-glow@v1" in mia("train", "--follow", begun["run"]).out
    # Said again, it is published already, and that is no error.
    assert mia("train", "--follow", begun["run"], "--publish").out.startswith("mia/moss-glow@v1 is published")


WORDS = ("--name", "moss-glow", "--kind", "style", "--consent")


def test_ctrl_c_leaves_the_run_going_and_says_how_to_watch_and_to_stop_it(mia: Glossa, folder: Path) -> None:
    process = mia.start("train", folder, *WORDS, "--publish")
    assert process.stderr is not None
    for line in process.stderr:
        if "Ctrl-C" in line:
            break
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=180)
    run = TrainingRun.objects.get()
    assert (process.returncode, run.state, run.cancel_requested) == (130, "queued", False)
    assert f"glossa train --follow {run.id} --publish --hub {mia.hub}" in err
    assert "Traceback" not in err
    said = mia("train", "--stop", str(run.id))
    assert said.out.startswith("The run is stopped")
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert mia("train", "--follow", str(run.id), ok=False).code == 8


@pytest.mark.usefixtures("working")
def test_a_terminal_shows_one_line_that_moves_and_keeps_what_happened(mia: Glossa, folder: Path) -> None:
    ours, theirs = pty.openpty()
    words = [sys.executable, "-m", "hub", "train", str(folder), *WORDS, "--steps", "400"]
    process = subprocess.Popen(
        words, env={**mia.environment(), "PYTHONPATH": str(ROOT)}, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    assert process.wait(180) == 0
    os.close(ours)
    text = shown.decode()
    moving = re.findall(r"\r(\[#*\.*\] step [^\r]*)", text)
    assert any(re.search(r"step \d+ of 400, error \d\.\d+", line) for line in moving), text
    assert "Training." in text and "Done." in text
    assert "drawing the preview sheet:" not in text.lower(), "said once is enough"


def test_an_answer_that_is_lost_starts_no_second_run(
    mia: Glossa, folder: Path, made_up: Callable[[], MadeUp]
) -> None:
    between, hub = made_up(), mia.hub
    lost: list[str] = []

    def relay(asked: Asked) -> Answer:
        request = urllib.request.Request(
            hub + asked.path, asked.body or None, asked.headers, method=asked.method
        )
        try:
            with urllib.request.urlopen(request) as response:
                answer = Answer(response.read(), response.status)
        except urllib.error.HTTPError as error:
            answer = Answer(error.read(), error.code)
        if asked.method == "POST" and not lost:
            lost.append(asked.headers["idempotency-key"])
            answer.breaks_after, answer.length = 5, len(answer.body)
        return answer

    between.answers = dict.fromkeys(("/api/hub/v1/runs", "/api/hub/v1/base-models"), relay)
    mia.hub = between.url
    begun = mia("train", folder, *WORDS, "--no-wait", "--json").record
    assert begun["run"] == str(TrainingRun.objects.get().id)
    posts = [one.headers["idempotency-key"] for one in between.asked if one.method == "POST"]
    assert posts == lost * 2


def test_a_hub_that_has_the_call_in_hand_is_asked_for_its_answer(
    mia: Glossa, folder: Path, made_up: Callable[[], MadeUp]
) -> None:
    hub = made_up()
    run = "00000000-0000-0000-0000-00000000000a"
    busy = b'{"error": {"code": "still_running", "message": "The same call is being worked on."}}'

    def start(asked: Asked) -> Answer:
        is_first = sum(one.method == "POST" for one in hub.asked) == 1
        return Answer(busy, 409) if is_first else Answer(b'{"id": "%s", "warnings": []}' % run.encode(), 201)

    hub.answers["/api/hub/v1/runs"] = start
    mia.hub = hub.url
    assert mia("train", folder, *WORDS, "--base-model", "tiny", "--no-wait", "--json").record["run"] == run
    assert hub.asked[0].body == hub.asked[1].body
    assert hub.asked[0].body.count(b'name="pictures"; filename="picture-') == 3


RECORD = {
    "state": "training", "embedding": "mia/moss-glow", "step": 5, "max_steps": 40, "is_over": False, "stage": "",
    "message": "", "place_in_line": None, "starts_in_seconds": None, "seconds_left": 3, "version": None,
    "has_draft": False,
}  # fmt: skip
RUN = "00000000-0000-0000-0000-00000000000a"


def test_a_hub_that_goes_away_meanwhile_is_waited_for(mia: Glossa, made_up: Callable[[], MadeUp]) -> None:
    hub, path = made_up(), f"/api/hub/v1/runs/{RUN}"
    hub.answers[f"{path}/events"] = Answer(b"")

    def told(_asked: Asked) -> Answer:
        times = hub.paths().count(path)
        if 1 < times < 8:
            return Answer(b"{}", 503, {"Retry-After": "0"})
        done = {"state": "done", "is_over": True, "has_draft": True}
        return Answer(json.dumps(RECORD | (done if times > 1 else {})).encode())

    hub.answers[path] = told
    mia.hub = hub.url
    assert "Done. Look at the draft" in mia("train", "--follow", RUN).out


@pytest.mark.parametrize("events", [b"[" * 50_000, b"{}\n", b"null\n", b'{"sequence": "x"}\n', b"\x1b[2J\n"])
def test_events_that_are_none_are_not_believed(
    mia: Glossa, made_up: Callable[[], MadeUp], events: bytes
) -> None:
    hub = made_up()
    hub.answers[f"/api/hub/v1/runs/{RUN}"] = Answer(json.dumps(RECORD).encode())
    hub.answers[f"/api/hub/v1/runs/{RUN}/events"] = Answer(events)
    mia.hub = hub.url
    assert mia("train", "--follow", RUN, ok=False).code == 6


def test_what_a_hub_says_of_a_run_cannot_command_the_terminal(
    mia: Glossa, made_up: Callable[[], MadeUp]
) -> None:
    hub, evil = made_up(), "\x1b[2J\x9b31m"
    failed = {"state": "failed" + evil, "message": evil, "stage": evil, "embedding": evil, "is_over": True}
    events = [
        {"sequence": 1, "event": "note", "text": evil},
        {"sequence": 2, "event": "state", "state": evil, "message": evil},
    ]
    hub.answers[f"/api/hub/v1/runs/{RUN}"] = Answer(json.dumps(RECORD | failed).encode())
    lines = "".join(json.dumps(one) + "\n" for one in events)
    hub.answers[f"/api/hub/v1/runs/{RUN}/events"] = Answer(lines.encode())
    mia.hub = hub.url
    said = mia("train", "--follow", RUN, ok=False)
    assert said.code == 8
    assert not {"\x1b", "\x9b"} & set(said.out + said.err)


def test_every_setting_of_a_recipe_can_be_said_in_words(mia: Glossa, folder: Path) -> None:
    (folder / "picture-1.txt").write_text("on moss, at night\n")
    words = (
        "--name",
        "moss-glow",
        "--kind",
        "style",
        "--consent",
        "--no-wait",
        "--template",
        "[name], [filewords]",
        "--preview-prompt",
        "[name] on a mug",
    )
    said = ("norm=off", "min_snr_gamma=off", "flip=no", "batch=2", "lr=1e-3", "lr_schedule=5e-3:10, 1e-3")
    run = mia("train", folder, *words, *(word for pair in said for word in ("--set", pair)), "--json")
    made = TrainingRun.objects.get(pk=run.record["run"])
    wanted = {
        "norm": "off", "min_snr_gamma": None, "flip": False, "batch": 2, "lr": 1e-3, "captions": True,
        "lr_schedule": "5e-3:10, 1e-3", "templates": ["[name], [filewords]"],
        "preview_prompts": ["[name] on a mug"],
    }  # fmt: skip
    assert {name: made.recipe[name] for name in wanted} == wanted
    assert [image.caption for image in made.images.all()] == ["", "on moss, at night", ""]
    assert mia("train", folder, *words, "--set", "norm", ok=False).code == 2
    refused = mia("train", folder, *words, "--set", "norm=tight", ok=False)
    assert (refused.code, "preserve" in refused.err) == (8, True)


def test_what_lies_beside_a_picture_goes_with_it(mia: Glossa, folder: Path) -> None:
    (folder / "picture-0.txt").write_text("on moss, at night\n")
    (folder / "picture-1.focus").write_text("0.1, 0 0.6 0.5\n")
    (folder / "picture-2.mask.png").write_bytes(samples.picture("PNG", size=(96, 96), colour="white"))
    said = mia("train", folder, *WORDS, "--no-wait", "--json")
    assert "picture-2.mask.png: sent." in said.err
    run = TrainingRun.objects.get()
    told = [
        (image.caption, image.facts.get("focus"), bool(image.mask_id))
        for image in run.images.order_by("position")
    ]
    assert told == [("on moss, at night", None, False), ("", [0.1, 0.0, 0.6, 0.5], False), ("", None, True)]
    assert (run.recipe["captions"], run.recipe["crop"], run.recipe["mask"]) == (True, "focus", "file")
    # Each picture by itself, as a shell writes a folder out, and all of it left aside.
    words = ("--captions", "none", "--set", "crop=centre", "--set", "mask=off", "--no-wait")
    mia("train", *sorted(folder.glob("*.png")), "--name", "moss-dim", *WORDS[2:], *words)
    plain = TrainingRun.objects.exclude(pk=run.pk).get()
    assert plain.images.count() == 3
    assert (plain.recipe["captions"], plain.recipe["crop"], plain.recipe["mask"]) == (False, "centre", "off")


def test_what_lies_beside_a_picture_and_cannot_be_used_is_said(mia: Glossa, folder: Path) -> None:
    focus = folder / "picture-1.focus"
    focus.write_text("left top\n")
    said = mia("train", folder, *WORDS, ok=False)
    assert (said.code, "picture-1.focus: write four shares" in said.err) == (7, True)
    focus.unlink()
    (folder / "picture-2.mask.png").write_bytes(samples.picture("PNG", size=(96, 20), colour="white"))
    said = mia("train", folder, *WORDS, ok=False)
    assert (said.code, "picture-2.mask.png: The mask has another shape" in said.err) == (8, True)
    assert not TrainingRun.objects.exists()


def test_what_is_wrong_with_the_form_is_said_in_the_hubs_words(mia: Glossa, folder: Path) -> None:
    assert mia("train", folder, "--kind", "style", ok=False).code == 2
    said = mia("train", folder, "--name", "moss", "--kind", "style", "--consent", ok=False)
    assert said.code == 8
    assert "already know the word moss" in said.err
    said = mia("train", folder / "none.png", "--name", "moss-glow", "--kind", "style", "--consent", ok=False)
    assert said.code == 7
    mia.variables["GLOSSA_TOKEN"] = factories.token("mia", scopes=["read"])[1]
    said = mia("train", folder, "--name", "moss-glow", "--kind", "style", "--consent", ok=False)
    assert said.code == 4
    assert "train" in said.err


def test_a_run_of_somebody_else_is_not_found(mia: Glossa) -> None:
    said = mia("train", "--follow", "00000000-0000-0000-0000-000000000000", ok=False)
    assert said.code == 3
    assert mia("train", "--follow", "../../etc", ok=False).code in (2, 6)
