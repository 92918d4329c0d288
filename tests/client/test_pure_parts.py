"""Names, addresses, locks, plans and the state file, with values nobody would think of."""

import json
import string
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as manner
from hypothesis import strategies as st

from hub.client import lockfile, names, planning, settings, state, tools
from hub.client.errors import ClientError, Exit
from hub.client.lockfile import Lock, LockedFile, Member
from hub.client.state import Entry
from hub.formats import FormatError, check_trigger

SHA, OTHER, COMMIT = "a" * 64, "b" * 64, "c" * 40
# A busy machine is slow now and then.
busy = manner(deadline=None)
words = st.from_regex(r"[a-z0-9][a-z0-9_-]{2,30}", fullmatch=True)


def member(
    name: str = "mara/moss-glow", trigger: str = "moss-glow", *, sha256: str = SHA, **fields: Any
) -> Member:
    url = "https://hub.example.org/f"
    usual: dict[str, Any] = {"version": 1, "commit": COMMIT, "family": "sd1"}
    usual["files"] = (LockedFile("canonical", "ignored", 10, sha256, url),)
    return Member(name=name, trigger=trigger, **usual | fields)


@busy
@given(st.one_of(st.text(), st.text(alphabet="./\\:abc\0 \n", max_size=12), st.none(), st.integers()))
def test_whatever_passes_as_a_trigger_is_one_plain_part_of_a_path_on_every_system(word: object) -> None:
    try:
        checked = names.check_trigger(word)
    except ClientError as error:
        assert error.exit_code is Exit.UNTRUSTED
        return
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind("folder") / f"{checked}.safetensors"
        assert path.parent == kind("folder")
        assert path.name == f"{checked}.safetensors"
    assert not PureWindowsPath(checked).is_reserved()


@busy
@given(words)
def test_every_legal_trigger_of_the_hub_passes(word: str) -> None:
    try:
        check_trigger(word)
    except FormatError:
        return
    assert names.check_trigger(word) == word


