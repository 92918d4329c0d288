"""Gated embeddings as an unmodified huggingface_hub meets them: refused by its own error, asked for, let in."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from hub.models import AccessRequest, Embedding, Version
from hub.services.embeddings import gating
from tests import factories
from tests.hf import shelf
from tests.hf.conftest import IS_OLD, Ask, Hf, not_with_the_old_client

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hub_blobs"),
]
NAME = "mara/moss-glow"
FILE = "learned_embeds.safetensors"
LISTS = f"/api/models/{NAME}/user-access-request"


@pytest.fixture
def version() -> Version:
    """The first version of mara/moss-glow, which is behind a gate that mara opens by hand."""
    made = factories.published("mara", "moss-glow").versions.get()
    gating.set_gate(factories.viewer("mara"), embedding=made.embedding, gate="manual", terms="No likenesses.")
    return made


@pytest.fixture
def reader() -> str:
    """The secret of bob's token, which may read and ask."""
    return factories.token("bob", scopes=["read", "manage"])[1]


PULL = """
    from huggingface_hub import hf_hub_download, hf_hub_url, get_hf_file_metadata, snapshot_download
    name, path = "mara/moss-glow", "learned_embeds.safetensors"
    def said(call):
        try:
            return ["none", 200, "", str(call())]
        except Exception as error:
            response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
            code = response.headers.get("X-Error-Code", "") if response is not None else ""
            return [type(error).__name__, response.status_code if response is not None else 0, code, str(error)]
    answer = {
        "head": said(lambda: get_hf_file_metadata(hf_hub_url(name, path)).size),
        "file": said(lambda: hf_hub_download(name, path)),
        "snapshot": said(lambda: snapshot_download(name)),
        "exists": said(lambda: api.file_exists(name, path)),
        "card": said(lambda: hf_hub_download(name, "README.md"))[0],
        "gated": api.model_info(name).gated,
        "files": path in api.list_repo_files(name),
    }
    if new:
        answer["check"] = said(lambda: api.auth_check(name))
"""


def test_a_stranger_is_refused_by_the_clients_own_error(ask: Ask, version: Version) -> None:
    answer = ask(PULL, new=not IS_OLD)
    assert (answer["card"], answer["gated"], answer["files"]) == ("none", "manual", True)
    for call in ("head", "file", "snapshot", "exists", *([] if IS_OLD else ["check"])):
        error, status, code, said = answer[call]
        assert (error, status, code) == ("GatedRepoError", 401, "GatedRepo"), (call, answer[call])
        assert "sign in" in said and f"/{NAME}" in said, said


def test_who_has_not_been_let_in_is_refused_and_then_gets_the_file(
    ask: Ask, version: Version, reader: str
) -> None:
    answer = ask(PULL, token=reader, new=not IS_OLD)
    for call in ("head", "file", "snapshot", "exists", *([] if IS_OLD else ["check"])):
        assert answer[call][:3] == ["GatedRepoError", 403, "GatedRepo"], (call, answer[call])
    assert "ask its owner" in answer["file"][3]
    gating.grant(factories.viewer("mara"), embedding=version.embedding, name="bob")
    answer = ask(PULL, token=reader, new=not IS_OLD)
    stored = version.files.get(layout="diffusers").blob
    assert answer["head"] == ["none", 200, "", str(stored.size)]
    assert Path(answer["file"][3]).stat().st_size == stored.size
    assert answer["snapshot"][0] == answer["exists"][0] == "none" and answer["exists"][3] == "True"


def test_the_command_line_says_what_to_do(hf: Hf, version: Version, reader: str) -> None:
    refused = hf("download", NAME, FILE, token=reader)
    assert refused.returncode != 0
    assert ("gated" if IS_OLD else "requires approval") in refused.stderr
    gating.grant(factories.viewer("mara"), embedding=version.embedding, name="bob")
    assert hf("download", NAME, FILE, token=reader).returncode == 0


KEEP = """
    name = "mara/moss-glow"
    def listed(state):
        rows = getattr(api, f"list_{state}_access_requests")(name)
        return [[one.username, one.email, one.status, one.fields] for one in rows]
    first = listed("pending")
    api.accept_access_request(name, "bob")
    second = [listed("pending"), listed("accepted")]
    api.cancel_access_request(name, "bob")
    third = listed("pending")
    api.reject_access_request(name, "bob", rejection_reason="Not for that.")
    fourth = listed("rejected")
    api.grant_access(name, "cara")
    answer = [first, second, third, fourth, listed("accepted"),
        told(lambda: api.grant_access(name, "cara")), told(lambda: api.grant_access(name, "nobody")),
        told(lambda: api.accept_access_request(name, "nobody"))]
"""


def test_the_owner_answers_requests(ask: Ask, version: Version, writer: str) -> None:
    factories.user("cara")
    gating.ask(factories.viewer("bob"), embedding=version.embedding, agrees=True, message="For a zine.")
    first, second, third, fourth, accepted, *refused = ask(KEEP, token=writer)
    assert first == [["bob", "bob@example.org", "pending", {"message": "For a zine."}]]
    assert second == [[], [[*first[0][:2], "accepted", first[0][3]]]]
    assert third == first and fourth[0][2] == "rejected"
    assert accepted == [["cara", None, "accepted", None]]
    assert [error for error, _ in refused] == ["BadRequestError", "HfHubHTTPError", "HfHubHTTPError"]
    assert AccessRequest.objects.get(user__username="bob").reason == "Not for that."


