"""Repositories made, renamed, opened, closed, tagged and deleted with an unmodified huggingface_hub."""

from typing import Any

import pytest
from django.test import Client

from hub.models import AuditEntry, Embedding, FormerName, Version
from tests import factories
from tests.hf import shelf
from tests.hf.conftest import Ask, Hf, not_with_the_old_client

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hub_blobs"),
]


@pytest.fixture
def version() -> Version:
    """The first version of mara/moss-glow."""
    return factories.published("mara", "moss-glow").versions.get()


def test_create_makes_an_embedding_that_only_its_owner_sees(ask: Ask, writer: str, client: Client) -> None:
    answer = ask(
        """
    answer = [
        api.create_repo("mara/moss-glow").repo_id,
        api.create_repo("Fern", private=True).repo_id,
        told(lambda: api.create_repo("mara/moss-glow")),
        api.create_repo("mara/moss-glow", exist_ok=True).repo_id,
        api.model_info("mara/moss-glow").sha,
    ]
    """,
        token=writer,
    )
    assert answer[:2] == ["mara/moss-glow", "mara/fern"]
    assert answer[2][0] == "HfHubHTTPError" and "409" in answer[2][1]
    assert answer[3] == "mara/moss-glow"
    assert len(answer[4]) == 40
    rows = {row.name: row.visibility for row in Embedding.objects.all()}
    assert rows == {"moss-glow": "public", "fern": "private"}
    assert client.get("/api/models/mara/moss-glow").status_code == 404


def test_create_refuses_what_cannot_be_a_repository_here(ask: Ask, version: Version) -> None:
    publisher, reader = (factories.token("mara", scopes=[scope])[1] for scope in ("publish", "read"))
    lines = """
    answer = [told(lambda: api.create_repo(name, exist_ok=True, **more))
        for name, more in (("otto/fern", {}), ("mara/mossglow", {}), ("mara/data", {"repo_type": "dataset"}))]
    """
    answer = ask(lines, token=publisher)
    assert answer[0][0] != "none" and "under the name otto" in answer[0][1]
    assert answer[1][0] == "HfHubHTTPError" and "mistaken" in answer[1][1]
    assert answer[2][0] == "BadRequestError" and "embeddings only" in answer[2][1]
    error, said = ask('    answer = told(lambda: api.create_repo("mara/fern"))', token=reader)
    assert error == "HfHubHTTPError" and "publish" in said
    assert ask('    answer = told(lambda: api.create_repo("mara/fern"))')[0] == "HfHubHTTPError"
    assert Embedding.objects.count() == 1


def test_the_name_of_a_deleted_embedding_is_not_made_again(ask: Ask, writer: str, version: Version) -> None:
    answer = ask(
        """
    api.delete_repo("mara/moss-glow")
    answer = [told(lambda: api.create_repo("mara/moss-glow", exist_ok=True)),
        told(lambda: api.model_info("mara/moss-glow")), told(lambda: api.delete_repo("mara/moss-glow"))]
    """,
        token=writer,
    )
    assert answer[0][0] == "HfHubHTTPError" and "taken" in answer[0][1]
    assert answer[1][0] == answer[2][0] == "RepositoryNotFoundError"


@not_with_the_old_client
def test_visibility_is_a_setting_beside_the_gate(ask: Ask, writer: str, version: Version) -> None:
    answer = ask(
        """
    answer = [told(lambda: api.update_repo_settings("mara/moss-glow", private=True)),
        api.model_info("mara/moss-glow").private,
        told(lambda: api.update_repo_settings("mara/moss-glow", visibility="public", gated=False)),
        api.model_info("mara/moss-glow").private,
        told(lambda: api.update_repo_settings("mara/moss-glow", visibility="private", gated="auto"))[0],
        api.model_info("mara/moss-glow").private, api.model_info("mara/moss-glow").gated]
    """,
        token=writer,
    )
    assert [answer[0][0], answer[1], answer[2][0], answer[3]] == ["none", True, "none", False]
    assert answer[4:] == ["none", True, "auto"]
    assert AuditEntry.objects.filter(act="update_details").count() == 3
    assert AuditEntry.objects.filter(act="set_gate").count() == 1