@busy
@given(st.text())
def test_any_text_is_a_name_or_a_sentence_about_why_not(text: str) -> None:
    try:
        found = names.reference(text)
    except ClientError as error:
        assert error.exit_code is Exit.USAGE
    else:
        assert "/" not in found.owner + found.name + found.revision
        assert names.reference(str(found)) == found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mara/moss-glow", ("mara", "moss-glow", "main")),
        ("Mara/Moss-Glow@v3", ("mara", "moss-glow", "v3")),
        ("mara/moss-glow@3", ("mara", "moss-glow", "v3")),
        (f"mara/moss-glow@{COMMIT}", ("mara", "moss-glow", COMMIT)),
        ("mara/moss-glow@1234567", ("mara", "moss-glow", "1234567")),
        ("mara/moss-glow@bright", ("mara", "moss-glow", "bright")),
    ],
)
def test_names_with_pins(text: str, expected: tuple[str, str, str]) -> None:
    found = names.reference(text)
    assert (found.owner, found.name, found.revision) == expected


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("hub.example.org", "https://hub.example.org"),
        ("https://HUB.example.org:443/", "https://hub.example.org"),
        ("localhost:8000", "http://localhost:8000"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("[::1]:8000", "http://[::1]:8000"),
        ("http://hub:80/below/", "http://hub/below"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_addresses_of_hubs_have_one_form(text: str, address: str) -> None:
    assert names.hub_address(text) == address
    assert names.hub_address(address) == address


@pytest.mark.parametrize(
    "text", ["", "ftp://x", "https://", "https://a:b@x", "https://x?y", "https://x#y", "https://x y", "https://x:99999"]
)  # fmt: skip
def test_what_is_no_address_of_a_hub_is_refused(text: str) -> None:
    with pytest.raises(ClientError) as caught:
        names.hub_address(text)
    assert caught.value.exit_code is Exit.USAGE


@busy
@given(st.text())
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    for check in (names.hub_address, names.origin):
        try:
            check(text)
        except ClientError:
            continue


@busy
@given(
    st.lists(
        st.tuples(words, words, words, st.integers(1, 99), st.text(max_size=30)),
        unique_by=lambda row: row[:2],
    )
)
def test_a_lock_reads_back_as_it_was_written_and_is_written_in_one_way(
    rows: list[tuple[str, str, str, int, str]],
) -> None:
    members = []
    for owner, name, trigger, number, note in rows:
        if names.is_name(owner) and names.is_name(name):
            members.append(member(f"{owner}/{name}", trigger, version=number, note=note))
    lock = Lock("https://hub.example.org", tuple(members), "mara/pack", COMMIT)
    data = lockfile.written(lock)
    assert lockfile.parse(data, source="x") == lock
    assert lockfile.written(lockfile.parse(data, source="x")) == data
    assert (
        data == (json.dumps(json.loads(data), indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
    )


@busy
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["hub", "members", "files", "lock_version", "pack", "name"]) | st.text(),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_lock_or_a_sentence(value: object) -> None:
    try:
        lockfile.parse(json.dumps(value).encode(), source="x")
    except ClientError as error:
        assert error.exit_code is Exit.UNTRUSTED


@busy
@given(st.binary())
def test_any_bytes_are_a_lock_or_a_sentence(data: bytes) -> None:
    with pytest.raises(ClientError):
        lockfile.parse(data, source="x")


digests = st.sampled_from([None, "", SHA, OTHER, "d" * 64])
filenames = st.sampled_from([f"{word}.safetensors" for word in ("aaa", "bbb", "ccc", "ddd")])


@busy
@given(
    wanted=st.dictionaries(filenames, st.sampled_from([SHA, OTHER])),
    there=st.dictionaries(filenames, digests),
    put=st.dictionaries(
        filenames, st.tuples(st.sampled_from([SHA, OTHER]), st.sampled_from(["p", "q", "pull"]))
    ),
    prune=st.booleans(),
    overwrite=st.booleans(),
)
def test_no_plan_ever_touches_a_file_that_the_client_did_not_put_there(
    wanted: dict[str, str],
    there: dict[str, str | None],
    put: dict[str, tuple[str, str]],
    prune: bool,
    overwrite: bool,
) -> None:
    files = {name: tools.Placed(name, member(sha256=sha).files[0], member()) for name, sha in wanted.items()}
    known = {name: Entry((sha,), "mara/x", 1, by) for name, (sha, by) in put.items()}
    made = planning.plan(
        files, state=known, digest_of=there.get, wanted_by="p", prune=prune, overwrite=overwrite
    )
    for name in made.remove:
        assert prune
        assert name in known
        assert name not in wanted
        assert known[name].wanted_by == "p"
        assert there.get(name) in (None, *known[name].digests)
    for file in made.fetch:
        assert overwrite or file.filename in known or there.get(file.filename) is None
    everything = [one.filename for one in [*made.fetch, *made.keep, *made.taken]]
    assert sorted(everything) == sorted(wanted)


def test_the_state_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    known = {"moss-glow.safetensors": Entry((SHA, OTHER), "mara/moss-glow", 3, "mara/pack")}
    state.save(tmp_path, known)
    assert state.load(tmp_path) == known
    assert state.load(tmp_path / "elsewhere") == {}


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "", ".", "..", "a\0"])
def test_a_state_that_names_another_folder_is_not_believed(tmp_path: Path, name: str) -> None:
    row = {"digests": [SHA], "name": "mara/x", "version": 1, "wanted_by": "p"}
    state.inner(tmp_path)
    (tmp_path / ".glossa" / "state.json").write_text(json.dumps({"state_version": 1, "files": {name: row}}))
    with pytest.raises(ClientError) as caught:
        state.load(tmp_path)
    assert caught.value.exit_code is Exit.LOCAL


def test_two_encoders_become_two_files_for_diffusers() -> None:
    both = tuple(
        LockedFile(layout, "ignored", 10, sha, "https://hub.example.org/f")
        for layout, sha in (("canonical", SHA), ("diffusers", OTHER), ("diffusers-2", "d" * 64))
    )
    found = tools.placed(member(family="sdxl", files=both), tools.TOOLS["diffusers"])
    assert [(one.filename, one.file.layout) for one in found] == [
        ("moss-glow.safetensors", "diffusers"),
        ("moss-glow_2.safetensors", "diffusers-2"),
    ]


@pytest.mark.parametrize(
    ("tool", "given", "folder"),
    [
        ("a1111", "root", "root/embeddings"),
        ("comfyui", "root", "root/models/embeddings"),
        ("comfyui", "root/models/embeddings", "root/models/embeddings"),
        ("a1111", "Models/Embeddings", "Models/Embeddings"),
        ("diffusers", "words", "words"),
        (None, "words", "words"),
    ],
)
def test_the_folder_is_the_tools_own_whether_its_root_is_named_or_itself(
    tmp_path: Path, tool: str | None, given: str, folder: str
) -> None:
    assert tools.place(tools.tool_of(tool), str(tmp_path / given)) == tmp_path / folder
    assert (tmp_path / folder).is_dir()


def test_a_tool_is_found_in_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(ClientError, match="--dir"):
        tools.place(tools.TOOLS["comfyui"], None)
    one = tmp_path / "ComfyUI" / "models" / "embeddings"
    one.mkdir(parents=True)
    assert tools.place(tools.TOOLS["comfyui"], None).samefile(one)
    monkeypatch.chdir(tmp_path / "ComfyUI")
    assert tools.place(tools.TOOLS["comfyui"], None).samefile(one)
    (tmp_path / "Documents" / "ComfyUI" / "models" / "embeddings").mkdir(parents=True)
    with pytest.raises(ClientError, match="more than one"):
        tools.place(tools.TOOLS["comfyui"], None)


def test_a_token_belongs_to_one_hub(tmp_path: Path) -> None:
    mine = "https://mine.example.org"
    environment = {"GLOSSA_CONFIG_DIR": str(tmp_path)}
    settings.save(
        settings.Credentials(mine, {mine: {"token": "kept", "user": "mara"}}), tmp_path / "credentials.json"
    )
    told = lambda option=None, otherwise=None, **more: settings.account(  # noqa: E731
        option, otherwise=otherwise, environment=environment | more
    )
    assert told() == settings.Account(mine, "kept")
    assert told(otherwise="https://evil.example.org").token is None
    assert told(otherwise="https://evil.example.org", GLOSSA_TOKEN="given").token is None
    assert told(otherwise=mine, GLOSSA_TOKEN="given").token == "given"
    assert told("other.example.org", GLOSSA_TOKEN="given") == settings.Account(
        "https://other.example.org", "given"
    )
    assert told(GLOSSA_HUB="other.example.org").token is None


def test_foreign_text_is_shown_without_commands_for_the_terminal() -> None:
    shown = names.printable("".join(map(chr, range(0x2100))) + "\u202e")
    assert set(string.ascii_letters) <= set(shown)
    assert not set(shown) & {"\x1b", "\x9b", "\r", "\n", "\u202e"}
