"""Requests a second at the doors, against a bare Django view and a static file on the same server, in one run.

    python -m benchmarks.doors [--count 300] [--rounds 5]

Two servers of the same kind (gunicorn, one process, four threads, one database): the hub, and `benchmarks.bare`. One
client with one kept connection asks each in turn, round by round. Two things are measured: requests a second, and the
server's processor time a request. Of each are printed the best round and its ratio, because other users of a machine
only ever make a round worse, then the middle of the ratios of the rounds with their spread. Bytes are held against the
static file, all else against the query. What is asked for is 0.7 of the static file and half of the query. A bare view
that makes that query and then sends that file shows what is left of the 0.7 to a door that has to ask who may have it.

On a busy machine many short rounds say more than few long ones: `--count 20 --rounds 40`.
"""

import argparse
import http.client
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.sync import filled, settled
from tests.parts import process

NAME = "word-0007"


def served(application: str, port: int, log: Path, **environment: str) -> "subprocess.Popen[bytes]":
    """A gunicorn with one process and four threads, answering."""
    os.environ.update(environment)
    words = ["-m", "gunicorn", application, "--no-control-socket", "--log-level", "warning", "--bind"]
    words += [f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "1", "--threads", "4"]
    server = process.start([sys.executable, *words], log=log)

    def answers() -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status < 500
        except OSError:
            return False

    process.wait_until(answers, server, log, seconds=120)
    return server


class Spent:
    """Processor seconds of a server with all its threads; it is the leader of a session of its own."""

    def __init__(self, server: "subprocess.Popen[bytes]") -> None:
        own = [path.parent for path in Path("/proc").glob("[0-9]*/stat") if _session(path) == server.pid]
        self.tasks = [folder / "task" for folder in own]

    def seconds(self) -> float:
        """So far."""
        files = (file for task in self.tasks for file in task.glob("*/schedstat"))
        return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def _session(stat: Path) -> int:
    """The session of a process; 0 for one that has just ended."""
    try:
        return int(stat.read_text().rpartition(")")[2].split()[3])
    except OSError:
        return 0


def speed(port: int, address: str, count: int, method: str = "GET") -> float:
    """Requests a second over one kept connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    began = time.perf_counter()
    for _ in range(count):
        connection.request(method, address)
        response = connection.getresponse()
        body = response.read()
        assert response.status in (200, 302, 307), (address, response.status, body[:200])
    return count / (time.perf_counter() - began)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="requests in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--embeddings", type=int, default=200, help="how many are in the database")
    options = parser.parse_args()
    memory = Path("/dev/shm")
    work = Path(tempfile.mkdtemp(prefix="glossa-bench-doors-", dir=memory if memory.is_dir() else None))
    data, hub, bare = work / "data", process.free_port(), process.free_port()
    data.mkdir()
    settled(data, hub)
    from django.conf import settings

    from hub.models import File, Version
    from tests.parts.valkey import Valkey

    valkey = Valkey(settings.VALKEY_SOCKET, work)
    valkey.start()
    filled(options.embeddings, f"http://127.0.0.1:{hub}")
    version = Version.objects.get(embedding__name=NAME)
    stored = File.objects.get(version=version, layout="canonical")
    files = work / "files"
    files.mkdir()
    (files / "file.safetensors").write_bytes(stored_bytes(stored.blob_id))
    servers = {
        hub: served("hub.wsgi:application", hub, work / "hub.log"),
        bare: served("benchmarks.bare:application", bare, work / "bare.log", BARE_FILES=str(files)),
    }
    tree = f"/mara/{NAME}/resolve/v1"
    questions = {
        "one indexed query, bare Django": (bare, f"/query/{NAME}", "GET"),
        "static file, bare Django": (bare, "/file/file.safetensors", "GET"),
        "file bytes, bare, after a query": (bare, f"/queried-file/{NAME}/file.safetensors", "GET"),
        "hf resolve, HEAD": (hub, f"{tree}/{stored.path}", "HEAD"),
        "hf repository": (hub, f"/api/models/mara/{NAME}", "GET"),
        "civitai version": (hub, f"/api/v1/model-versions/{version.pk}", "GET"),
        "civitai by hash": (hub, f"/api/v1/model-versions/by-hash/{stored.blob_id}", "GET"),
        "civitai download": (hub, f"/api/download/models/{version.pk}", "GET"),
        "civitai model": (hub, f"/api/v1/models/{version.embedding_id}", "GET"),
        "native embedding": (hub, f"/api/hub/v1/embeddings/mara/{NAME}", "GET"),
        "native version": (hub, f"/api/hub/v1/embeddings/mara/{NAME}/versions/1", "GET"),
        "file bytes, hf resolve": (hub, f"{tree}/{stored.path}", "GET"),
        "file bytes, native": (
            hub,
            f"/api/hub/v1/embeddings/mara/{NAME}/versions/1/files?layout=canonical",
            "GET",
        ),
    }
    try:
        compare(questions, {port: Spent(server) for port, server in servers.items()}, options, valkey)
    finally:
        for server in servers.values():
            process.stop(server)
        valkey.stop()
        shutil.rmtree(work, ignore_errors=True)


def stored_bytes(sha256: str) -> bytes:
    """The bytes of a blob."""
    from hub import blobs

    return blobs.read(sha256)


def compare(
    questions: dict[str, tuple[int, str, str]],
    spent: dict[int, Spent],
    options: argparse.Namespace,
    valkey: object,
) -> None:
    """Every question in turn, round by round."""
    rates: dict[str, list[float]] = {name: [] for name in questions}
    costs: dict[str, list[float]] = {name: [] for name in questions}
    for turn in range(options.rounds + 1):
        for name, (port, address, method) in questions.items():
            valkey.flush()  # type: ignore[attr-defined]  # counts of calls begin anew
            before, count = spent[port].seconds(), options.count if turn else 20
            rate = speed(port, address, count, method)
            if turn:
                rates[name].append(rate)
                costs[name].append((spent[port].seconds() - before) / count)
    names = list(questions)
    sys.stdout.write(f"load {os.getloadavg()[0]:.1f}; requests a second, and microseconds of the server's\n")
    for name in names:
        other = names[1] if name.startswith("file bytes") else names[0]
        asked = [mine / theirs for mine, theirs in zip(rates[name], rates[other], strict=True)]
        worked = [theirs / mine for mine, theirs in zip(costs[name], costs[other], strict=True)]
        rate, cost = max(rates[name]), min(costs[name])
        sys.stdout.write(
            f"{name:32} {rate:5.0f}/s {rate / max(rates[other]):.2f}, {_told(asked)};"
            f" {cost * 1e6:5.0f} us {min(costs[other]) / cost:.2f}, {_told(worked)}\n"
        )


def _told(ratios: list[float]) -> str:
    return f"middle {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
