"""Headless training: one object on standard output, the files beside it, no database."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

import hub.formats
from hub.formats.data import Tensor
from hub.formats.torch_writer import write_torch
from tests.trainer.engine.conftest import Images

ROOT = Path(__file__).parents[3]


def train(tmp_path: Path, base: Path, pictures: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "train", "--base", str(base), "--images", str(pictures)]
    command += [
        "--kind",
        "style",
        "--steps",
        "12",
        "--seed",
        "5",
        "--threads",
        "1",
        "--out",
        str(tmp_path / "out"),
    ]
    # A broker, a database or a site that does not exist must not matter.
    urls = {"HUB_DATABASE_URL": "sqlite:////nowhere/hub.sqlite3", "HUB_BROKER_URL": "redis://127.0.0.1:1"}
    environment = {**os.environ, **urls, "HUB_DATA_DIR": str(tmp_path / "data")}
    return subprocess.run(
        [*command, *options],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=ROOT,
        env=environment,
        check=False,
    )


@pytest.fixture(scope="module")
def pictures(images: Images, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("set")
    for number, image in enumerate(images[:3]):
        (folder / f"{number}.png").write_bytes(Path(image["path"]).read_bytes())
    (folder / "1.txt").write_text("on white")
    (folder / "notes.md").write_text("not a picture")
    return folder


def test_result_is_one_object_and_its_files(tmp_path: Path, base_folder: Path, pictures: Path) -> None:
    words = ("--trigger", "mossglow", "--initializer", "flat style", "--tensorboard", str(tmp_path / "board"))
    done = train(tmp_path, base_folder, pictures, *words, "--json")
    assert done.returncode == 0, done.stderr
    assert [path.name.split(".")[:3] for path in (tmp_path / "board").iterdir()] == [
        ["events", "out", "tfevents"]
    ]
    facts: dict[str, Any] = json.loads(done.stdout)
    assert {"files", "digests", "seconds", "steps", "stopped_by", "losses", "sheet"} <= set(facts)
    assert (facts["steps"], facts["stopped_by"]) == (12, "max_steps")
    assert [Path(file["path"]).name for file in facts["files"]] == [
        "mossglow.safetensors",
        "learned_embeds.safetensors",
    ]
    for file in facts["files"]:
        data = hub.formats.read(file["path"])
        assert hub.formats.tensor_digest(data.tensors) == facts["digests"]["tensors"]
    assert Path(facts["sheet"]["path"]).exists()
    assert facts["sheet"]["intact"] is True
    assert all(Path(image["path"]).exists() for image in facts["sheet"]["images"])
    assert facts["provenance"]["recipe"]["captions"] is True
    assert re.search(r"step \d+/12 ", done.stderr), "progress is for people, on stderr"


def test_start_is_another_embedding_of_any_container(
    tmp_path: Path, base_folder: Path, pictures: Path
) -> None:
    rows = (torch.arange(2 * 128, dtype=torch.float32).view(2, 128) % 7) * 0.01
    start = tmp_path / "earlier.pt"
    start.write_bytes(write_torch(Tensor("F32", (2, 128), rows.numpy().tobytes()), name="earlier"))
    words = ("--trigger", "mossglow", "--start", str(start), "--json")
    done = train(tmp_path, base_folder, pictures, *words, "--set", "lr=0")
    assert done.returncode == 0, done.stderr
    facts = json.loads(done.stdout)
    data = hub.formats.read(facts["files"][0]["path"])
    assert data.tensors["emb_params"].data == rows.numpy().tobytes()
    assert facts["provenance"]["recipe"]["initializer_mode"] == "file"
    assert facts["provenance"]["recipe"]["vectors_per_token"] == 2
    assert facts["digests"]["tensors"] == facts["provenance"]["recipe"]["initializer_file"]
    refused = train(tmp_path, base_folder, pictures, *words, "--vectors", "3")
    assert refused.returncode == 1
    assert "has 2 vectors" in refused.stderr


def test_word_that_could_not_be_published_is_a_warning_here(
    tmp_path: Path, base_folder: Path, pictures: Path
) -> None:
    options = ("--set", "crop=buckets", "--set", "mask=alpha", "--template", "a [name]")
    options += ("--preview-prompt", "[name] on a mug", "--preview-prompt", "a [name] stamp")
    done = train(tmp_path, base_folder, pictures, "--trigger", "moss", *options)
    assert done.returncode == 0, done.stderr
    assert "This word could not be published." in done.stderr
    assert done.stdout.split() == [
        str(tmp_path / "out" / n) for n in ("moss.safetensors", "learned_embeds.safetensors")
    ]
    assert len(list((tmp_path / "out" / "sheet").glob("H-*.png"))) == 8


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--base", "poet"), "No base model 'poet' is installed."),
        (("--images", "/nowhere"), "/nowhere: No such file or directory."),
        (("--images", "docs"), "there is no JPEG, PNG or WebP picture in it."),
        (("--vectors", "40"), "vectors_per_token: 40 is outside 1 to 16."),
        (("--set", "crop=left"), "crop: 'left' is not one of centre, focus, buckets."),
        (("--template", "a thing"), "'a thing' lacks [name], so nothing would be learned from it."),
        (("--preview-prompt", "a mug"), "'a mug' lacks [name], so the word would not be shown."),
    ],
)
def test_mistakes_are_told_in_one_line(
    tmp_path: Path, base_folder: Path, pictures: Path, options: tuple[str, ...], sentence: str
) -> None:
    done = train(tmp_path, base_folder, pictures, "--trigger", "mossglow", *options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.strip().splitlines()[-1].endswith(sentence)
