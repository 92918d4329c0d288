"""Unmodified clients from the package index, in processes of their own, against a hub over a real socket.

Two of them have their host written into the code: their test sets that one name, as docs/civitai-api.md says to.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from hub import blobs
from hub.models import Version
from tests.civitai import shelf
from tests.parts.script import answer_of

pytestmark = [
    pytest.mark.client,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("disk_blobs"),
]

Ask = Callable[..., Any]


@pytest.fixture
def ask(live_server: LiveServer, tmp_path: Path) -> Ask:
    """Run lines of Python in a new process that knows `url` and these names; what they put into `answer`."""

    def run(lines: str, **names: Any) -> Any:
        environment = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}
        environment |= {"CIVITAI_HOME": str(tmp_path / "home"), "NO_PROXY": "localhost,127.0.0.1"}
        names |= {"url": live_server.url, "folder": str(tmp_path)}
        return answer_of(lines, names, environment=environment, folder=tmp_path)

    return run


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """The first of two versions of a public embedding, with pictures."""
    version = shelf.drawn(shelf.published(tags=["forest"], summary="A soft light."), tmp_path)
    shelf.next_version(version)
    return version


def main_file(version: Version) -> bytes:
    return blobs.read(version.files.get(layout="canonical").blob_id)


CIVITAPY = """
    import asyncio, hashlib, pathlib
    from civitapy import client as module
    from civitapy.models import (
        Creator, CurrentUser, MiniModelVersion, Model, ModelVersion, PaginatedResponse, TagItem, UserLite)
    stranger = module.CivitAIClient(base_url=url + "/api/v1", retry_count=1, download_dir=folder + "/stranger")
    owner = module.CivitAIClient(
        base_url=url + "/api/v1", retry_count=1, download_dir=folder + "/owner", token=token)

    def digest(path):
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()

    def refused(call, *given, **named):
        try:
            call(*given, **named)
        except Exception as error:
            return type(error).__name__
        return "nothing"

    async def walked():
        pages = stranger.models_list_paginated_async(limit=1, types=["TextualInversion", "LORA"])
        return [model.id async for model in pages]

    listed = PaginatedResponse[Model](**stranger.models_list(types=["TextualInversion", "LORA"], ids=[embedding]))
    model = Model(**stranger.models_get(embedding))
    found = ModelVersion(**stranger.model_versions_get(version))
    hashes = found.files[0].hashes
    (path,) = stranger.download_model_version(version, verify_hash=True)
    answer = {
        "enums": sorted(stranger.enums()),
        "listed": [item.id for item in listed.items],
        "walked": stranger._run(walked()),
        "versions": [one.id for one in model.model_versions],
        "by hash": [stranger.model_versions_by_hash(one)["id"] for one in hashes.values()],
        "unknown hash": stranger.model_versions_by_hash("0" * 64),
        "bulk": [one["id"] for one in stranger.model_versions_by_hash_bulk([hashes["SHA256"]])],
        "ids": [one.model_version_id for one in stranger.model_versions_by_hash_ids([hashes["SHA256"]])],
        "mini": MiniModelVersion(**stranger.model_versions_mini(version)).download_urls == [found.download_url],
        "images": len(stranger.images_list(model_version_id=version, with_meta=True)["items"]),
        "creators": [Creator(**one).username for one in stranger.creators_list()["items"]],
        "tags": [TagItem(**one).name for one in stranger.tags_list()["items"]],
        "users": [UserLite(**one).username for one in stranger.users_lookup(query="ma")["items"]],
        "me": CurrentUser(**owner.users_me()).username,
        "path": str(pathlib.Path(path).relative_to(folder)),
        "digest": digest(path),
        "private": [refused(stranger.model_versions_get, private), digest(owner.download_model_version(private)[0])],
        "refused": [refused(stranger.models_list, sort="x"), refused(stranger.models_get, 999999),
                    refused(stranger.users_me)],
    }
