"""Loaded before Django's settings: a data folder of its own for this test process, and its database.

GLOSSA_TEST_DATABASE=postgres runs whatever is selected against a Postgres server that is started here.
GLOSSA_TEST_BLOBS=s3 gives the hub of tests with real clients a bucket, where it has a folder otherwise.
GLOSSA_TEST_HF_PYTHON names the Python whose huggingface_hub these tests drive; without it they drive the newest.
"""

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from tests.parts.postgres import Postgres
from tests.parts.process import CannotStart

IN_CI = bool(os.environ.get("CI"))
ON_POSTGRES = os.environ.get("GLOSSA_TEST_DATABASE") == "postgres"
BLOBS = os.environ.get("GLOSSA_TEST_BLOBS", "disk")
HF_PYTHON = os.environ.get("GLOSSA_TEST_HF_PYTHON", sys.executable)


def _set_up() -> None:
    for name in [name for name in os.environ if name.startswith("HUB_")]:
        del os.environ[name]
    folder = tempfile.mkdtemp(prefix="glossa-test-")
    atexit.register(_remove, folder, os.getpid())
    os.environ.update(
        HUB_DATA_DIR=folder, HUB_MIN_FREE_BYTES="0", HF_HUB_OFFLINE="1", PORT="8000", OMP_NUM_THREADS="1"
    )
    if ON_POSTGRES:
        server = Postgres()
        atexit.register(server.stop)
        try:
            server.start()
        except CannotStart as error:
            reason = f"Postgres cannot be started: {error}"
            pytest.exit(reason, returncode=1) if IN_CI else pytest.exit(f"SKIPPED: {reason}", returncode=0)
        os.environ["HUB_DATABASE_URL"] = server.url


def _remove(folder: str, owner: int) -> None:
    # A forked child runs the same exit hooks; the folder is its parent's.
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


def missing(part: str, error: Exception) -> None:
    """End the test: a part that cannot be started is a failure in CI and a named skip elsewhere."""
    message = f"{part} cannot be started: {error}"
    if IN_CI:
        pytest.fail(message)
    pytest.skip(message)


DATA_DIR: Path
_set_up()
DATA_DIR = Path(os.environ["HUB_DATA_DIR"])