def test_a_renamed_embedding_is_found_under_both_names(
    ask: Ask, writer: str, version: Version, client: Client
) -> None:
    old = shelf.commit_of(version)
    answer = ask(
        """
    from huggingface_hub import hf_hub_download, snapshot_download
    api.move_repo("mara/moss-glow", "mara/forest-light")
    info = api.model_info("mara/moss-glow")
    path = hf_hub_download("mara/moss-glow", "learned_embeds.safetensors")
    answer = [info.id, open(path, "rb").read(8).hex(), snapshot_download("mara/moss-glow", revision=old)[-40:],
        api.upload_file(path_or_fileobj=b"# Other\\n", path_in_repo="README.md", repo_id="mara/moss-glow").oid,
        told(lambda: api.create_repo("mara/moss-glow"))[0], api.model_info("mara/forest-light").sha]
    """,
        token=writer,
        old=old,
    )
    assert answer[0] == "mara/forest-light"
    assert answer[2] == old
    assert answer[3] == answer[5]
    assert answer[4] == "HfHubHTTPError"
    assert Embedding.objects.get().title == "Other"
    page = client.get("/mara/moss-glow?layout=canonical")
    assert (page.status_code, page["Location"]) == (307, "/mara/forest-light?layout=canonical")
    assert client.get("/api/models/mara/moss-glow").status_code == 307


def test_an_old_name_can_be_taken_back_and_a_private_one_is_not_told(
    ask: Ask, writer: str, version: Version, client: Client
) -> None:
    ask('    answer = str(api.move_repo("mara/moss-glow", "mara/forest-light"))', token=writer)
    ask(
        '    answer = str(api.update_repo_settings("mara/forest-light", private=True))',
        token=writer,
    )
    hidden, missing = (client.get(f"/api/models/mara/{name}") for name in ("moss-glow", "nothing"))
    assert (hidden.status_code, hidden.json()["error"]) == (404, missing.json()["error"])
    ask('    answer = str(api.move_repo("mara/forest-light", "mara/moss-glow"))', token=writer)
    assert Embedding.objects.get().name == "moss-glow"
    assert list(FormerName.objects.values_list("name", flat=True)) == ["forest-light"]


def test_a_rename_is_refused_to_others_and_to_taken_names(ask: Ask, version: Version) -> None:
    factories.published("mara", "fern")
    factories.published("otto", "loud")
    publisher, manager = (factories.token("mara", scopes=[scope])[1] for scope in ("publish", "manage"))
    lines = "    answer = [told(lambda: api.move_repo(*pair)) for pair in pairs]"
    pairs = [
        ["mara/moss-glow", "mara/fern"],
        ["mara/moss-glow", "otto/moss"],
        ["otto/loud", "otto/quiet"],
        ["mara/nothing", "mara/something"],
    ]
    answer = ask(lines, token=manager, pairs=pairs)
    assert [said[0] for said in answer] == ["HfHubHTTPError"] * 3 + ["RepositoryNotFoundError"]
    assert "taken" in answer[0][1] and "keeps its owner" in answer[1][1] and "not change it" in answer[2][1]
    assert "manage" in ask(lines, token=publisher, pairs=pairs[:1])[0][1]
    assert Embedding.objects.filter(name="moss-glow").exists()


def test_tags_are_labels_of_versions(ask: Ask, writer: str, version: Version) -> None:
    answer = ask(
        """
    tags = lambda: {tag.name: tag.target_commit for tag in api.list_repo_refs("mara/moss-glow").tags}
    def tag(name, **more):
        return told(lambda: api.create_tag("mara/moss-glow", tag=name, **more))
    answer = [tag("soft"), tags(), tag("soft"), tag("soft", exist_ok=True)[0], tag("hard"), tag("v1", exist_ok=True)[0],
        tag("x", revision="v9")[0], tag("v7"), told(lambda: api.delete_tag("mara/moss-glow", tag="v1")),
        told(lambda: api.delete_tag("mara/moss-glow", tag="soft"))[0],
        told(lambda: api.delete_tag("mara/moss-glow", tag="soft"))[0], tags()]
    """,
        token=writer,
    )
    commit = shelf.commit_of(version)
    assert answer[0][0] == "none" and answer[1] == {"v1": commit, "soft": commit}
    assert answer[2][0] == "HfHubHTTPError" and "already" in answer[2][1]
    assert answer[3] == "none"
    assert "labelled" in answer[4][1]
    assert answer[5] == "none"
    assert answer[6] == "RevisionNotFoundError"
    assert "is no version number" in answer[7][1]
    assert "they stay" in answer[8][1]
    assert answer[9:] == ["none", "RevisionNotFoundError", {"v1": commit}]


