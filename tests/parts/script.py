"""Lines of Python in a process of their own, as a user's script runs: what a real client answers."""

import json
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def answer_of(
    lines: str,
    names: Mapping[str, Any],
    *,
    environment: Mapping[str, str],
    folder: Path,
    python: str = sys.executable,
) -> Any:
    """Run the lines, which know `names`, in `folder` with this environment alone; what they put into `answer`."""
    script = (
        "import json, sys\nglobals().update(json.loads(sys.argv[1]))\n"
        + textwrap.dedent(lines)
        + "\nprint('ANSWER', json.dumps(answer))"
    )
    done = subprocess.run(
        [python, "-c", script, json.dumps(names)],
        env=dict(environment), cwd=folder, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.rpartition("ANSWER ")[2])
