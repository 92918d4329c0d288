"""Whatever container an embedding comes in, what is published is the canonical file, and no pickle leaves the hub."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from hub import blobs
from hub.errors import UnacceptableFile
from hub.formats import Tensor, read, tensor_digest, write_canonical
from hub.models import Blob, File, Version
from hub.services.versions import publishing
from tests import factories
from tests.hostile import assemble, pictures
from tests.samples import packed

pytestmark = pytest.mark.django_db
NUMBERS = assemble.NUMBERS
PICTURE = packed("F32", pictures._VECTORS[0] + pictures._VECTORS[1])
CONTAINERS = [
    ("Moss Dragon.pt", "torch-zip", assemble.torch_zip(), (2, 128), NUMBERS),
    ("moss_dragon.bin", "torch-zip", assemble.torch_zip(assemble.word(key="<moss>")), (2, 128), NUMBERS),
    ("moss-dragon.pt", "torch-legacy", assemble.legacy_file(), (2, 128), NUMBERS),
    ("moss-dragon.png", "image", pictures.GOOD, (2, 768), PICTURE),
]
ids = [f"{container}{Path(name).suffix}" for name, container, *_ in CONTAINERS]


def arrived(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def publish(path: Path) -> Version:
    return publishing.publish_file(
        factories.viewer(), path=path, filename=path.name, name="moss-dragon", title="Moss dragon",
        kind="style", trigger="moss-dragon", licence="cc0-1.0",
    )  # fmt: skip


@pytest.mark.parametrize(("name", "container", "data", "shape", "numbers"), CONTAINERS, ids=ids)
def test_every_container_becomes_a_version_with_the_canonical_file(
    name: str, container: str, data: bytes, shape: tuple[int, int], numbers: bytes, tmp_path: Path
) -> None:
    version = publish(arrived(tmp_path, name, data))
    tensors = {"emb_params": Tensor("F32", shape, numbers)}
    assert (version.number, version.state) == (1, "published")
    assert version.tensor_digest == tensor_digest(tensors)
    canonical = File.objects.get(version=version, layout="canonical")
    served = read(blobs.read(canonical.blob_id), filename=canonical.path)
    assert (canonical.path, served.container) == ("moss-dragon.safetensors", "safetensors")
    assert served.tensors == tensors
    for blob in Blob.objects.all():
        assert data not in blobs.read(blob.sha256)
        assert b"_rebuild_tensor" not in blobs.read(blob.sha256)


def test_what_a_picture_says_of_itself_suggests_the_word(tmp_path: Path) -> None:
    facts = publishing.check_file(
        factories.viewer(), path=arrived(tmp_path, "upload.png", pictures.GOOD), filename="upload.png"
    )
    assert (facts["container"], facts["trigger"], facts["step"]) == ("image", "moss-dragon", 100)


def test_a_pickle_that_names_a_program_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    call = assemble.name("os", "system") + assemble.items(assemble.text("true")) + assemble.REDUCE
    path = arrived(tmp_path, "moss-dragon.pt", assemble.torch_zip(assemble.pickle(call)))
    with pytest.raises(UnacceptableFile) as refusal:
        publish(path)
    assert refusal.value.detail["rule"] == "F3"
    assert "os.system" in refusal.value.message
    assert not Blob.objects.exists() and not Version.objects.exists()


def test_content_and_name_have_to_agree(tmp_path: Path) -> None:
    with pytest.raises(UnacceptableFile) as refusal:
        publish(arrived(tmp_path, "moss-dragon.safetensors", assemble.torch_zip()))
    assert (refusal.value.code, refusal.value.detail["rule"]) == ("type_mismatch", "U4")


@pytest.mark.parametrize(("name", "container", "data", "shape", "numbers"), CONTAINERS, ids=ids)
def test_the_commands_inspect_and_convert_every_container(
    name: str, container: str, data: bytes, shape: tuple[int, int], numbers: bytes, tmp_path: Path
) -> None:
    path, out, target = arrived(tmp_path, name, data), StringIO(), tmp_path / "out.safetensors"
    call_command("inspect", str(path), "--json", stdout=out)
    record: dict[str, Any] = json.loads(out.getvalue())
    assert (record["verdict"], record["container"]) == ("accept", container)
    options = ["--layout", "canonical", "--out", str(target), "--trigger", "moss-dragon"]
    call_command("convert", str(path), *options, stderr=StringIO())
    expected = write_canonical(
        {"emb_params": Tensor("F32", shape, numbers)}, family=record["family"], trigger="moss-dragon"
    )
    assert read(target).tensors == read(expected).tensors


def test_convert_takes_the_wanted_word_out_of_several(tmp_path: Path) -> None:
    second = assemble.storage(key=assemble.text("1"))
    words = assemble.dictionary({"*": assemble.tensor(), "moss": assemble.tensor(source=second)})
    other = packed("F32", [0.5, -0.5] * 128)
    content = assemble.pickle(assemble.dictionary({"string_to_param": words}))
    path = arrived(tmp_path, "words.pt", assemble.torch_zip(content, {"0": NUMBERS, "1": other}))
    target = tmp_path / "out.safetensors"
    options = ["--layout", "canonical", "--out", str(target), "--trigger", "moss-dragon", "--token", "moss"]
    call_command("convert", str(path), *options, stderr=StringIO())
    assert read(target).tensors["emb_params"].data == other
