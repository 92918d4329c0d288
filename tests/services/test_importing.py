"""import_folder: folders as each tool leaves them become entries; again changes nothing; killed, it goes on."""

import io
import json
import zlib
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from hub.access import ANONYMOUS
from hub.catalog import browse
from hub.models import AuditEntry, Blob, Embedding, Preview, Version
from hub.services.importing import scan, sidecars
from hub.services.upkeep import fsck
from tests import factories, kill, samples

pytestmark = pytest.mark.django_db


def word(seed: int, family: str = "sd1", trigger: str = "moss-dragon") -> bytes:
    return samples.canonical_file(family, trigger=trigger, seed=seed)


def plain(seed: int, width: int = 768, key: str = "emb_params") -> bytes:
    """A file that names no word, so that its name is the word."""
    values = samples.packed("F32", samples.floats(2 * width, seed=seed))
    return samples.safetensors_file({key: ("F32", [2, width], values)})


def put(folder: Path, files: dict[str, bytes | str | dict]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def imported(folder: Path, *options: str, code: int = 0) -> tuple[dict[str, dict], dict]:
    """Rows by their file, and the summary."""
    out, err = io.StringIO(), io.StringIO()
    factories.user("ada")
    try:
        call_command(
            "import_folder", str(folder), "--owner", "ada", "--json", *options, stdout=out, stderr=err
        )
        left = 0
    except SystemExit as end:
        left = int(end.code or 0)
    assert left == code, err.getvalue()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    return {row["file"]: row for row in lines[:-1]}, lines[-1]["summary"]


CIVITAI = {
    "id": 1102, "modelId": 11, "name": "v2", "baseModel": "SD 1.5", "trainedWords": ["paperlantern"],
    "description": "<p>Glowing <b>lamps</b>.</p><script>alert(1)</script>",
    "model": {"name": "Paper Lantern Style", "type": "TextualInversion", "tags": ["style", "lighting"]},
}  # fmt: skip


def test_civitai_helper_and_a1111_sidecars_fill_the_form(tmp_path: Path):
    put(tmp_path, {
        "lantern.safetensors": plain(1), "lantern.civitai.info": CIVITAI, "lantern.preview.png": samples.picture(),
        "notes.safetensors": plain(2),
        "notes.json": {"description": "Mine.", "sd version": "SD1", "activation text": "inknotes", "notes": "n"},
        "notes.png": samples.picture(colour="navy"),
    })  # fmt: skip
    rows, summary = imported(tmp_path)
    assert summary == {"dry_run": False, "total": 2, "published": 2}
    lantern = Embedding.objects.get(name="lantern")
    assert (lantern.title, lantern.kind, lantern.visibility) == ("Paper Lantern Style", "style", "private")
    assert (
        "Glowing lamps." in lantern.card
        and "alert" not in lantern.card
        and "civitai.com/models/11" in lantern.card
    )
    assert (
        lantern.head.trigger == "paperlantern"
        and rows["lantern.safetensors"]["base_model"] == "Stable Diffusion 1.5"
    )
    assert set(lantern.tags.values_list("slug", flat=True)) == {"style", "lighting"}
    assert Embedding.objects.get(name="notes").head.trigger == "inknotes"
    assert Preview.objects.filter(role="upload").count() == 2
    assert browse.list_embeddings(ANONYMOUS).total == 0


def test_stability_matrix_lora_manager_and_invokeai_folders(tmp_path: Path):
    info = {
        "ModelId": 5, "ModelName": "Fog", "ModelDescription": "Grey.", "BaseModel": "SDXL 1.0", "Tags": ["negative"],
        "TrainedWords": ["fogword"], "Hashes": {"SHA256": "AB" * 32},
    }  # fmt: skip
    put(tmp_path, {
        "Embeddings/fog.safetensors": plain(3), "Embeddings/fog.cm-info.json": info,
        "lm/rain.safetensors": plain(4), "lm/rain.metadata.json": {"model_name": "Rain", "base_model": "SD 1.5"},
        "models/sd-1/embedding/cat-toy/learned_embeds.safetensors": plain(5, key="<cat-toy>"),
    })  # fmt: skip
    rows, summary = imported(tmp_path)
    assert summary["published"] == 3
    fog = rows["Embeddings/fog.safetensors"]
    assert (fog["title"], fog["kind"], fog["trigger"], fog["base_model"]) == (
        "Fog",
        "negative",
        "fogword",
        "",
    )
    assert any("The sidecar says SDXL 1.0" in one and "The bytes win." in one for one in fog["warnings"])
    assert any("another SHA-256" in one for one in fog["warnings"])
    assert rows["lm/rain.safetensors"]["title"] == "Rain"
    assert rows["models/sd-1/embedding/cat-toy/learned_embeds.safetensors"]["name"] == "ada/cat-toy"


def test_the_concepts_library_layout(tmp_path: Path):
    put(tmp_path, {
        "cat-toy/learned_embeds.safetensors": plain(6, key="<cat-toy>"), "cat-toy/token_identifier.txt": "<cat-toy>",
        "cat-toy/type_of_concept.txt": "object", "cat-toy/README.md": "# x",
        "cat-toy/learned_embeds-steps-500.safetensors": plain(7, key="<cat-toy>"),
        "cat-toy/concept_images/0.jpeg": samples.picture("JPEG"),
        "cat-toy/concept_images/1.jpeg": samples.picture("JPEG", colour="red"),
    })  # fmt: skip
    rows, summary = imported(tmp_path)
    assert summary == {"dry_run": False, "total": 2, "published": 1, "ignored": 1}
    made = Embedding.objects.get()
    assert (made.name, made.kind, made.head.trigger) == ("cat-toy", "object", "cat-toy")
    assert rows["cat-toy/learned_embeds.safetensors"]["previews"] == 2


def test_halves_of_an_sdxl_pair_become_one_and_a_neg_file_is_negative(tmp_path: Path):
    put(tmp_path, {
        "glow_learned_embeds.safetensors": plain(8, 768, "<glow>"),
        "glow_learned_embeds_2.safetensors": plain(9, 1280, "<glow>"),
        "dream.safetensors": plain(10), "dream-neg.safetensors": plain(11),
    })  # fmt: skip
    rows, _ = imported(tmp_path)
    assert len(rows) == 3
    glow = rows["glow_learned_embeds.safetensors"]
    assert (glow["family"], glow["name"], glow["action"]) == ("sdxl", "ada/glow", "published")
    assert {row["file"]: row["kind"] for row in rows.values()}["dream-neg.safetensors"] == "negative"
    assert rows["dream.safetensors"]["kind"] == "style"
    assert imported(tmp_path)[1] == {"dry_run": False, "total": 3, "present": 3}


def test_a_dry_run_says_the_same_and_writes_nothing(tmp_path: Path):
    put(
        tmp_path,
        {
            "a-word.safetensors": plain(12),
            "twin.safetensors": plain(12),
            "bad.pt": "hello",
            "x.png": samples.picture(),
        },
    )
    rows, summary = imported(tmp_path, "--dry-run", code=1)
    assert summary == {"dry_run": True, "total": 4, "publish": 1, "duplicate": 1, "refused": 1, "ignored": 1}
    assert rows["bad.pt"]["rule"] and "plain text" in rows["bad.pt"]["reason"]
    assert not Embedding.objects.exists() and not Blob.objects.exists()
    again, _ = imported(tmp_path, code=1)
    assert again["a-word.safetensors"]["name"] == rows["a-word.safetensors"]["name"] == "ada/a-word"


def test_a_second_run_changes_nothing(tmp_path: Path):
    put(
        tmp_path,
        {"one.safetensors": plain(13), "one.preview.png": samples.picture(), "two.safetensors": plain(14)},
    )
    imported(tmp_path)
    before = (
        AuditEntry.objects.count(),
        Version.objects.count(),
        Preview.objects.count(),
        Blob.objects.count(),
    )
    _, summary = imported(tmp_path)
    assert summary == {"dry_run": False, "total": 2, "present": 2}
    assert before == (
        AuditEntry.objects.count(),
        Version.objects.count(),
        Preview.objects.count(),
        Blob.objects.count(),
    )


def test_names_that_are_taken_get_a_number_and_stay_apart(tmp_path: Path):
    factories.published("ada", "moss")
    put(
        tmp_path,
        {"a/moss.safetensors": plain(15), "b/moss.safetensors": plain(16), "b/MOSS!.safetensors": plain(17)},
    )
    rows, _ = imported(tmp_path)
    assert {row["name"] for row in rows.values()} == {"ada/moss-2", "ada/moss-3", "ada/moss-4"}


def test_hostile_sidecars_are_data(tmp_path: Path):
    hostile = {
        "model": {
            "name": "<script>x</script>\u202e\x00A" + "b" * 500, "tags": ["../../x", "{{ 7 }}", 5, None, "a" * 300],
        },
        "trainedWords": ["<script>alert(1)</script>"], "baseModel": {"$ne": 1}, "modelId": "1; drop table",
        "description": "<img src=x onerror=alert(1)>" + "\x1b[31m" + "x" * 300_000, "files": "none",
    }  # fmt: skip
    put(tmp_path, {
        "one.safetensors": plain(18), "one.civitai.info": hostile,
        "two.safetensors": plain(19), "two.json": "[" * 200_000,
        "three.safetensors": plain(20), "three.cm-info.json": b"\xff\xfe\x00 not json",
        "four.safetensors": plain(21), "four.preview.png": b"<html>",
    })  # fmt: skip
    rows, summary = imported(tmp_path)
    assert summary["published"] == 4
    made = Embedding.objects.get(name="one")
    assert "<" not in made.title + made.card and "\x1b" not in made.card and "\u202e" not in made.title
    assert len(made.title) <= 120 and made.head.trigger == "one-emb"
    assert all(rows[f"{name}.safetensors"]["warnings"] for name in ("two", "three", "four"))


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path):
    outside = put(
        tmp_path / "outside", {"secret.safetensors": plain(22), "secret.json": {"description": "s"}}
    )
    inside = put(tmp_path / "inside", {"one.safetensors": plain(23)})
    (inside / "link.safetensors").symlink_to(outside / "secret.safetensors")
    (inside / "folder").symlink_to(outside)
    (inside / "one.json").symlink_to(outside / "secret.json")
    rows, _ = imported(inside)
    assert list(rows) == ["one.safetensors"] and Embedding.objects.get().card == ""


