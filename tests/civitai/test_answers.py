"""Recorded answers of every endpoint, and the promise that none of their fields goes away or changes its type.

`GLOSSA_RECORD_ANSWERS=1 pytest tests/civitai/test_answers.py` records what is answered now. It adds to the promise what
is new and takes nothing from it: a field that is gone has to be crossed out in promise.json by hand, and is a break.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import resolve

from hub.civitai import urls
from hub.models import Version
from hub.services.versions import publishing
from tests import factories, samples
from tests.civitai import shelf

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("disk_blobs")]
FOLDER = Path(__file__).parent / "answers"
PROMISE = FOLDER / "promise.json"
RECORDING = bool(os.environ.get("GLOSSA_RECORD_ANSWERS"))
# The last number that each table gave away; the next rows have those of the recordings.
NUMBERED = {
    "hub_owner": 4,
    "hub_embedding": 10,
    "hub_version": 1101,
    "hub_file": 3300,
    "hub_preview": 900,
    "hub_tag": 30,
}

ANSWERS = {
    "models": "/models?limit=1",
    "model": "/models/11",
    "archived": "/models/12",
    "version": "/model-versions/1102",
    "mini": "/model-versions/mini/1102",
    "by-hash": "/model-versions/by-hash/{hash}",
    "by-hashes": "POST /model-versions/by-hash",
    "hash-ids": "POST /model-versions/by-hash/ids",
    "images": "/images?limit=2&withMeta=true",
    "creators": "/creators",
    "tags": "/tags",
    "users": "/users?query=a",
    "enums": "/enums",
    "me": "/me",
    "sidecars": "/model-versions/1102/sidecars",
    "comfyui-manager": "/lists/model-list.json",
    "invokeai": "/lists/invokeai.json",
    "a1111-sidecar": "/model-versions/1102/sidecars/paperlantern.json",
    "stability-matrix-sidecar": "/model-versions/1102/sidecars/paperlantern.cm-info.json",
    "not-found": "/models/7",
    "malformed": "/models?sort=__invalid__&period=__invalid__",
    "unauthorized": "/models?favorites=true",
}


@pytest.fixture
def version(tmp_path: Path) -> Version:
    """The embedding of the recordings: two versions, pictures, tags; and others beside it."""
    if connection.vendor != "sqlite":
        pytest.skip("the numbers of the recordings are those of SQLite's tables")
    with connection.cursor() as cursor:
        for table, last in NUMBERED.items():
            cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
            cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, last])
    data = factories.ingested(samples.canonical_file("sd1", trigger="paperlantern", seed=7))
    version = shelf.published(
        "ann", "paper-lantern", title="Paper Lantern Style", summary="Glowing paper lamps.", ingested=data,
        tags=["lighting", "style"], trigger="paperlantern", licence="cc-by-4.0",
        base_model=factories.base_model("sd1", name="sd-1-5", installed=False), notes="The *first* one.",
    )  # fmt: skip
    shelf.uploaded(shelf.drawn(version, tmp_path, blocks="A", columns=2))
    yanked = shelf.published("otto", "ink-wash")
    publishing.yank(factories.viewer("otto"), version=yanked, reason="Wrong pictures.")
    shelf.next_version(version)
    shelf.published("mara", "fog")
    return version


def answer(client: Client, version: Version, name: str) -> Any:
    """What an endpoint answers now, without dates, digests and ids of requests."""
    digest = version.files.get(layout="canonical").blob_id
    method, _, address = ANSWERS[name].rpartition(" ")
    path = shelf.API + address.format(hash=digest)
    if method:
        response = client.post(path, json.dumps([digest]), content_type="application/json")
    else:
        response = client.get(path, headers=shelf.bearer("ann") if name == "me" else None)
    return scrubbed(response.json())


def scrubbed(value: Any, key: str = "") -> Any:
    """The value with what differs from run to run made alike."""
    if isinstance(value, dict):
        return {name: scrubbed(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [scrubbed(one) for one in value]
    if key in ("sizeKB", "size") and isinstance(value, float):
        return 12.0859375
    if key == "size":
        return "12.4KB"
    if key == "request_id":
        return "0" * 16
    if key in ("AutoV2", "AutoV3", "SHA256", "CRC32", "BLAKE3", "hash") and isinstance(value, str):
        assert re.fullmatch(r"[0-9A-F]{8,64}", value)
        return "A" * len(value)
    if isinstance(value, str):
        return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "2026-03-09T14:05:00.000Z", value)
    return value


def fields(value: Any, at: str = "") -> dict[str, set[str]]:
    """Every place in an answer and the types found there."""
    kind = {bool: "bool", int: "int", float: "number", str: "string", type(None): "null"}.get(type(value))
    if kind is not None:
        return {at: {kind}}
    found: dict[str, set[str]] = {at: {"array" if isinstance(value, list) else "object"}}
    parts = [(f"{at}[]", one) for one in value] if isinstance(value, list) else []
    if isinstance(value, dict):
        parts = [(f"{at}.{name}", one) for name, one in value.items()]
    for place, one in parts:
        for where, kinds in fields(one, place).items():
            found.setdefault(where, set()).update(kinds)
    return found


@pytest.fixture(scope="module")
def promise() -> Any:
    """What was promised, and while recording what is promised from now on."""
    told: dict[str, dict[str, str]] = json.loads(PROMISE.read_text()) if PROMISE.exists() else {}
    yield told
    if RECORDING:
        PROMISE.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


def record(name: str, told: Any, promise: dict[str, dict[str, str]]) -> None:
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n")
    known = promise.setdefault(name, {})
    for place, kinds in fields(told).items():
        known[place] = "|".join(sorted({*filter(None, known.get(place, "").split("|")), *kinds}))


def test_every_answer_is_the_recorded_one_and_keeps_what_was_promised(
    client: Client, version: Version, promise: Any
) -> None:
    for name in ANSWERS:
        told = answer(client, version, name)
        if RECORDING:
            record(name, told, promise)
        assert told == json.loads((FOLDER / f"{name}.json").read_text()), name
        assert broken(promise[name], fields(told)) == [], name


def broken(promised: dict[str, str], found: dict[str, set[str]]) -> list[str]:
    """The promises that an answer does not keep. What was null may have become something, and nothing else."""
    return [
        place
        for place, kinds in promised.items()
        if place not in found or ("null" not in kinds and not found[place] <= set(kinds.split("|")))
    ]


def test_a_field_that_goes_away_or_changes_its_type_is_noticed() -> None:
    promised = {"": "object", ".id": "int", ".name": "string", ".hash": "null"}
    assert broken(promised, fields({"id": 1, "name": "a", "hash": "x", "new": 1})) == []
    assert broken(promised, fields({"id": "1", "name": None, "hash": None})) == [".id", ".name"]
    assert broken(promised, fields({"id": 1, "hash": None})) == [".name"]


def test_every_recording_belongs_to_an_endpoint_and_every_endpoint_has_one() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")} - {"promise"}
    assert names == set(ANSWERS)
    json_routes = {pattern.name for pattern in urls.API if not str(pattern.pattern).endswith(".txt")}
    asked = set()
    for address in ANSWERS.values():
        path = address.rpartition(" ")[2].partition("?")[0].format(hash="0" * 64)
        asked.add(resolve(shelf.API + path).view_name)
    assert json_routes - asked == {"civitai_unknown"}
