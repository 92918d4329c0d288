"""One truth behind every door: each file and each state of a version gives the same bytes, digests and refusals.

Two tables: what each file is called at each door, and what each state answers to each reader at each door. The rows
are the contract; a door that disagrees fails here.
"""

import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from hub.models import AccessRequest, Embedding, Version
from hub.services.embeddings import gating
from hub.services.versions import publishing
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
NAME = "ada/moss-dragon"
NATIVE = f"/api/hub/v1/embeddings/{NAME}/versions/1"

# Layout → its path in the tree of a repository, None where it is made on request alone. One row a file that is served.
FILES: dict[str, dict[str, str | None]] = {
    "sd1": {
        "canonical": "moss-dragon.safetensors",
        "diffusers": "learned_embeds.safetensors",
        "onetrainer": None,
        "webui-image": None,
    },
    "sdxl": {
        "canonical": "moss-dragon.safetensors",
        "diffusers": "learned_embeds.safetensors",
        "diffusers-2": "learned_embeds_2.safetensors",
        "onetrainer": None,
    },
}
CASES = [(family, layout) for family, layouts in FILES.items() for layout in layouts]


def page(client: Client, version: Version, layout: str, **headers: str) -> tuple[int, bytes]:
    """By the page of the version."""
    return told(client.get(f"/{NAME}/versions/1?layout={layout}", headers=headers))


def native(client: Client, version: Version, layout: str, **headers: str) -> tuple[int, bytes]:
    """By the native API."""
    return told(client.get(f"{NATIVE}/files?layout={layout}", headers=headers))


def hugging_face(client: Client, version: Version, layout: str, **headers: str) -> tuple[int, bytes]:
    """By the Hugging Face protocol, at the version's number."""
    path = FILES[version.family][layout]
    return told(client.get(f"/{NAME}/resolve/v1/{path}", headers=headers))


def civitai(client: Client, version: Version, layout: str, **headers: str) -> tuple[int, bytes]:
    """By Civitai's protocol, whose one file is the canonical one; it leads to an address of its own."""
    sent = client.get(f"/api/download/models/{version.pk}", headers=headers)
    if sent.status_code != 307:
        return told(sent)
    return told(client.get(urlsplit(sent["Location"]).path))


DOORS = {"page": page, "native": native, "hf": hugging_face, "civitai": civitai}


def told(response: object) -> tuple[int, bytes]:
    """Status and bytes, streamed or not."""
    content = response.getvalue() if getattr(response, "streaming", False) else response.content  # type: ignore[attr-defined]
    return response.status_code, content  # type: ignore[attr-defined]


@pytest.mark.parametrize(("family", "layout"), CASES)
def test_a_file_has_the_same_bytes_and_digests_at_every_door(
    client: Client, family: str, layout: str
) -> None:
    version = factories.published(family=family).versions.get()
    status, data = page(client, version, layout)
    digest = hashlib.sha256(data).hexdigest()
    assert status == 200 and data
    assert native(client, version, layout) == (200, data)
    listed = {one["layout"]: one for one in client.get(f"{NATIVE}/files").json()["files"]}
    assert set(listed) == set(FILES[family])
    assert (listed[layout]["sha256"], listed[layout]["size"]) == (digest, len(data))
    path = FILES[family][layout]
    if path is not None:
        assert hugging_face(client, version, layout) == (200, data)
        tree = {one["path"]: one for one in client.get(f"/api/models/{NAME}/tree/v1").json()}
        assert (tree[path]["lfs"]["oid"], tree[path]["size"]) == (digest, len(data))
        assert listed[layout]["path"] == path
    if layout == "canonical":
        assert civitai(client, version, layout) == (200, data)
        [file] = client.get(f"/api/v1/model-versions/{version.pk}").json()["files"]
        assert file["hashes"]["SHA256"] == digest.upper()
        assert client.get(NATIVE).json()["sha256"] == digest


def state(name: str) -> Callable[[Version], Version]:
    """As a ruling or a check leaves it."""

    def put(version: Version) -> Version:
        Version.objects.filter(pk=version.pk).update(state=name, state_changed_at=timezone.now())
        version.refresh_from_db()
        return version

    return put


