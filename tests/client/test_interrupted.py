"""Killed, interrupted, doubled: whatever happens in the middle of a sync, the next one ends right."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.client.made_up import Answer, Asked, MadeUp
from tests.client.runner import Glossa
from tests.client.test_hostile_hubs import everything, locked

Start = Callable[[], MadeUp]
COUNT = 30


@pytest.fixture
def person(tmp_path: Path) -> Glossa:
    return Glossa(tmp_path / "home")


def slow_hub(made_up: Start, seconds: float, size: int = 200) -> tuple[MadeUp, dict[str, bytes]]:
    """A hub of many words whose every answer takes its time, and their bytes by file name."""
    hub = made_up()
    bodies = {f"word-{n:02}": os.urandom(size) for n in range(COUNT)}
    for name, body in bodies.items():
        hub.member(name, body)
        quick = hub.answers[f"/files/{name}"]
        assert callable(quick)

        def slowly(asked: Asked, quick: Callable[[Asked], Answer] = quick) -> Answer:
            time.sleep(seconds)
            return quick(asked)

        hub.answers[f"/files/{name}"] = slowly
    return hub, {f"{name}.safetensors": body for name, body in bodies.items()}


def members_of(hub: MadeUp, bodies: dict[str, bytes]) -> list[dict[str, object]]:
    members = []
    for filename, body in bodies.items():
        name = filename.removesuffix(".safetensors")
        keep = hub.answers[f"/files/{name}"]
        members.append(hub.member(name, body))
        hub.answers[f"/files/{name}"] = keep
    return members


def wait_for_files(out: Path, number: int, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + 180
    while not out.is_dir() or len(everything(out)) < number:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def whole(out: Path, bodies: dict[str, bytes]) -> bool:
    """Every file that is there has all its bytes."""
    return all((out / name).read_bytes() == bodies[name] for name in everything(out))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_sync_that_is_stopped_leaves_whole_files_and_the_next_one_ends_it(
    person: Glossa, made_up: Start, tmp_path: Path, number: int
) -> None:
    hub, bodies = slow_hub(made_up, 0.1)
    lock = locked(tmp_path, hub.lock(*members_of(hub, bodies)))
    out = tmp_path / "out"
    process = person.start("sync", "--lock", lock, "--dir", out, "--jobs", "3")
    wait_for_files(out, 5, process)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == (-9 if number == signal.SIGKILL else 130)
    assert number == signal.SIGKILL or "run the same command again" in err
    had = everything(out)
    assert 5 <= len(had) < COUNT
    assert whole(out, bodies)
    if number != signal.SIGKILL:
        assert list((out / ".glossa" / "parts").iterdir()) == []
    # What the dead one had sent already reaches the server in its own time.
    time.sleep(1)
    asked = len(hub.asked)
    again = person("sync", "--lock", lock, "--dir", out, "--json", "--jobs", "3").record
    assert len(again["kept"]) >= len(had)
    assert len(hub.asked) - asked == COUNT - len(again["kept"])
    assert everything(out) == sorted(bodies)
    assert whole(out, bodies)
    # What the killed one put there is known as ours: a lock without it takes it away.
    fewer = locked(tmp_path, hub.lock(*members_of(hub, bodies)[:1]))
    person("sync", "--lock", fewer, "--dir", out, "--prune")
    assert everything(out) == ["word-00.safetensors"]


def test_a_killed_transfer_of_a_large_file_goes_on_by_range(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    body = os.urandom(3 << 20)
    member = hub.member(body=body)
    quick = hub.answers["/files/moss-glow"]
    assert callable(quick)
    hub.answers["/files/moss-glow"] = lambda asked: Answer(body, slow=0.05)
    out = tmp_path / "out"
    process = person.start("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", out)
    parts = out / ".glossa" / "parts"
    deadline = time.monotonic() + 180
    while not parts.is_dir() or not any(one.stat().st_size > 1 << 20 for one in parts.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert everything(out) == []
    (part,) = parts.iterdir()
    had = part.stat().st_size
    hub.answers["/files/moss-glow"] = quick
    person("sync", "--lock", tmp_path / "glossa.lock.json", "--dir", out)
    assert hub.asked[-1].headers["range"] == f"bytes={had}-"
    assert (out / "moss-glow.safetensors").read_bytes() == body
    assert list(parts.iterdir()) == []


def test_a_kept_beginning_that_was_damaged_is_fetched_anew(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    member = hub.member(body=b"ab" * 500)
    parts = tmp_path / "out" / ".glossa" / "parts"
    parts.mkdir(parents=True)
    sha256 = member["files"][0]["sha256"]
    (parts / f"moss-glow.safetensors.{sha256[:16]}.part").write_bytes(b"zz" * 100)
    person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out")
    assert [one.headers.get("range") for one in hub.asked] == ["bytes=200-", None]
    assert (tmp_path / "out" / "moss-glow.safetensors").read_bytes() == b"ab" * 500


def test_two_syncs_at_once_take_turns_and_fetch_each_file_once(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub, bodies = slow_hub(made_up, 0.05)
    lock = locked(tmp_path, hub.lock(*members_of(hub, bodies)))
    out = tmp_path / "out"
    both = [person.start("sync", "--lock", lock, "--dir", out, "--jobs", "2") for _ in range(2)]
    said = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert any("Another glossa works in" in err for _, err in said)
    assert len(hub.asked) == COUNT
    assert everything(out) == sorted(bodies)
    assert whole(out, bodies)


def test_a_file_of_the_users_is_neither_replaced_nor_removed(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    one, two = hub.member("moss-glow"), hub.member("ink-wash", body=b"ink" * 50)
    out = tmp_path / "out"
    out.mkdir()
    (out / "moss-glow.safetensors").write_bytes(b"mine")
    (out / "another.safetensors").write_bytes(b"mine too")
    lock = locked(tmp_path, hub.lock(one, two))
    said = person("sync", "--lock", lock, "--dir", out, "--prune", ok=False)
    assert said.code == 7
    assert "--overwrite" in said.err
    assert (out / "moss-glow.safetensors").read_bytes() == b"mine"
    # What is in nobody's way comes nevertheless.
    assert (out / "ink-wash.safetensors").read_bytes() == b"ink" * 50
    person("sync", "--lock", lock, "--dir", out, "--overwrite")
    assert (out / "moss-glow.safetensors").read_bytes() == b"x" * 300
    person("sync", "--lock", locked(tmp_path, hub.lock()), "--dir", out, "--prune")
    assert everything(out) == ["another.safetensors"]


def test_a_file_of_the_users_with_the_right_bytes_is_left_theirs(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    out = tmp_path / "out"
    out.mkdir()
    (out / "moss-glow.safetensors").write_bytes(b"x" * 300)
    person("sync", "--lock", locked(tmp_path, hub.lock(hub.member())), "--dir", out)
    assert hub.asked == []
    person("sync", "--lock", locked(tmp_path, hub.lock()), "--dir", out, "--prune")
    assert everything(out) == ["moss-glow.safetensors"]


def test_prune_removes_what_this_lock_named_before_and_nothing_else(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    one, two, three = (hub.member(f"word-{n}", body=os.urandom(100)) for n in "abc")
    out = tmp_path / "out"
    person("sync", "--lock", locked(tmp_path, hub.lock(one, two, three, pack="mara/first")), "--dir", out)
    other = hub.member("word-d")
    person("sync", "--lock", locked(tmp_path, hub.lock(other, pack="mara/second")), "--dir", out)
    (out / "word-b.safetensors").write_bytes(b"retouched by hand")
    lock = locked(tmp_path, hub.lock(one, pack="mara/first"))
    person("sync", "--lock", lock, "--dir", out)
    assert len(everything(out)) == 4
    said = person("sync", "--lock", lock, "--dir", out, "--prune", "--json")
    assert said.record["removed"] == ["word-c.safetensors"]
    assert said.record["changed"] == ["word-b.safetensors"]
    assert everything(out) == [f"word-{n}.safetensors" for n in "abd"]


def test_a_changed_lock_is_followed(person: Glossa, made_up: Start, tmp_path: Path) -> None:
    hub = made_up()
    out = tmp_path / "out"
    person("sync", "--lock", locked(tmp_path, hub.lock(hub.member(body=b"1" * 99))), "--dir", out)
    person("sync", "--lock", locked(tmp_path, hub.lock(hub.member(body=b"2" * 99))), "--dir", out)
    assert (out / "moss-glow.safetensors").read_bytes() == b"2" * 99


def test_two_members_with_one_word_are_refused_until_one_is_left_out(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    one = hub.member()
    hub.file("/files/other", b"other")
    two = one | {"name": "otto/moss-glow", "files": [hub.locked("/files/other", b"other", "x")]}
    lock = locked(tmp_path, hub.lock(one, two))
    said = person("sync", "--lock", lock, "--dir", tmp_path / "out", ok=False)
    assert said.code == 7
    assert "--skip otto/moss-glow" in said.err
    assert hub.asked == []
    person("sync", "--lock", lock, "--dir", tmp_path / "out", "--skip", "otto/moss-glow")
    assert person("verify", "--lock", lock, "--dir", tmp_path / "out", "--skip", "otto/moss-glow").code == 0


def test_verify_names_what_is_beside_the_lock_and_minds_it_when_asked(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    one, two = hub.member("word-a"), hub.member("word-b")
    out = tmp_path / "out"
    person("sync", "--lock", locked(tmp_path, hub.lock(one, two)), "--dir", out)
    (out / "mine.pt").write_bytes(b"mine")
    lock = locked(tmp_path, hub.lock(one))
    hub.asked.clear()
    said = person("verify", "--lock", lock, "--dir", out, "--json")
    assert (said.record["extra"], said.record["foreign"]) == (["word-b.safetensors"], ["mine.pt"])
    assert person("verify", "--lock", lock, "--dir", out, "--strict", ok=False).code == 1
    assert hub.asked == []
    assert person("verify", "--lock", lock, "--dir", tmp_path / "nowhere", ok=False).code == 1
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_written_is_said_in_a_sentence(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    (tmp_path / "file").write_text("x")
    lock = locked(tmp_path, hub.lock(hub.member()))
    assert person("sync", "--lock", lock, "--dir", tmp_path / "file" / "out", ok=False).code == 7
    assert person("sync", "--lock", lock, "--dir", "/dev/null", ok=False).code == 7
    assert person("sync", "--lock", tmp_path / "none.json", ok=False).code == 7
