"""A long coverage-guided run over one target: `python -m tests.fuzz TARGET FOLDER RUNS`. Needs the atheris package.

Findings are left in FOLDER as `crash-…`, `timeout-…` and `oom-…`, inputs that reached something new under
`corpus`; `count.json` says how many executions there were. Other arguments go to libFuzzer.
"""

import hashlib
import json
import resource
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["hub.formats"]):
    from tests.fuzz import targets

MEMORY_MIB = 768


def main() -> None:
    """Fuzz until RUNS executions are done."""
    name, folder, runs, *more = sys.argv[1:]
    target = targets.TARGETS[name]
    corpus = Path(folder) / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in targets.seeds(name):
        (corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
    count, slowest, began = 0, 0.0, time.time()

    def one(data: bytes) -> None:
        nonlocal count, slowest
        before = time.process_time()
        targets.run(target, data)
        slowest = max(slowest, time.process_time() - before)
        count += 1
        if count % 20_000 == 0 or count == int(runs):
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            facts = {
                "target": name,
                "executions": count,
                "slowest_cpu_s": round(slowest, 2),
                "peak_mib": peak,
            }
            (Path(folder) / "count.json").write_text(
                json.dumps({**facts, "wall_s": int(time.time() - began)})
            )

    flags = [
        f"-runs={runs}",
        "-timeout=10",
        f"-rss_limit_mb={MEMORY_MIB}",
        "-max_len=16384",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], str(corpus), f"-artifact_prefix={folder}/", *flags, *more], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