def visible_as(visibility: str) -> Callable[[Version], Version]:
    def put(version: Version) -> Version:
        publishing.update_details(factories.viewer(), embedding=version.embedding, visibility=visibility)
        return version

    return put


def gated(gate: str, asked: str = "", visibility: str = "public") -> Callable[[Version], Version]:
    """Behind a gate, at which bob has asked and was answered so."""

    def put(version: Version) -> Version:
        row = Embedding.objects.select_related("owner").get(pk=version.embedding_id)
        gating.set_gate(factories.viewer(), embedding=row, gate=gate, terms="No likenesses.")
        if asked:
            made = gating.ask(factories.viewer("bob"), embedding=row, agrees=True)
            assert gate == "manual" or made.state == "accepted"
            AccessRequest.objects.filter(pk=made.pk).update(state=asked)
        publishing.update_details(factories.viewer(), embedding=row, visibility=visibility)
        return version

    return put


def yanked(version: Version) -> Version:
    return publishing.yank(factories.viewer(), version=version, reason="Too strong.")


def deleted(version: Version) -> Version:
    return publishing.delete_version(factories.viewer(), version=version)


def all_deleted(version: Version) -> Version:
    publishing.delete_embedding(factories.viewer(), embedding=version.embedding)
    return version


# State → what a stranger and the owner's token are answered for the file: page, native, hf, civitai.
# Civitai's clients know no tombstones: what is withdrawn is as if it had never been (404).
STATES: dict[str, tuple[Callable[[Version], Version], tuple[int, ...], tuple[int, ...]]] = {
    "published": (lambda version: version, (200, 200, 200, 200), (200, 200, 200, 200)),
    "unlisted": (visible_as("unlisted"), (200, 200, 200, 200), (200, 200, 200, 200)),
    "private": (visible_as("private"), (404, 404, 404, 404), (200, 200, 200, 200)),
    "yanked": (yanked, (200, 200, 200, 200), (200, 200, 200, 200)),
    "quarantined": (state("quarantined"), (404, 404, 404, 404), (404, 404, 404, 404)),
    "taken down": (state("taken_down"), (451, 451, 403, 404), (451, 451, 403, 404)),
    "deleted": (deleted, (410, 410, 410, 404), (410, 410, 410, 404)),
    "deleted with all": (all_deleted, (410, 410, 410, 404), (410, 410, 410, 404)),
}
# Whether lists name it to a stranger.
LISTED = {"published"}
SHUT = (403, 403, 403, 403)
OPEN = (200, 200, 200, 200)
HIDDEN = (404, 404, 404, 404)
# A gate, and how bob's request at it was answered → what a stranger, bob's token and a moderator are answered. The
# owner's token gets the file behind every gate, nobody else's does; the record stays for whoever may see it.
GATES: dict[str, tuple[Callable[[Version], Version], tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    "manual, not asked": (gated("manual"), (401,) * 4, SHUT, OPEN),
    "manual, waiting": (gated("manual", "pending"), (401,) * 4, SHUT, OPEN),
    "manual, let in": (gated("manual", "accepted"), (401,) * 4, OPEN, OPEN),
    "manual, rejected": (gated("manual", "rejected"), (401,) * 4, SHUT, OPEN),
    "auto, not asked": (gated("auto"), (401,) * 4, SHUT, OPEN),
    "auto, agreed": (gated("auto", "accepted"), (401,) * 4, OPEN, OPEN),
    "gone, rejected": (gated("off"), OPEN, OPEN, OPEN),
    "unlisted, let in": (gated("manual", "accepted", "unlisted"), (401,) * 4, OPEN, OPEN),
    "private, let in": (gated("manual", "accepted", "private"), HIDDEN, HIDDEN, HIDDEN),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_is_answered_alike_at_every_door(client: Client, name: str) -> None:
    version = factories.published(family="sd1").versions.get()
    whole = civitai(client, version, "canonical")[1]
    put, stranger, owner = STATES[name]
    version = put(version)
    for reader, expected in (({}, stranger), (factories.bearer("ada", "read"), owner)):
        answered = {door: ask(client, version, "canonical", **reader) for door, ask in DOORS.items()}
        assert tuple(status for status, _ in answered.values()) == expected, (name, bool(reader))
        for door, (status, data) in answered.items():
            assert (data == whole) == (status == 200), door


@pytest.mark.parametrize("name", GATES)
def test_a_gate_is_answered_alike_at_every_door(client: Client, name: str) -> None:
    version = factories.published(family="sd1").versions.get()
    whole = civitai(client, version, "canonical")[1]
    put, stranger, asker, moderator = GATES[name]
    version = put(version)
    mod = Client()
    mod.force_login(factories.moderator().user)
    answers: list[tuple[Client, dict[str, str], tuple[int, ...]]] = [
        (client, {}, stranger),
        (client, factories.bearer("bob", "read"), asker),
        (client, factories.bearer("bob", "publish"), SHUT if asker == OPEN != stranger else asker),
        (client, factories.bearer("ada", "read"), OPEN),
        (mod, {}, moderator),
    ]
    for browser, reader, expected in answers:
        answered = {door: ask(browser, version, "canonical", **reader) for door, ask in DOORS.items()}
        # A page sends whoever has to sign in there.
        statuses = tuple(401 if status == 302 else status for status, _ in answered.values())
        assert statuses == expected, (name, reader)
        for door, (status, data) in answered.items():
            assert (data == whole) == (status == 200) and (status == 200 or len(data) < 20_000), door


@pytest.mark.parametrize(("family", "layout"), CASES)
def test_no_file_of_a_gated_version_is_handed_out(client: Client, family: str, layout: str) -> None:
    version = factories.published(family=family).versions.get()
    gated("manual")(version)
    bob, ada = factories.bearer("bob", "read"), factories.bearer("ada", "read")
    for door, ask in DOORS.items():
        if (door == "hf" and FILES[family][layout] is None) or (door == "civitai" and layout != "canonical"):
            continue
        assert [ask(client, version, layout, **one)[0] for one in (bob, ada)] == [403, 200], door
        # Conversions that the owner's pull has made and kept are no way past the gate either.
        assert ask(client, version, layout, **bob)[0] == 403, door
    zipped = f"/api/v1/model-versions/{version.pk}/sidecars/moss-dragon.zip"
    assert [client.get(zipped, headers=one).status_code for one in ({}, bob, ada)] == [401, 403, 200]


def test_all_but_the_files_of_a_gated_version_is_shown_to_everybody(client: Client) -> None:
    version = factories.published(family="sd1").versions.get()
    gated("manual")(version)
    shown = [
        f"/{NAME}", f"/{NAME}/versions/1", NATIVE, f"{NATIVE}/files", f"/{NAME}/resolve/v1/README.md",
        f"/api/models/{NAME}", f"/api/models/{NAME}/tree/v1", f"/api/v1/model-versions/{version.pk}",
        f"/api/v1/models/{version.embedding_id}", f"/api/v1/model-versions/{version.pk}/sidecars",
    ]  # fmt: skip
    assert {address: client.get(address).status_code for address in shown} == dict.fromkeys(shown, 200)


def test_a_signed_link_ends_with_the_grant_that_it_was_made_by(client: Client) -> None:
    version = factories.published(family="sd1").versions.get()
    gated("auto", "accepted")(version)
    bob = factories.bearer("bob", "read")
    link = urlsplit(client.get(f"/api/download/models/{version.pk}", headers=bob)["Location"]).path
    assert client.get(link).status_code == 200
    gating.reject(factories.viewer(), request=AccessRequest.objects.select_related("embedding__owner").get())
    assert client.get(link).status_code == 403


@pytest.mark.parametrize("name", STATES)
def test_lists_name_the_same_things_at_every_door(client: Client, name: str) -> None:
    version = factories.published(family="sd1").versions.get()
    STATES[name][0](version)
    named = {
        "page": b"/ada/moss-dragon" in client.get("/").content,
        "native": bool(client.get("/api/hub/v1/embeddings").json()["items"]),
        "hf": bool(client.get("/api/models").json()),
        "civitai": bool(client.get("/api/v1/models").json()["items"]),
    }
    assert named == dict.fromkeys(named, name in LISTED)


@pytest.mark.parametrize("door", DOORS)
def test_a_draft_is_pulled_by_nobody(client: Client, door: str) -> None:
    draft = factories.draft(trigger="moss-dragon", family="sd1")
    for reader in ({}, factories.bearer("ada", "read")):
        assert DOORS[door](client, draft, "canonical", **reader)[0] == 404
