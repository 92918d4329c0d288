"""`glossa sync` of many embeddings against a loop of curl and against Hugging Face's client, at one hub in one run.

    python -m benchmarks.sync [--count 500] [--rounds 3] [--jobs 8]

A hub of its own is started as `quickstart` starts it (two processes with four threads), with that many public
embeddings. Each round fetches all of them four ways into empty folders, in turn:

- glossa: `glossa sync`, one process, started anew, every file checked and fsynced;
- curl: `curl -sfo FILE URL` for one after the other, from one shell; nothing is checked;
- curl -Z: one curl with all addresses, connections kept, as many at once as glossa;
- hf: `hf_hub_download` for one after the other in one process, its imports included. What people type, `hf download`
  for each name, is tried with 10 of them, and its time told for as many as there are.

What is printed is the middle of the rounds and the ratio to glossa of each round. All see the same bytes.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.parts import process

HF_SAMPLE = 10
HF_LOOP = """
import json, sys
from huggingface_hub import hf_hub_download
for name, path in json.load(open(sys.argv[1])):
    hf_hub_download(name, path, revision="v1", local_dir=sys.argv[2])
"""


def settled(data: Path, port: int) -> None:
    """Django in this process, with a data folder of its own."""
    os.environ.update(
        HUB_DATA_DIR=str(data), HUB_MIN_FREE_BYTES="0", PORT=str(port), DJANGO_SETTINGS_MODULE="hub.settings"
    )
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def filled(count: int, url: str) -> tuple[bytes, list[tuple[str, str]]]:
    """So many published embeddings: the lock of them all, and name and file of each."""
    from hub.client.lockfile import Lock, LockedFile, Member, written
    from hub.models import File
    from tests import factories

    for number in range(count):
        factories.published("mara", f"word-{number:04}", family="sd1", vectors=4)
    members, names = [], []
    for file in File.objects.filter(layout="canonical").select_related("version__embedding__owner", "blob"):
        version, embedding = file.version, file.version.embedding
        address = f"{url}/{embedding.full_name}/resolve/v1/{file.path}"
        locked = LockedFile("canonical", file.path, file.blob.size, file.blob_id, address)
        commit = version.commits.order_by("sequence")[0].sha
        members.append(
            Member(embedding.full_name, version.number, commit, version.trigger, version.family, (locked,))
        )
        names.append((embedding.full_name, file.path))
    return written(Lock(url, tuple(members))), names


def served(data: Path, port: int) -> "subprocess.Popen[bytes]":
    """The site, answering."""
    words = [
        "-m",
        "gunicorn",
        "hub.wsgi:application",
        "--preload",
        "--no-control-socket",
        "--log-level",
        "warning",
    ]
    words += ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    log = data / "site.log"
    site = process.start([sys.executable, *words], log=log)

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    process.wait_until(answers, site, log, seconds=120)
    return site


def timed(run: Callable[[Path], None], count: int) -> float:
    """Seconds to fill an empty folder."""
    with tempfile.TemporaryDirectory(prefix="glossa-bench-") as name:
        folder = Path(name)
        began = time.monotonic()
        run(folder)
        seconds = time.monotonic() - began
        there = sum(1 for path in folder.rglob("*.safetensors") if path.stat().st_size > 1000)
        assert there == count, (run.__name__, there)
        return seconds


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=8)
    options = parser.parse_args()
    # The hub's own disk is not what is measured; the folders that are filled lie on the usual one.
    memory = Path("/dev/shm")
    work = Path(tempfile.mkdtemp(prefix="glossa-bench-hub-", dir=memory if memory.is_dir() else None))
    data, port = work / "data", process.free_port()
    data.mkdir()
    settled(data, port)
    from django.conf import settings

    from tests.parts.valkey import Valkey

    valkey = Valkey(settings.VALKEY_SOCKET, work)
    valkey.start()
    url = f"http://127.0.0.1:{port}"
    lock, names = filled(options.count, url)
    (work / "glossa.lock.json").write_bytes(lock)
    bench = Bench(work, url, names, options.jobs)
    bench.write()
    site = served(data, port)
    try:
        compare(bench, options.rounds, valkey.flush)
    finally:
        process.stop(site)
        valkey.stop()
        shutil.rmtree(work, ignore_errors=True)


@dataclass(frozen=True)
class Bench:
    """Where the hub is, what is to be fetched, and how the programs see the world."""

    work: Path
    url: str
    names: list[tuple[str, str]]
    jobs: int

    def run(self, *words: str | Path) -> None:
        """Run a program to its good end."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.work), "PYTHONPATH": os.getcwd(), "NO_PROXY": "127.0.0.1",
            "HF_ENDPOINT": self.url, "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1",
        }  # fmt: skip
        subprocess.run([str(word) for word in words], env=environment, check=True, capture_output=True)

    def write(self) -> None:
        """What the programs read."""
        lines = [f"curl -sfo $1/{file} {self.url}/{name}/resolve/v1/{file}" for name, file in self.names]
        (self.work / "loop.sh").write_text("set -e\n" + "\n".join(lines) + "\n")
        asked = [
            f'url = "{self.url}/{name}/resolve/v1/{file}"\noutput = "{file}"\n' for name, file in self.names
        ]
        (self.work / "curl.txt").write_text("".join(asked))
        (self.work / "names.json").write_text(json.dumps(self.names))

    def glossa(self, folder: Path) -> None:
        """One `glossa sync`."""
        words = (
            "sync",
            "-q",
            "--lock",
            self.work / "glossa.lock.json",
            "--dir",
            folder,
            "-j",
            str(self.jobs),
        )
        self.run(sys.executable, "-m", "hub", *words)

    def curl(self, folder: Path) -> None:
        """One curl for each file."""
        self.run("sh", self.work / "loop.sh", folder)

    def curl_parallel(self, folder: Path) -> None:
        """One curl for all files."""
        at_once = ("--parallel-max", str(self.jobs))
        self.run("curl", "-sfZ", *at_once, "--output-dir", folder, "-K", self.work / "curl.txt")

    def hf_loop(self, folder: Path) -> None:
        """One Python that calls hf_hub_download for each file."""
        self.run(sys.executable, "-c", HF_LOOP, self.work / "names.json", folder)

    def hf_commands(self, folder: Path) -> None:
        """One `hf download` for each of the first files."""
        hf = Path(sys.executable).with_name("hf")
        for name, file in self.names[:HF_SAMPLE]:
            self.run(hf, "download", name, file, "--revision", "v1", "--local-dir", folder)


def compare(bench: Bench, rounds: int, forget: Callable[[], None]) -> None:
    """All ways in turn, round after round; `forget` keeps any of them from being held back by the limits."""
    ways = (bench.glossa, bench.curl, bench.curl_parallel, bench.hf_loop)
    count = len(bench.names)
    taken: dict[str, list[float]] = {way.__name__: [] for way in ways}
    for _ in range(rounds):
        for way in ways:
            forget()
            taken[way.__name__].append(timed(way, count))
    sample = timed(bench.hf_commands, HF_SAMPLE) * count / HF_SAMPLE
    print(f"{count} embeddings, {rounds} rounds: seconds (middle), and times glossa's of each round")
    for name, seconds in taken.items():
        ratios = [one / base for one, base in zip(seconds, taken["glossa"], strict=True)]
        shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"  {name:14} {statistics.median(seconds):7.2f} s   {shown}")
    ratio = sample / statistics.median(taken["glossa"])
    print(
        f"  {'hf download':14} {sample:7.1f} s   {ratio:.1f} ({HF_SAMPLE} commands, times {count // HF_SAMPLE})"
    )


if __name__ == "__main__":
    main()
