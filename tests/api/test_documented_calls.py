"""The shell lines of docs/api.md, pasted into a shell one after the other: every call is answered, none refused."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from hub.models import AccessToken, Flag, Version
from tests import factories, samples
from tests.house.source import ROOT

HUB = "http://127.0.0.1:8000"
# A refusal stops the shell and is shown.
SHELL = 'set -euo pipefail\ncurl() { command curl -sS --fail-with-body "$@"; }\nexport -f curl\n'


def shell_lines() -> list[str]:
    """The blocks of the page, the one that gives the token up last."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    return sorted(blocks, key=lambda block: "tokens/current" in block)


@pytest.mark.client
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_what_the_page_says_can_be_pasted(live_server: Any, tmp_path: Path) -> None:
    factories.user("mara", made_by_operator=True)
    _, secret = factories.token("mara", scopes=["read", "publish", "manage", "train"])
    for seed, name in enumerate(("moss-glow", "softer"), start=3):
        (tmp_path / f"{name}.safetensors").write_bytes(samples.canonical_file("tiny", vectors=2, seed=seed))
    (tmp_path / "seen.png").write_bytes(samples.picture())
    (tmp_path / "pictures").mkdir()
    for colour in ("navy", "seagreen"):
        (tmp_path / "pictures" / f"{colour}.jpg").write_bytes(samples.picture("JPEG", colour=colour))
    script = SHELL + "\n".join(shell_lines()).replace(HUB, live_server.url)
    done = subprocess.run(
        ["bash", "-c", script], check=False, capture_output=True, text=True, timeout=120, cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "TOKEN": secret},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(Version.objects.order_by("number").values_list("number", "label")) == [(1, ""), (2, "soft")]
    assert Flag.objects.get().reason == "copyright"
    assert AccessToken.objects.get().revoked_at is not None
