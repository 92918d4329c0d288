"""Teams as organisations of an unmodified huggingface_hub: named by whoami, pushed to, pulled from by members."""

from pathlib import Path

import pytest

from hub.models import Embedding, Version
from hub.services.people import teammates, teams
from tests import factories
from tests.hf.conftest import Ask
from tests.hf.test_push import CARD, file

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("hub_blobs"),
]
PUSH = """
    api.create_repo(repo, private=True)
    answer = [info["name"] + " " + info["roleInOrg"] for info in api.whoami()["orgs"]]
    api.upload_folder(folder_path=folder, repo_id=repo)
    answer.append(api.model_info(repo).author)
"""
PULL = """
    import tempfile
    from huggingface_hub import hf_hub_download
    fresh = tempfile.mkdtemp()
    answer = told(lambda: len(open(hf_hub_download(repo, "README.md", cache_dir=fresh)).read()) > 100)
"""
MAKE = """
    answer = told(lambda: api.create_repo("fern-house/word"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an embedding and its card, as a person has it on disk."""
    folder = tmp_path / "moss"
    folder.mkdir()
    (folder / "README.md").write_text(CARD)
    (folder / "my-file.safetensors").write_bytes(file())
    return folder


def test_a_writer_pushes_to_the_team_and_a_reader_pulls_until_gone(ask: Ask, folder: Path) -> None:
    team = factories.team(mara="writer", rhea="reader")
    writer = factories.token("mara", scopes=["read", "publish"])[1]
    reader, other = factories.token("rhea")[1], factories.token("bob")[1]
    repo = {"repo": "fern-house/moss-glow"}
    assert ask(PUSH, token=writer, folder=str(folder), **repo) == ["fern-house write", "fern-house"]
    made = Embedding.objects.get(name="moss-glow")
    assert (made.full_name, made.visibility) == ("fern-house/moss-glow", "private")
    assert Version.objects.get(embedding=made).state == "published"
    assert ask(PULL, token=reader, **repo) == ["none", "True"]
    assert ask(PULL, token=other, **repo)[0] == "RepositoryNotFoundError"
    teammates.remove(factories.viewer("ada"), team=team, name="rhea")
    assert ask(PULL, token=reader, **repo)[0] == "RepositoryNotFoundError"
    teams.rename(factories.viewer("ada"), team=team, name="moss-house")
    assert ask(PULL, token=writer, **repo) == ["none", "True"]


def test_who_may_not_write_for_a_team_makes_nothing_under_its_name(ask: Ask) -> None:
    factories.team(rhea="reader")
    for person in ("rhea", "bob"):
        token = factories.token(person, scopes=["read", "publish", "manage"])[1]
        kind, words = ask(MAKE, token=token)
        assert kind == "HfHubHTTPError" and "You cannot make anything under the name fern-house" in words
    assert not Embedding.objects.exists()