def test_others_do_not_see_who_asked(ask: Ask, version: Version, reader: str, client: Client) -> None:
    gating.ask(factories.viewer("cara"), embedding=version.embedding, agrees=True)
    lines = '    answer = told(lambda: list(api.list_pending_access_requests("mara/moss-glow")))'
    error, said = ask(lines, token=reader)
    assert error == "HfHubHTTPError" and "cara" not in said
    assert client.get(f"{LISTS}/pending").status_code == 401


@not_with_the_old_client
def test_a_gate_is_a_setting(ask: Ask, version: Version, writer: str) -> None:
    answer = ask(
        """
    name, answer = "mara/moss-glow", []
    for gate in ("auto", False, "manual"):
        api.update_repo_settings(name, gated=gate)
        answer.append(api.model_info(name).gated)
    answer += [told(lambda: api.update_repo_settings(name, private=True))[0], api.model_info(name).gated]
    api.update_repo_settings(name, gated=False)
    answer.append(told(lambda: list(api.list_pending_access_requests(name))))
    """,
        token=writer,
    )
    assert answer[:5] == ["auto", False, "manual", "none", "manual"]
    assert answer[5][0] == "BadRequestError" and "no gate" in answer[5][1]


def test_lists_are_narrowed_by_the_gate(ask: Ask, version: Version) -> None:
    factories.published("mara", "fern")
    auto = factories.published("mara", "rust")
    gating.set_gate(factories.viewer("mara"), embedding=auto, gate="auto")
    answer = ask(
        """
    answer = [sorted([one.id, one.gated] for one in api.list_models(author="mara", **more))
        for more in ({}, {"gated": True}, {"gated": False})]
    """
    )
    gates: list[list[Any]] = [["mara/fern", False], ["mara/moss-glow", "manual"], ["mara/rust", "auto"]]
    assert answer == [gates, gates[1:], gates[:1]]


def test_asking_is_one_call(client: Client, version: Version) -> None:
    bob, reads = shelf.bearer("bob", "manage"), shelf.bearer("bob", "read")
    where = f"/{NAME}/ask-access"
    assert client.post(where).status_code == 401
    assert client.post(where, headers=reads).status_code == 403
    asked = client.post(where, {"message": "For a zine."}, headers=bob)
    assert (asked.status_code, asked.json()) == (200, {"status": "pending"})
    assert AccessRequest.objects.get().message == "For a zine."
    row = Embedding.objects.get()
    gating.set_gate(factories.viewer("mara"), embedding=row, gate="auto")
    again = client.post(where, {"message": ""}, content_type="application/json", headers=bob)
    assert again.json() == {"status": "accepted"}
    assert client.get(f"/{NAME}/resolve/main/{FILE}", headers=reads).status_code in (200, 307)  # by a bucket
    gating.set_gate(factories.viewer("mara"), embedding=row, gate="off")
    assert client.post(where, headers=bob).status_code == 400


def test_requests_are_named_by_their_id_too(client: Client, version: Version) -> None:
    asked = gating.ask(factories.viewer("bob"), embedding=version.embedding, agrees=True)
    mara = shelf.bearer("mara", "manage")
    for body, status in (
        ({"requestId": str(asked.pk), "status": "accepted"}, 200),
        ({"requestId": "999999", "status": "accepted"}, 404),
        ({"requestId": "x", "status": "accepted"}, 404),
        ({"user": "bob", "status": "open"}, 400),
        ({"status": "accepted"}, 400),
    ):
        sent = client.post(f"{LISTS}/handle", body, content_type="application/json", headers=mara)
        assert sent.status_code == status, body
    asked.refresh_from_db()
    assert asked.state == "accepted"
    assert client.get(f"{LISTS}/elsewhere", headers=mara).status_code == 404


def test_the_list_comes_in_pages(client: Client, version: Version, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.hf.gates.PAGE", 2)
    for name in ("bob", "cara", "dora"):
        gating.ask(factories.viewer(name), embedding=version.embedding, agrees=True)
    mara, seen, address = shelf.bearer("mara", "manage"), [], f"{LISTS}/pending"
    while address:
        page = client.get(address, headers=mara)
        seen += [one["user"]["user"] for one in page.json()]
        link = page.get("Link", "")
        address = link.partition("<")[2].partition(">")[0].removeprefix("http://testserver")
    assert seen == ["dora", "cara", "bob"]


def test_a_pack_says_which_member_is_gated(ask: Ask, version: Version, reader: str) -> None:
    fern = factories.published("mara", "rust-tide").versions.get()
    factories.pack("mara", "wet-places", version, fern)
    lines = """
    from huggingface_hub import hf_hub_download, snapshot_download
    answer = [hf_hub_download("mara/wet-places", "rust-tide.safetensors")[-21:],
        told(lambda: hf_hub_download("mara/wet-places", "moss-glow.safetensors")),
        told(lambda: snapshot_download("mara/wet-places"))[0],
        open(hf_hub_download("mara/wet-places", "glossa.lock.json")).read()]
    """
    fern_path, moss, whole, lock = ask(lines, token=reader)
    assert fern_path == "rust-tide.safetensors"
    assert moss[0] == whole == "GatedRepoError" and f"/{NAME}" in moss[1]
    # The lock tells what everybody is told: names, sizes and digests.
    assert version.files.get(layout="canonical").blob_id in lock
    gating.grant(factories.viewer("mara"), embedding=version.embedding, name="bob")
    lines = """
    from huggingface_hub import snapshot_download
    answer = snapshot_download("mara/wet-places")
    """
    assert (Path(ask(lines, token=reader)) / "moss-glow.safetensors").exists()
