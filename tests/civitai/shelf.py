"""Published embeddings with pictures, and the answers about them."""

from pathlib import Path
from typing import Any

from django.test import Client

from hub.models import Embedding, Version
from tests import factories, samples

API = "/api/v1"


def published(owner: str = "mara", name: str = "moss-glow", **fields: Any) -> Version:
    """The first version of a new embedding for SD 1.x."""
    family = {} if "ingested" in fields else {"family": "sd1"}
    return factories.published(owner, name, **{**family, **fields}).versions.get()


def next_version(of: Version, **fields: Any) -> Version:
    """A further version of the same embedding."""
    embedding = Embedding.objects.select_related("owner").get(pk=of.embedding_id)
    return factories.version(embedding, trigger=of.trigger, **{"family": of.family, **fields})


def drawn(of: Version, folder: Path, **options: Any) -> Version:
    """The version with a small preview sheet."""
    factories.sheet(of, folder, **{"columns": 2, **options})
    return of


def uploaded(of: Version, **fields: Any) -> Version:
    """The version with a picture of its publisher's, as it is stored."""
    from hub.models import Preview
    from hub.services.versions import ingest

    data = samples.picture("WEBP", size=(512, 384))
    details = {"prompt": f"a lamp, {of.trigger}", "content_type": "image/webp", "width": 512, "height": 384}
    settings = {
        "Steps": "25",
        "Sampler": "DPM++ 2M",
        "CFG scale": "7.5",
        "Seed": "42",
        "Size": "512x768",
        "source": "0" * 64,
    }
    row = {"parameters": settings, **details, **fields}
    Preview.objects.create(version=of, role="upload", blob=ingest.store(data), **row)
    return of


def get(client: Client, path: str, query: Any = None, **options: Any) -> Any:
    """The answer of an address that must work."""
    response = client.get(API + path, query, **options)
    assert response.status_code == 200, response.content
    return response.json()


def ids(answer: Any) -> list[int]:
    """The numbers of the items of a list."""
    return [item["id"] for item in answer["items"]]


def bearer(name: str = "mara", *scopes: str) -> dict[str, str]:
    """The header that sends a fresh token of this person's, with these scopes (else `read`)."""
    return {"authorization": f"Bearer {secret(name, *scopes)}"}


def secret(name: str = "mara", *scopes: str) -> str:
    """A fresh token of this person's."""
    return factories.token(name, scopes=list(scopes or ("read",)))[1]
