"""No Django process loads torch: not at start, not lazily, whatever page is asked for."""

import importlib.util
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import kill
from tests.house.source import ROOT
from tests.parts.family import is_alive
from tests.parts.worker import eventually

HEAVY = ("torch", "diffusers", "transformers", "accelerate")

BOOT_SITE = """
import hub.wsgi
from django.urls import URLPattern, get_resolver
def views(patterns):
    for entry in patterns:
        if isinstance(entry, URLPattern):
            yield entry.callback
        else:
            yield from views(entry.url_patterns)
count = sum(callable(view) for view in views(get_resolver().url_patterns))
assert count > 20, count
"""
BOOT_WORKER = """
import importlib
from django.conf import settings
importlib.import_module(settings.QUEUES[{queue!r}])
"""
BOOT_COMMANDS = """
from django.core.management import get_commands, load_command_class
for name, app in get_commands().items():
    if app in ("hub", "trainer"):
        load_command_class(app, name)
"""
LOOK = f"""
import sys
print(sorted(set({HEAVY!r}) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "code",
    [BOOT_SITE, BOOT_WORKER.format(queue="default"), BOOT_WORKER.format(queue="gpu"), BOOT_COMMANDS],
    ids=["site", "worker", "gpu worker", "commands"],
)
def test_a_django_process_starts_without_torch(code: str) -> None:
    assert kill.run(code + LOOK).stdout.strip() == "[]"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="there is no torch here")
def test_a_process_that_loads_torch_is_found() -> None:
    assert kill.run("import torch" + LOOK).stdout.strip() == "['torch']"


SUITE = """
import os, pathlib, signal, sys
from tests.parts import process
server = process.start(["sleep", "600"], log=pathlib.Path(sys.argv[1]), death_signal=signal.SIGTERM)
print(server.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent is gone")
def test_what_the_suite_has_started_ends_with_it_even_if_it_is_killed(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-c", SUITE, str(tmp_path / "log")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == -signal.SIGKILL
    eventually(lambda: not is_alive(int(said.stdout)))