def test_a_missing_folder_or_owner_is_said():
    factories.user("ada")
    with pytest.raises(CommandError, match="no folder"):
        call_command("import_folder", "/nowhere/at/all", "--owner", "ada")
    with pytest.raises(CommandError, match="nobody called zed"):
        call_command("import_folder", "/tmp", "--owner", "zed")


def test_scan_looks_at_names_alone(tmp_path: Path):
    put(
        tmp_path,
        {"a.pt": "x", "a.png": "x", "a.preview.png": "x", "b.png": "x", ".hidden.pt": "x", "c.txt": "x"},
    )
    found = {item.stem: item for item in scan.scan(tmp_path)}
    assert set(found) == {"a", "b"} and found["b"].is_lone_picture
    assert [path.name for path in found["a"].previews] == ["a.preview.png", "a.png"]


def test_slugs_keep_what_can_be_a_tag():
    assert sidecars.slugs(["Style", "line art", "!!", "style"]) == ["style", "line-art"]


IMPORT = """
import sys
from django.core.management import call_command
call_command("import_folder", sys.argv[1], owner="ada")
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["K6@2", "K7@2", "K9@2", "K8@1"])
def test_an_import_that_was_killed_is_finished_by_the_next_one(tmp_path: Path, point: str):
    factories.user("ada")
    seed = zlib.crc32(point.encode())
    for name in ("one", "two", "three"):
        seed += 1
        put(
            tmp_path,
            {f"{name}.safetensors": plain(seed), f"{name}.preview.png": samples.picture(colour="tan")},
        )
    kill.run(IMPORT, str(tmp_path), point=point)
    assert 1 <= Version.objects.filter(state="published").count() < 3
    _, summary = imported(tmp_path)
    assert summary["total"] == 3 and summary["present"] >= 1
    assert Embedding.objects.count() == Version.objects.count() == 3
    assert all(version.previews.count() == 1 for version in Version.objects.all())
    assert list(fsck.findings()) == []
