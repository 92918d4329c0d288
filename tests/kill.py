"""Let a program die by SIGKILL at a named point, and come back to look at what it left."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

SETUP = "import django; django.setup()\n"


def run(code: str, *arguments: str, point: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with Django set up, in a process group of its own; with `point` it must die there.

    AssertionError, with what the program said, when it reached its end or died in another way.
    """
    return command([sys.executable, "-c", SETUP + code, *arguments], point=point, **variables)


def command(words: Sequence[str], *, point: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """The same for any command; what is left of its process group is killed with it."""
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "hub.settings",
        "HUB_KILL_POINT": point,
        **variables,
    }
    process = subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=120)
    finally:
        _kill_group(process.pid)
        process.wait()
    expected = -signal.SIGKILL if point else 0
    assert process.returncode == expected, f"{point}: ended with {process.returncode}, not {expected}: {err}"
    return subprocess.CompletedProcess(words, process.returncode, out, err)


def _kill_group(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return
