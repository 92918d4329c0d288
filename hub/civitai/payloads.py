"""Records of this door, as plain data. A field is never taken out and never changes its type: docs/civitai-api.md."""

from typing import Any, Final

from django.http import HttpRequest

from hub.catalog.licences import PERMISSIONS
from hub.catalog.whole import Shelf, Whole
from hub.civitai import addresses, ids, words
from hub.civitai.ids import date
from hub.civitai.pictures import images
from hub.formats.digests import AUTOV2_DIGITS, civitai_crc32
from hub.models import Embedding, Version
from hub.models.registry import Visibility
from hub.wire import prose

AVAILABILITY: Final = {
    Visibility.PUBLIC: "Public",
    Visibility.UNLISTED: "Unsearchable",
    Visibility.PRIVATE: "Private",
}
# The level of everything here: this hub has no others yet.
LEVEL: Final = 1
ARCHIVED: Final = {"mode": "Archived"}
HASH_NAMES: Final = {"sha256": "SHA256", "autov1": "AutoV1", "autov3": "AutoV3", "blake3": "BLAKE3"}


def model(request: HttpRequest, shelf: Shelf, *, with_status: bool = False) -> dict[str, Any]:
    """An embedding with its versions."""
    embedding, head = shelf.embedding, shelf.versions[0].version
    return {
        "id": embedding.pk,
        "name": embedding.title,
        "description": _description(embedding),
        "type": words.OURS,
        "nsfw": False,
        "nsfwLevel": LEVEL,
        "poi": False,
        "minor": False,
        "sfwOnly": False,
        "availability": AVAILABILITY[Visibility(embedding.visibility)],
        **_permissions(head.licence),
        "supportsGeneration": False,
        "userId": embedding.owner_id,
        "cosmetic": None,
        **(ARCHIVED if shelf.is_withdrawn else {}),
        "creator": {"username": embedding.owner.name, "image": None},
        "tags": sorted(tag.slug for tag in embedding.tags.all()),
        "stats": {
            **_stats(embedding.downloads, embedding.likes),
            "commentCount": 0,
            "tippedAmountCount": 0,
            "favoriteCount": embedding.likes,
            "ratingCount": 0,
            "rating": 0,
        },
        "modelVersions": [_listed(request, shelf, whole, with_status) for whole in shelf.versions],
    }


def _listed(request: HttpRequest, shelf: Shelf, whole: Whole, with_status: bool) -> dict[str, Any]:
    """A version inside of its model. Without anything to offer it has no file."""
    record = {**_common(request, whole), "images": images(request, whole)}
    if with_status:
        record["status"] = "Published"
    if shelf.is_withdrawn:
        record["files"] = []
        del record["downloadUrl"]
    return record


def version(request: HttpRequest, whole: Whole) -> dict[str, Any]:
    """A version by itself, with the settings of its pictures."""
    row = whole.version
    yanked = {"yankedReason": row.state_reason} if row.state == Version.State.YANKED else {}
    return {
        **_common(request, whole),
        "modelId": row.embedding_id,
        "updatedAt": date(row.state_changed_at or row.published_at),
        "status": "Published",
        "trainingStatus": "Approved" if row.run_key else None,
        "trainingDetails": None,
        "uploadType": "Trained" if row.run_key else "Created",
        "usageControl": "Download",
        "air": air(row),
        "paidAccess": None,
        "model": {"name": row.embedding.title, "type": words.OURS, "nsfw": False, "poi": False},
        "images": images(request, whole, with_settings=True),
        **yanked,
    }


def mini(request: HttpRequest, whole: Whole) -> dict[str, Any]:
    """Just enough of a version to download it."""
    row, described = whole.version, file(request, whole)
    return {
        "air": air(row),
        "versionName": version_name(row),
        "modelName": row.embedding.title,
        "baseModel": words.base_word(row),
        "availability": AVAILABILITY[Visibility(row.embedding.visibility)],
        "publishedAt": date(row.published_at),
        "size": described["sizeKB"],
        "fileType": described["type"],
        "fileName": described["name"],
        "hashes": described["hashes"],
        "downloadUrls": [described["downloadUrl"]],
        "format": described["metadata"]["format"],
        "canGenerate": False,
        "requireAuth": not whole.is_open or whole.gate is not None,
        "checkPermission": row.embedding.visibility == Visibility.PRIVATE or whole.gate is not None,
        "minor": False,
        "sfwOnly": False,
    }


def file(request: HttpRequest, whole: Whole) -> dict[str, Any]:
    """The one file of a version."""
    stored = whole.file
    return {
        "id": stored.pk,
        "name": stored.path,
        "type": "Model",
        # Unrounded: times 1024 it is the number of bytes again.
        "sizeKB": stored.blob.size / 1024,
        "metadata": {"format": "SafeTensor", "fp": "fp32"},
        "pickleScanResult": "Success",
        "pickleScanMessage": "No Pickle imports",
        "virusScanResult": "Success",
        "virusScanMessage": None,
        "scannedAt": date(whole.version.created_at),
        "hashes": hashes(whole.digests),
        "downloadUrl": addresses.download(request, whole),
        "primary": True,
    }


def hashes(digests: dict[str, str]) -> dict[str, str]:
    """Every digest under Civitai's name, in capitals."""
    found = {name: digests[kind].upper() for kind, name in HASH_NAMES.items() if kind in digests}
    found["AutoV2"] = found["SHA256"][:AUTOV2_DIGITS]
    if "crc32" in digests:
        found["CRC32"] = civitai_crc32(digests["crc32"]).upper()
    return found


def air(version: Version) -> str:
    """The address of a version among all sites."""
    place = f"{version.embedding_id}@{version.pk}"
    return f"urn:air:{words.ecosystem(version)}:embedding:{ids.SOURCE}:{place}"


def version_name(version: Version) -> str:
    """`v2`, or with its label `v2 first-light`."""
    return f"{version.name} {version.label}".strip()


def _common(request: HttpRequest, whole: Whole) -> dict[str, Any]:
    row = whole.version
    return {
        "id": row.pk,
        "name": version_name(row),
        "baseModel": words.base_word(row),
        "baseModelType": "Standard",
        "publishedAt": date(row.published_at),
        "createdAt": date(row.created_at),
        "availability": AVAILABILITY[Visibility(row.embedding.visibility)],
        "nsfwLevel": LEVEL,
        "description": str(prose.card(row.notes)),
        "trainedWords": [row.trigger],
        # People like an embedding and not one version of it.
        "stats": _stats(whole.pulls, row.embedding.likes),
        "earlyAccessEndsAt": None,
        "earlyAccessConfig": None,
        "supportsGeneration": False,
        "files": [file(request, whole)],
        "downloadUrl": addresses.download(request, whole),
    }


def _description(embedding: Embedding) -> str:
    """Summary and card as HTML: never null, because strict clients read text there."""
    return str(prose.card(f"{embedding.summary}\n\n{embedding.card}".strip()))


def _permissions(licence: str) -> dict[str, Any]:
    allowed = PERMISSIONS.get(licence, PERMISSIONS["unknown"])
    return {
        "allowNoCredit": allowed.no_credit,
        "allowCommercialUse": ["Image", "RentCivit", "Rent", "Sell"] if allowed.commercial else ["None"],
        "allowDerivatives": allowed.derivatives,
        "allowDifferentLicense": allowed.other_terms,
    }


def _stats(pulls: int, likes: int) -> dict[str, int]:
    return {"downloadCount": pulls, "thumbsUpCount": likes, "thumbsDownCount": 0}
