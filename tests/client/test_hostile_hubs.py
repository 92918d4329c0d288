"""Hubs and lock files that mean harm, or are broken: nothing lands outside, no token leaves, no half file stays."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.client.made_up import Answer, Asked, MadeUp
from tests.client.runner import Glossa

Start = Callable[[], MadeUp]
SECRET = "glossa_secret_of_mara"


@pytest.fixture
def person(tmp_path: Path) -> Glossa:
    return Glossa(tmp_path / "home")


def locked(folder: Path, data: bytes) -> Path:
    path = folder / "glossa.lock.json"
    path.write_bytes(data)
    return path


def everything(folder: Path) -> list[str]:
    """All files below a folder but the client's own."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and ".glossa" not in path.parts and path.name != "glossa.lock.json"
    )


TRAVERSAL = [
    "../evil", "..", "/etc/evil", "a/b", "a\\b", "C:evil", "con", "nul", "com1", ".hidden", "-rf", "evil\n", "evil\0",
    "x" * 300, "", "EVIL", "wörd", "evil.txt", "evil ", None, 7, ["evil"], {"evil": 1},
]  # fmt: skip


@pytest.mark.parametrize("trigger", TRAVERSAL)
def test_a_trigger_that_is_no_plain_word_writes_nothing_anywhere(
    person: Glossa, made_up: Start, tmp_path: Path, trigger: Any
) -> None:
    hub = made_up()
    lock = locked(tmp_path, hub.lock(hub.member(trigger="moss-glow") | {"trigger": trigger}))
    said = person("sync", "--lock", lock, "--dir", tmp_path / "in" / "out", ok=False)
    assert said.code == 6
    assert everything(tmp_path) == []
    assert hub.asked == []


@pytest.mark.parametrize("filename", ["../../evil", "/etc/evil", "..\\evil", ".bashrc", "evil.exe"])
def test_the_file_name_that_a_hub_gives_is_not_used(
    person: Glossa, made_up: Start, tmp_path: Path, filename: str
) -> None:
    hub = made_up()
    member = hub.member()
    member["files"][0]["filename"] = filename
    headers = {"Content-Disposition": f'attachment; filename="{filename}"'}
    hub.answers["/files/moss-glow"] = Answer(b"x" * 300, headers=headers)
    person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out")
    assert everything(tmp_path) == ["out/moss-glow.safetensors"]