"""


def test_civitapy_browses_looks_up_and_downloads(ask: Ask, version: Version) -> None:
    private = shelf.published("otto", "ink-wash", visibility="private")
    newest = version.embedding.versions.order_by("-number")[0]
    other = shelf.published(name="fog")
    told = ask(
        CIVITAPY,
        version=version.pk,
        embedding=version.embedding_id,
        private=private.pk,
        token=shelf.secret("otto"),
    )
    folder = f"stranger/TextualInversion/{version.embedding_id}_Moss_Glow_mara/SD_1.5"
    assert told == {
        "enums": ["ActiveBaseModel", "BaseModel", "BaseModelType", "ModelFileType", "ModelType"],
        "listed": [version.embedding_id],
        "walked": [other.embedding_id, version.embedding_id],
        "versions": [newest.pk, version.pk],
        "by hash": [version.pk] * 5,
        "unknown hash": None,
        "bulk": [version.pk],
        "ids": [version.pk],
        "mini": True,
        "images": 2,
        "creators": ["mara"],
        "tags": ["forest"],
        "users": ["mara"],
        "me": "otto",
        "path": f"{folder}/moss-glow.safetensors",
        "digest": hashlib.sha256(main_file(version)).hexdigest(),
        "private": ["CivitAINotFoundError", hashlib.sha256(main_file(private)).hexdigest()],
        "refused": ["CivitAIHTTPError", "CivitAINotFoundError", "CivitAIAuthError"],
    }


PYCIVITAI = """
    import hashlib, pathlib
    from pycivitai import civitai_download, civitai_find_online
    from pycivitai.client import resource
    resource.ENDPOINT = url

    def told(one):
        return [one.model_id, one.version_id, one.filename, one.size, one.creator, one.tags]

    def digest(path):
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()

    answer = {
        "by name": told(civitai_find_online("Moss Glow")),
        "by number": told(civitai_find_online(embedding, "v1")),
        "by hash": [told(civitai_find_online(one)) for one in hashes],
        "newest": digest(civitai_download("Moss Glow", creator="mara")),
        "first": digest(civitai_download(embedding, "v1")),
        "again": digest(civitai_download("Moss Glow", "v1", "moss-*.safetensors", offline=True)),
        "first of all": resource.find_version(resource.find_model("Moss Glow"))["id"],
    }
"""


def test_pycivitai_finds_by_name_number_and_hash_and_checks_every_byte(ask: Ask, version: Version) -> None:
    newest = version.embedding.versions.order_by("-number")[0]
    sha256 = version.files.get(layout="canonical").blob_id
    autov3 = version.digests.get(path="moss-glow.safetensors", kind="autov3").value
    told = ask(PYCIVITAI, embedding=version.embedding_id, hashes=[sha256, sha256[:10].upper(), autov3])
    size = len(main_file(version))

    def record(one: Version) -> list[Any]:
        return [version.embedding_id, one.pk, "moss-glow.safetensors", size, "mara", ["forest"]]

    assert told == {
        "by name": record(newest),
        "by number": record(version),
        "by hash": [record(version)] * 3,
        "newest": newest.files.get(layout="canonical").blob_id,
        "first": sha256,
        "again": sha256,
        "first of all": newest.pk,
    }


CIVITAI = """
    from civitai import creators, images, models, tags
    for module in (creators, images, models, tags):
        module.CIVITAI_BASE_URL = url + "/api/v1"
    (item,) = models.get(limit=1, query="moss", types="TextualInversion", sort="Newest", period="AllTime",
                         nsfw=False, primaryFileOnly=True).items
    found = models.get_by_modelVersion(version)
    first = models.get(limit=1, page=1)
    image = images.get(modelVersionId=version, limit=1, sort="Newest", nsfw=True).items[0]
    answer = {
        "listed": [item.name, item.type, item.creator_username, item.tags, item.downloadCount, item.ratingCount],
        "page": [first.currentPage, first.pageSize, first.nextPage.startswith(url), bool(first.nextCursor)],
        "versions": [one.id for one in models.get_model(embedding).modelVersions],
        "version": [found.id, found.modelId, found.baseModel, found.trainedWords, found.downloadUrl],
        "by hash": models.get_by_hash(digest).id,
        "image": [image.nsfw, image.nsfwLevel, image.username, image.heartCount, image.url.endswith(".png")],
        "creators": [[one.username, one.modelCount] for one in creators.get(query="ma").items],
        "tags": [[one.name, one.modelCount] for one in tags.get(limit=5).items],
    }
"""


def test_the_wrapper_called_civitai_reads_every_list(
    ask: Ask, version: Version, live_server: LiveServer
) -> None:
    newest = version.embedding.versions.order_by("-number")[0]
    shelf.published(name="fog")
    told = ask(CIVITAI, version=version.pk, embedding=version.embedding_id, digest=version.source_sha256)
    address = f"{live_server.url}/api/download/models/{version.pk}"
    assert told == {
        "listed": ["Moss Glow", "TextualInversion", "mara", ["forest"], 0, 0],
        "page": [1, 1, True, True],
        "versions": [newest.pk, version.pk],
        "version": [version.pk, version.embedding_id, "SD 1.5", ["moss-glow"], address],
        "by hash": version.pk,
        "image": [False, "None", "mara", 0, True],
        "creators": [["mara", 2]],
        "tags": [["forest", 1]],
    }
