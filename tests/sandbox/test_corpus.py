"""The whole hostile corpus through the sandbox, and through the door where people publish."""

import pickle
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hub import sandbox
from hub.formats import FormatError
from hub.models import Blob, Embedding, Version
from tests import factories, samples
from tests.hostile import FUNCTIONS, Builder, Hostile
from tests.hostile.canary import silence
from tests.hostile.pickle_names import CANARY_FOLDER, LIVE

# What answering a request does by itself: the rate limits live in a cache, uploads in temporary files.
REQUESTS = frozenset({"socket.connect", "os.remove", "os.mkdir", "os.rename", "marshal.loads"})


@pytest.fixture(autouse=True)
def _no_song_before() -> Iterator[None]:
    shutil.rmtree(CANARY_FOLDER, ignore_errors=True)
    yield
    shutil.rmtree(CANARY_FOLDER, ignore_errors=True)


@pytest.fixture(autouse=True)
def _warm_templates(tmp_path: Path) -> None:
    """Of embeddings and of pictures: starting one is a sound of its own."""
    picture = tmp_path / "picture"
    picture.write_bytes(samples.picture("PNG", size=(32, 24)))
    with pytest.raises(FormatError, match="no embedding"):
        sandbox.read_embedding(picture, filename="moss.png")
    sandbox.protections()


def rule_of(sample: Hostile, path: Path) -> str | None:
    """The rule by which the sandbox refuses a file."""
    path.write_bytes(sample.data)
    try:
        sandbox.read_embedding(path, filename=sample.filename)
    except FormatError as error:
        return error.rule
    return None


@pytest.mark.parametrize("build", FUNCTIONS.values(), ids=FUNCTIONS)
def test_sandbox_refuses_by_the_same_rule_and_nothing_runs(build: Builder, tmp_path: Path) -> None:
    with silence():
        wrong = {
            sample.name: (sample.rule, found)
            for sample in build()
            if (found := rule_of(sample, tmp_path / "upload")) != sample.rule
        }
    assert wrong == {}


@pytest.mark.django_db
@pytest.mark.parametrize("build", FUNCTIONS.values(), ids=FUNCTIONS)
def test_publishing_page_refuses_by_the_same_rule_and_stores_nothing(build: Builder) -> None:
    ada = Client()
    ada.force_login(factories.user("ada"), backend="django.contrib.auth.backends.ModelBackend")
    wrong = {}
    with silence(allowed=REQUESTS):
        for number, sample in enumerate(build()):
            answer = ada.post("/new/check", {"file": upload(sample)})
            if (answer.status_code, answer.context.get("rule")) != (422, sample.rule):
                wrong[sample.name] = (sample.rule, answer.status_code, answer.context.get("rule"))
            if number < 3:
                published = ada.post("/new", form(sample))
                assert published.status_code == 422
                assert published.context["form"].errors["file"]
    assert wrong == {}
    assert not Embedding.objects.exists() and not Version.objects.exists() and not Blob.objects.exists()


def upload(sample: Hostile) -> SimpleUploadedFile:
    """The file as a browser sends it."""
    return SimpleUploadedFile(sample.filename, sample.data)


def form(sample: Hostile) -> dict[str, object]:
    """The form as a browser sends it."""
    fields = {"name": "moss-dragon", "title": "Moss", "kind": "style", "trigger": "moss-dragon"}
    return {**fields, "file": upload(sample), "licence": "cc0-1.0", "visibility": "public"}


@pytest.mark.parametrize("label", sorted(set(LIVE) - {"dotted", "exec-of-python-2"}))
def test_canary_sings_when_a_live_payload_is_really_unpickled(label: str) -> None:
    payload = b"\x80\x02" + LIVE[label] + b"."
    code = "import pickle, sys, time; pickle.loads(sys.stdin.buffer.read()); time.sleep(0.05)"
    subprocess.run([sys.executable, "-c", code], input=payload, capture_output=True, timeout=60, check=False)
    assert Path(CANARY_FOLDER).exists()


def test_ear_hears_an_unpickling_in_this_process() -> None:
    with pytest.raises(AssertionError, match="find_class"), silence():
        pickle.loads(b"\x80\x02cos\ngetcwd\n.")