def test_branches_are_refused_with_the_reason(ask: Ask, hf: Hf, writer: str, version: Version) -> None:
    answer = ask(
        """
    answer = [told(lambda: api.create_branch("mara/moss-glow", branch="dev")),
        told(lambda: api.delete_branch("mara/moss-glow", branch="main"))]
    """,
        token=writer,
    )
    assert ["one line of versions" in said for _, said in answer] == [True, True]
    done = hf("upload", "mara/moss-glow", "README.md", "--revision", "dev", token=writer)
    assert done.returncode != 0


def test_a_public_embedding_that_others_rely_on_is_not_deleted(
    ask: Ask, writer: str, version: Version
) -> None:
    file = version.files.get(layout="diffusers")
    from hub.services.upkeep import counting

    for _ in range(100):
        counting.count_download(file_id=file.pk, day="2026-01-01")
    error, said = ask('    answer = told(lambda: api.delete_repo("mara/moss-glow"))', token=writer)
    assert error == "HfHubHTTPError" and "Yank it instead" in said
    version.refresh_from_db()
    assert version.state == "published"


@not_with_the_old_client
def test_the_command_line_makes_lists_and_deletes(hf: Hf, writer: str) -> None:
    made = hf("repos", "create", "moss-glow", "--private", token=writer)
    assert made.returncode == 0, made.stderr
    assert Embedding.objects.get().visibility == "private"
    who = hf("auth", "whoami", token=writer)
    assert who.returncode == 0 and "mara" in who.stdout
    gone = hf("repos", "delete", "mara/moss-glow", "--yes", token=writer)
    assert gone.returncode == 0, gone.stderr
    assert not Embedding.objects.alive().exists()


def test_addresses_that_clients_print_lead_to_pages(client: Client, version: Version) -> None:
    second = shelf.next_version(version)
    where = {
        "/mara/moss-glow/tree/main": "/mara/moss-glow",
        f"/mara/moss-glow/commit/{shelf.commit_of(second)}": "/mara/moss-glow",
        f"/mara/moss-glow/commit/{shelf.commit_of(version)}": "/mara/moss-glow/versions/1",
        "/mara/moss-glow/blob/v1/README.md": "/mara/moss-glow/versions/1",
    }
    for address, page in where.items():
        response = client.get(address)
        assert (response.status_code, response["Location"]) == (302, page), address
    assert client.get("/mara/moss-glow/commit/" + "0" * 40).status_code == 404


CARDS: list[tuple[Any, int, str]] = [
    ("---\nlicense: mit\ntags: [a]\n---\ntext", 200, ""),
    ("no front matter", 200, ""),
    ("\n\n---\r\nlicense: mit\r\n---\r\ntext", 200, ""),
    ("---\ntags: 5\n---\n", 400, "“tags” has to be a list"),
    ("---\nlicense: beer\n---\n", 400, "“license” is one of"),
    ("---\nself: 1\n---\n", 400, "“self” cannot be"),
    ("---\nignore_metadata_errors: true\n---\n", 400, "“ignore_metadata_errors”"),
    ("---\n- a\n---\n", 400, "“name: value” lines"),
    ("---\na: [\n---\n", 400, "cannot be read: line"),
    ("---\na: &x [1]\nb: *x\n---\n", 400, "aliases"),
    ("---\na: !!python/object/apply:os.system [id]\n---\n", 400, "cannot be read"),
    ("---\n" + "[" * 5000 + "\n---\n", 400, "cannot be read"),
    ("---\na: " + "x" * 20_000 + "\n---\n", 400, "longer than 16 KiB"),
    ("---\na: 2026-99-99\n---\n", 400, "cannot be read"),
]


@pytest.mark.parametrize(("card", "status", "words"), CARDS, ids=range(len(CARDS)))
def test_a_card_is_looked_at_without_a_token(client: Client, card: str, status: int, words: str) -> None:
    body = {"content": card, "repoType": "model"}
    response = client.post("/api/validate-yaml", body, content_type="application/json")
    assert response.status_code == status
    assert [words in error["message"] for error in response.json()["errors"]] == [True] * bool(words)
