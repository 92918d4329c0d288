"""One terminal: from an empty folder to a served page, and back to nothing by Ctrl-C."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.hub_process import ROOT, Hub
from tests.parts.process import free_port
from tests.parts.worker import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """The one hub of the tests below; its data folder does not exist yet."""
    made = Hub(tmp_path_factory.mktemp("quickstart") / "data")
    yield made
    made.kill_all()


@pytest.fixture
def hub(kept: Hub) -> Hub:
    """That hub, running: as the test before has left it, or started again."""
    if not kept.runs:
        kept.start()
    return kept


def status(hub: Hub, path: str) -> int:
    try:
        with urllib.request.urlopen(hub.url + path, timeout=20) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def gone(hub: Hub) -> bool:
    return not hub.processes()


def refused(data: Path, **variables: str) -> str:
    """What quickstart says when it refuses to start: one line."""
    environment = {**os.environ, "HUB_DATA_DIR": str(data), "HUB_ALLOW_ROOT": "1", **variables}
    answer = subprocess.run(
        [sys.executable, "manage.py", "quickstart"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert answer.returncode != 0
    assert len(answer.stderr.strip().splitlines()) == 1, answer.stderr
    return answer.stderr


def test_an_empty_folder_becomes_a_hub_with_a_way_in(hub: Hub) -> None:
    assert f"Glossa is ready at {hub.url}\n" in hub.lines
    assert re.fullmatch(rf"{hub.url}/sign-in/[\w-]{{40,}}", hub.sign_in_link or "")
    for path in ("/", "/healthz", "/readyz"):
        assert status(hub, path) == 200


def test_a_folder_in_use_is_said_in_one_line_with_the_cure(hub: Hub) -> None:
    started = hub.process
    assert started is not None
    said = refused(hub.folder, PORT=str(free_port()))
    assert f"process {started.pid}" in said
    assert "HUB_DATA_DIR" in said


def test_a_second_start_prepares_nothing_again(hub: Hub) -> None:
    first_link = hub.sign_in_link
    assert hub.stop() == 0
    hub.start()
    assert not any("Preparing" in line or "Collecting" in line for line in hub.lines)
    assert hub.sign_in_link != first_link


def test_a_child_that_dies_is_started_again(hub: Hub) -> None:
    for words in ("--queue default", "gunicorn", "valkey-server"):
        dead = min(hub.processes(words))
        os.kill(dead, signal.SIGKILL)
        eventually(lambda words=words, dead=dead: any(pid != dead for pid in hub.processes(words)), 120)
    eventually(lambda: sum("status -9" in line for line in hub.lines) == 3)
    eventually(lambda: status(hub, "/readyz") == 200, 120)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_leaves_no_process(hub: Hub, number: int) -> None:
    assert hub.process is not None
    hub.process.send_signal(number)
    assert hub.process.wait(75) == 0
    assert gone(hub)


def test_a_killed_supervisor_leaves_nothing_and_the_next_start_works(hub: Hub) -> None:
    assert hub.process is not None
    hub.process.kill()
    hub.process.wait()
    hub.start()
    assert status(hub, "/readyz") == 200
    assert hub.stop() == 0
    eventually(lambda: gone(hub))


def test_a_taken_port_is_said_in_one_line_with_the_cure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"PORT={port + 1} make run" in refused(tmp_path / "data", PORT=str(port))


def test_a_full_disk_is_said_in_one_line_with_the_cure(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", folder], check=False).returncode
    ):
        pytest.skip("only root can make a small file system")
    try:
        assert "is full" in refused(folder, PORT=str(free_port()))
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"HUB_SIGNUPS": "perhaps"}, "HUB_SIGNUPS"),
        ({"PORT": "http"}, "PORT"),
        ({"HUB_DATA_DIR": "/dev/null/data"}, "/dev/null/data"),
        ({"HUB_KILL_POINT": "K99"}, "K99"),
    ],
)
def test_a_setting_that_cannot_be_is_said_in_one_line(
    tmp_path: Path, variables: dict[str, str], words: str
) -> None:
    assert words in refused(tmp_path / "data", **{"PORT": str(free_port()), **variables})
