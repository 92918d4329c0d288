"""The container files: linted, valid, and in step with the settings that the code reads."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hub.env import VARIABLES

ROOT = Path(__file__).resolve().parents[2]
SECRETS = {
    "HUB_SECRET_KEY": "0123456789abcdefghij" * 3,
    "POSTGRES_PASSWORD": "letters",
    "S3_SECRET": "digits",
}
OURS = ("prepare", "site", "worker", "gpu-worker")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())


def filled_in(text: str, given: dict[str, str]) -> str:
    """A value of the compose file with the operator's variables in it."""
    return re.sub(
        r"\$\{(\w+)(?::[-?]([^}]*))?\}", lambda found: given.get(found[1]) or (found[2] or ""), text
    )


def environment(**given: str) -> dict[str, str]:
    """What compose gives to the site."""
    values = COMPOSE["services"]["site"]["environment"]
    return {name: filled_in(value, {**SECRETS, **given}) for name, value in values.items()}


def check(folder: Path, **given: str) -> "subprocess.CompletedProcess[str]":
    """`manage.py check --deploy` as a container of the site would say it."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    variables = {**kept, **environment(**given), "HUB_DATA_DIR": str(folder), "HUB_ALLOW_ROOT": "yes"}
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    return subprocess.run(
        command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_dockerfile_passes_its_linter() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    told = subprocess.run([linter, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout + told.stderr) == (0, "")


def test_the_compose_file_is_valid() -> None:
    tool = shutil.which("docker-compose")
    if tool is None:
        pytest.skip("docker-compose is not installed")
    variables = {**os.environ, **SECRETS}
    told = subprocess.run(
        [tool, "config", "-q"], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stderr


def test_compose_sets_nothing_that_the_code_does_not_read() -> None:
    known = {variable.name for variable in VARIABLES} | {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert set(environment()) <= known


@pytest.mark.parametrize("name", OURS)
def test_every_part_of_ours_runs_with_nothing_to_write_to_but_its_volumes(name: str) -> None:
    service: dict[str, Any] = COMPOSE["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service
    assert "USER 10001" in (ROOT / "Dockerfile").read_text()


def test_every_published_port_is_for_this_machine_alone() -> None:
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", ())]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_is_private_or_only_for_makers_stays_out_of_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".*", "data", "state", "tests", "**/__pycache__"} <= set(ignored)


@pytest.mark.parametrize("address", ["", "https://hub.example.org"])
def test_the_settings_of_compose_pass_the_deployment_check(tmp_path: Path, address: str) -> None:
    told = check(tmp_path, HUB_PUBLIC_URL=address)
    assert told.returncode == 0, told.stderr
    assert "Uploads are read behind: rlimits" in told.stderr


def test_the_deployment_check_warns_of_a_hub_that_is_reached_without_tls(tmp_path: Path) -> None:
    told = check(tmp_path, HUB_PUBLIC_URL="http://hub.example.org")
    assert told.returncode == 1
    assert "hub.W003" in told.stderr


def test_the_deployment_check_refuses_a_short_key(tmp_path: Path) -> None:
    told = check(tmp_path, HUB_PUBLIC_URL="https://hub.example.org", HUB_SECRET_KEY="short")
    assert told.returncode == 1
    assert "hub.E002" in told.stderr