@pytest.mark.parametrize(
    "change",
    [
        {"lock_version": 2}, {"members": 5}, {"members": [5]}, {"hub": "ftp://x"}, {"hub": "http://a:b@x"},
        {"pack": "../x"}, {"created_from": "zz"}, {"hub": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_lock_that_is_not_as_agreed_is_refused_whole(
    person: Glossa, made_up: Start, tmp_path: Path, change: dict[str, Any]
) -> None:
    hub = made_up()
    lock = locked(tmp_path, hub.lock(hub.member(), **change))
    assert person("sync", "--lock", lock, "--dir", tmp_path / "out", ok=False).code == 6
    assert (hub.asked, everything(tmp_path)) == ([], [])


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"lock_version": 1}'])
def test_what_is_no_lock_at_all_is_said_in_a_sentence(person: Glossa, tmp_path: Path, data: bytes) -> None:
    said = person("sync", "--lock", locked(tmp_path, data), "--dir", tmp_path / "out", ok=False)
    assert said.code == 6
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "field", [{"sha256": "../../x"}, {"sha256": "A" * 64}, {"size": -1}, {"size": 0}, {"size": True}, {"size": 1 << 40},
              {"url": "file:///etc/passwd"}, {"url": "http://127.0.0.1:1/x"}, {"url": "//evil/x"}, {"url": 5}],
    ids=str,
)  # fmt: skip
def test_a_locked_file_that_is_not_the_hubs_own_is_refused(
    person: Glossa, made_up: Start, tmp_path: Path, field: dict[str, Any]
) -> None:
    hub = made_up()
    member = hub.member()
    member["files"][0] |= field
    assert person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", "out", ok=False).code == 6
    assert hub.asked == []


def logged_in(person: Glossa, hub: MadeUp) -> None:
    hub.answers["/api/hub/v1/whoami"] = Answer(b'{"name": "mara", "scopes": ["read"]}')
    person("login", hub.url, "--token-stdin", stdin=SECRET)
    hub.asked.clear()


def test_a_redirect_to_another_host_is_followed_without_the_token(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub, store = made_up(), made_up()
    logged_in(person, hub)
    member = hub.member(body=b"y" * 500)
    store.file("/bucket", b"y" * 500)
    hub.answers["/files/moss-glow"] = Answer(status=307, headers={"Location": f"{store.url}/bucket"})
    person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out")
    assert [one.headers.get("authorization") for one in hub.asked] == [f"Bearer {SECRET}"]
    assert [one.headers.get("authorization") for one in store.asked] == [None]
    assert everything(tmp_path / "out") == ["moss-glow.safetensors"]


def test_a_redirect_away_and_back_home_does_not_bring_the_token_along(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub, other = made_up(), made_up()
    logged_in(person, hub)
    member = hub.member()
    hub.file("/back", b"x" * 300)
    hub.answers["/files/moss-glow"] = Answer(status=302, headers={"Location": f"{other.url}/on"})
    other.answers["/on"] = Answer(status=302, headers={"Location": f"{hub.url}/back"})
    person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out")
    assert [one.headers.get("authorization") for one in hub.asked] == [f"Bearer {SECRET}", None]


@pytest.mark.parametrize(
    "location",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "gopher://x",
        "javascript:1",
        "http://user:pw@127.0.0.1:1/",
        "",
        "http://",
    ],
)
def test_a_redirect_to_anything_but_http_is_not_followed(
    person: Glossa, made_up: Start, tmp_path: Path, location: str
) -> None:
    hub = made_up()
    member = hub.member()
    hub.answers["/files/moss-glow"] = Answer(status=302, headers={"Location": location})
    said = person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out", ok=False)
    assert said.code == 6
    assert everything(tmp_path / "out") == []


def test_a_circle_of_redirects_ends(person: Glossa, made_up: Start, tmp_path: Path) -> None:
    hub = made_up()
    member = hub.member()
    hub.answers["/files/moss-glow"] = Answer(status=302, headers={"Location": "/files/moss-glow"})
    said = person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out", ok=False)
    assert said.code == 6
    assert len(hub.asked) < 10


def test_the_token_of_one_hub_is_never_shown_to_another_that_a_lock_names(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    mine, evil = made_up(), made_up()
    logged_in(person, mine)
    person.variables["GLOSSA_TOKEN"] = SECRET
    person("sync", "--lock", locked(tmp_path, evil.lock(evil.member())), "--dir", tmp_path / "out")
    assert [one.headers.get("authorization") for one in evil.asked] == [None]


def test_the_file_of_tokens_is_its_owners_alone(person: Glossa, made_up: Start) -> None:
    hub = made_up()
    logged_in(person, hub)
    file = person.home / ".config" / "glossa" / "credentials.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    assert person("whoami").out == f"mara at {hub.url}; the token may read\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_wrong_bytes_are_thrown_away_and_the_old_file_stays(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    first = locked(tmp_path, hub.lock(hub.member(body=b"old" * 100)))
    person("sync", "--lock", first, "--dir", tmp_path / "out")
    new = hub.lock(hub.member(body=b"new" * 100))
    hub.answers["/files/moss-glow"] = Answer(b"bad" * 100)
    said = person("sync", "--lock", locked(tmp_path, new), "--dir", tmp_path / "out", ok=False)
    assert said.code == 6
    assert (tmp_path / "out" / "moss-glow.safetensors").read_bytes() == b"old" * 100
    assert list((tmp_path / "out" / ".glossa" / "parts").iterdir()) == []


def test_a_body_without_end_is_cut_off(person: Glossa, made_up: Start, tmp_path: Path) -> None:
    hub = made_up()
    member = hub.member(body=b"x" * 300)
    hub.answers["/files/moss-glow"] = Answer(b"x" * (64 << 20))
    said = person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out", ok=False)
    assert said.code == 6
    assert everything(tmp_path / "out") == []


def test_a_shorter_file_than_promised_is_refused(person: Glossa, made_up: Start, tmp_path: Path) -> None:
    hub = made_up()
    member = hub.member(body=b"x" * 300)
    hub.answers["/files/moss-glow"] = Answer(b"x" * 299)
    said = person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out", ok=False)
    assert said.code == 6


def test_escape_sequences_of_a_hub_do_not_reach_the_terminal(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    body = json.dumps({"error": {"code": "x", "message": "\x1b[2J\x9b31mred\r\nowned"}}).encode()
    member = hub.member()
    hub.answers["/files/moss-glow"] = Answer(body, 403)
    said = person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out", ok=False)
    assert said.code == 4
    assert "\x1b" not in said.err + said.out
    assert "\x9b" not in said.err + said.out


def test_a_transfer_that_breaks_off_goes_on_where_it_was(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    body = os.urandom(900_000)
    member = hub.member(body=body)
    whole = hub.answers["/files/moss-glow"]
    assert callable(whole)

    def broken(asked: Asked) -> Answer:
        answer = whole(asked)
        answer.breaks_after = 300_000
        return answer

    hub.answers["/files/moss-glow"] = broken
    person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out")
    assert (tmp_path / "out" / "moss-glow.safetensors").read_bytes() == body
    ranges = [one.headers.get("range") for one in hub.asked]
    assert ranges == [None, "bytes=300000-", "bytes=600000-"]
    assert hub.asked[1].headers["if-range"] == f'"{member["files"][0]["sha256"]}"'


def test_a_hub_that_is_busy_is_asked_again_when_it_says(
    person: Glossa, made_up: Start, tmp_path: Path
) -> None:
    hub = made_up()
    member = hub.member()
    whole = hub.answers["/files/moss-glow"]
    assert callable(whole)
    hub.answers["/files/moss-glow"] = lambda asked: (
        Answer(b"{}", 503, {"Retry-After": "1"}) if len(hub.asked) == 1 else whole(asked)
    )
    person("sync", "--lock", locked(tmp_path, hub.lock(member)), "--dir", tmp_path / "out")
    assert len(hub.asked) == 2


def test_a_hub_that_is_away_is_said_so_with_its_own_exit_code(person: Glossa, tmp_path: Path) -> None:
    said = person("pull", "mara/moss-glow", "--hub", "http://127.0.0.1:9", ok=False)
    assert said.code == 5
    assert "http://127.0.0.1:9" in said.err


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"null", b"[]", b'{"cardData": 5}', b"[" * 50_000])
def test_another_web_site_is_not_taken_for_a_hub(
    person: Glossa, made_up: Start, tmp_path: Path, body: bytes
) -> None:
    hub = made_up()
    hub.answers["/api/hub/v1/embeddings/mara/moss-glow"] = Answer(body)
    hub.answers["/api/models/mara/moss-glow/revision/v1"] = Answer(body)
    for name in ("mara/moss-glow", "mara/moss-glow@v1"):
        said = person("pull", name, "--hub", hub.url, "--dir", tmp_path / "out", ok=False)
        assert said.code in (3, 6)
    assert everything(tmp_path) == []


def test_connections_are_kept_open(person: Glossa, made_up: Start, tmp_path: Path) -> None:
    hub = made_up()
    members = [hub.member(f"word-{n}", body=os.urandom(100)) for n in range(40)]
    person("sync", "--lock", locked(tmp_path, hub.lock(*members)), "--dir", tmp_path / "out", "--jobs", "4")
    assert len(hub.asked) == 40
    assert hub.connections <= 4


def test_a_wrong_address_is_said_at_once(person: Glossa, made_up: Start, tmp_path: Path) -> None:
    said = person("search", "--hub", "http://127.0.0.1:9", ok=False)
    assert said.code == 5
    assert "Connection refused. Is the hub up" in said.err
    assert "Trying again" not in said.err
