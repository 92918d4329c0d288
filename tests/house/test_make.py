"""`make` on a machine that lacks something: one line that says what, and the cure."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.source import ROOT

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


@pytest.fixture
def python(tmp_path: Path) -> str:
    """This Python under a name of its own, to be told apart by what it lacks."""
    program = tmp_path / "python"
    program.write_text(f'#!/bin/sh\ncase "$2" in *"$LACKS"*) exit 1; esac\nexec {sys.executable} "$@"\n')
    program.chmod(0o755)
    return str(program)


def refused(folder: Path, *settings: str, lacks: str = "") -> str:
    """What `make setup` says when it refuses."""
    answer = subprocess.run(
        ["make", "-s", "setup", f"VENV={folder / 'venv'}", *settings],
        cwd=ROOT, env={"PATH": "/usr/bin:/bin", "LACKS": lacks}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode != 0
    assert not (folder / "venv").exists()
    lines = [line for line in answer.stderr.splitlines() if not line.startswith("make")]
    assert len(lines) == 1, answer.stderr
    return lines[0]


def test_no_python_at_all(tmp_path: Path) -> None:
    assert "found none: install one" in refused(tmp_path, "PYTHON=")


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    said = refused(tmp_path, "PYTHON=/nowhere/python3.12")
    assert "no /nowhere/python3.12 here" in said
    assert "name another with PYTHON=" in said


def test_an_old_python(tmp_path: Path, python: str) -> None:
    said = refused(tmp_path, f"PYTHON={python}", lacks="version_info")
    assert "needs Python 3.11, 3.12 or 3.13" in said
    assert "name another with PYTHON=" in said


def test_a_python_without_venv(tmp_path: Path, python: str) -> None:
    assert "sudo apt install python3-venv" in refused(tmp_path, f"PYTHON={python}", lacks="import venv")


def test_a_disk_that_is_too_full_to_install(tmp_path: Path, python: str) -> None:
    said = refused(tmp_path, f"PYTHON={python}", "NEED_MIB=999999999", lacks="nothing")
    assert "needs 999999999 MiB" in said
    assert "Make room" in said


def test_a_python_named_by_hand_has_a_folder_of_its_own() -> None:
    planned = subprocess.run(
        ["make", "-n", "run", f"PYTHON={sys.executable}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f".venv-{version}/bin/python manage.py quickstart" in planned
