"""The real client in a process of its own, with a home of its own."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Said:
    """What a run of the client said."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> Any:
        """The one JSON object of --json."""
        return json.loads(self.out)


@dataclass
class Glossa:
    """Runs `glossa` for a person whose home is `home`, at a hub."""

    home: Path
    hub: str = ""
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """All that the client knows of the world."""
        self.home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "localhost,127.0.0.1",
            **({"GLOSSA_HUB": self.hub} if self.hub else {}),
            **self.variables,
        }

    def start(self, *words: str | Path, cwd: Path | None = None, **more: Any) -> "subprocess.Popen[str]":
        """Start it and leave it running, with Ctrl-C as in a terminal even where whoever runs the tests ignores it."""
        return subprocess.Popen(
            [sys.executable, "-m", "hub", *map(str, words)],
            cwd=cwd or self.home, env=self.environment(), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL), **more,
        )  # fmt: skip

    def __call__(
        self, *words: str | Path, cwd: Path | None = None, stdin: str = "", ok: bool | None = True
    ) -> Said:
        """Run it to its end, which has to be good unless `ok` says otherwise (None: either)."""
        process = self.start(*words, cwd=cwd)
        out, err = process.communicate(stdin, timeout=120)
        said = Said(process.returncode, out, err)
        assert "Traceback" not in err, err
        if ok is not None:
            assert (said.code == 0) is ok, said
        return said
