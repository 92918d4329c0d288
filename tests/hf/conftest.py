"""Unmodified clients in processes of their own, against a hub that answers over a real socket."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests import factories
from tests.environment import HF_PYTHON
from tests.parts.script import answer_of

Ask = Callable[..., Any]
IS_OWN = sys.executable == HF_PYTHON


def client_version() -> str:
    """Of the huggingface_hub that is driven."""
    lines = "from importlib.metadata import version; print(version('huggingface_hub'))"
    return subprocess.run([HF_PYTHON, "-c", lines], capture_output=True, text=True, check=True).stdout.strip()


IS_OLD = not IS_OWN and client_version().startswith("0.")
not_with_the_old_client = pytest.mark.skipif(not IS_OWN, reason="An older client cannot do this.")
# What the client calls a file that is not there.
MISSING_FILE = "EntryNotFoundError" if IS_OLD else "RemoteEntryNotFoundError"
needs_diffusers = pytest.mark.skipif(not IS_OWN, reason="Another client has an environment without torch.")
Hf = Callable[..., "subprocess.CompletedProcess[str]"]
# Lines that many scripts begin with: a refusal as the client's own error tells it.
TOLD = """
    from huggingface_hub import HfApi, CommitOperationAdd, CommitOperationDelete, errors
    api = HfApi()
    def told(call):
        try:
            return ["none", str(call())]
        except Exception as error:
            return [type(error).__name__, str(error)]
"""


@pytest.fixture
def client_environment(live_server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """All that a client's process knows: the hub's address, and a home of its own."""
    environment = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
    return environment | {
        "HOME": str(tmp_path),
        "HF_ENDPOINT": live_server.url,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "localhost,127.0.0.1",
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def writer() -> str:
    """The secret of mara's token, which may do all that a tool can."""
    return factories.token("mara", scopes=["read", "publish", "manage"])[1]


@pytest.fixture
def ask(client_environment: dict[str, str], tmp_path: Path) -> Ask:
    """Run lines of Python with the client and `token`; what they put into `answer`."""

    def run(lines: str, *, token: str | None = None, more: dict[str, str] | None = None, **names: Any) -> Any:
        environment = {**client_environment, **({"HF_TOKEN": token} if token else {}), **(more or {})}
        return answer_of(TOLD + lines, names, environment=environment, folder=tmp_path, python=HF_PYTHON)

    return run


def hf_command() -> str:
    """Where the `hf` of the client is that is driven."""
    return str(Path(HF_PYTHON).with_name("hf"))


@pytest.fixture
def hf(
    client_environment: dict[str, str], tmp_path: Path
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the `hf` command as a person does."""

    def run(*words: str, token: str | None = None) -> "subprocess.CompletedProcess[str]":
        environment = {**client_environment, **({"HF_TOKEN": token} if token else {})}
        return subprocess.run(
            [hf_command(), *words],
            env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=180, check=False,
        )  # fmt: skip

    return run
