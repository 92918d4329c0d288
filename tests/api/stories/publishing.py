"""Search, publish, keep a draft, give it a picture, publish it, flag, and download in two layouts."""

import hashlib
import json
import sys
from pathlib import Path

from client import AuthenticatedClient
from client.api.drafts import list_drafts
from client.api.embeddings import (
    add_draft_picture,
    create_draft,
    create_embedding,
    get_file,
    get_version,
    label_version,
    list_embeddings,
    list_files,
    list_versions,
    publish_draft,
    publish_version,
    update_draft,
    update_embedding,
    yank_version,
)
from client.api.flags import raise_flag
from client.models import (
    FlagForm,
    FlagReason,
    KindEnum,
    LabelForm,
    LastWordForm,
    NewEmbeddingForm,
    NewPictureForm,
    NewVersionForm,
    PatchedDetailsForm,
    PatchedDraftForm,
    YankForm,
)
from client.types import File

hub, secret, path, other, picture = sys.argv[1:]
client = AuthenticatedClient(base_url=hub, token=secret, raise_on_unexpected_status=True)
made = create_embedding.sync(
    client=client,
    body=NewEmbeddingForm(name="fern-light", kind=KindEnum.STYLE),
    idempotency_key="generated-1",
)
assert made.name == "ada/fern-light", made
place = {"owner": "ada", "name": "fern-light", "client": client}


def form(name: str) -> NewVersionForm:
    """A file, and what goes with it."""
    payload = File(payload=Path(name).read_bytes(), file_name="fern.safetensors")
    return NewVersionForm(file=payload, trigger="fern-light", licence="cc0-1.0")


version = publish_version.sync(**place, body=form(path))
assert getattr(version, "name", "") == "v1", version
changed = update_embedding.sync(
    **place, body=PatchedDetailsForm(summary="Light through ferns.", tags=["green"])
)
assert (changed.summary, changed.tags) == ("Light through ferns.", ["green"]), changed
found = list_embeddings.sync(client=client, q="fern")
assert [one.name for one in found.items] == ["ada/fern-light"], found

draft = create_draft.sync(**place, body=form(other))
seen = File(payload=Path(picture).read_bytes(), file_name="seen.png")
shown = add_draft_picture.sync(**place, number=draft.id, body=NewPictureForm(file=seen))
assert len(shown.items) == 1, shown
draft = update_draft.sync(**place, number=draft.id, body=PatchedDraftForm(label="soft"))
assert [one.label for one in list_drafts.sync(client=client).items] == ["soft"]
second = publish_draft.sync(**place, number=draft.id, body=LastWordForm(notes="Softer."))
assert (second.name, second.label, second.notes) == ("v2", "soft", "Softer."), second
assert [one.number for one in list_versions.sync(**place).items] == [2, 1]
assert label_version.sync(**place, number=1, body=LabelForm(label="first")).label == "first"
flag = raise_flag.sync(client=client, body=FlagForm(name="ada/fern-light", version=2, reason=FlagReason.SPAM))
assert flag.settled is None, flag
yanked = yank_version.sync(**place, number=2, body=YankForm(reason="Too soft."))
assert (yanked.state.value, yanked.reason) == ("yanked", "Too soft."), yanked

told = get_version.sync(**place, number=1)
assert "webui-image" in [one.layout for one in list_files.sync(**place, number=1).files]
files = [
    get_file.sync_detailed(**place, number=1, layout=layout).content
    for layout in ("canonical", "webui-image")
]
downloaded, card = (hashlib.sha256(data).hexdigest() for data in files)
sys.stdout.write(json.dumps({"sha256": told.sha256, "downloaded": downloaded, "card": card}) + "\n")
