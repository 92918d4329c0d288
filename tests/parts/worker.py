"""A worker process on the suite's database and broker."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.environment import DATA_DIR
from tests.parts import process

_WITH_ACTORS = """
import sys, django; django.setup()
from django.conf import settings
from hub.jobs import runner
settings.QUEUES = {"default": sys.argv[1]}
runner.SWEEP_SECONDS = 0.3
runner.run("default")
"""


@contextmanager
def running(*, actors: str = "", queue: str = "default") -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker`, or the same with another module of actors; stopped by SIGTERM in the end."""
    program = ["-c", _WITH_ACTORS, actors] if actors else ["manage.py", "worker", "--queue", queue]
    variables = {"DJANGO_SETTINGS_MODULE": "hub.settings", "dramatiq_restart_delay": "300"}
    root = Path(__file__).parent.parent.parent
    log = DATA_DIR / f"worker-{queue}.log"
    worker = process.start([sys.executable, *program], log=log, folder=root, environment=variables)
    try:
        yield worker
    finally:
        process.stop(worker, signal.SIGTERM)


def eventually(fact: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something becomes true; AssertionError when it does not."""
    deadline = time.monotonic() + seconds
    while not fact():
        assert time.monotonic() < deadline, "it did not become true in time"
        time.sleep(0.05)
