"""How much of the store the files of a name take up."""

from django.conf import settings
from django.db.models import Q, Sum

from hub.formats.limits import MIB
from hub.models import Blob, File, Owner, Preview, Version


def used(owner: Owner) -> int:
    """Bytes of all files and pictures of this name's versions and drafts, each once."""
    files = File.objects.filter(version__embedding__owner=owner).values("blob")
    pictures = Preview.objects.filter(version__embedding__owner=owner).values("blob")
    drafts = Version.objects.filter(embedding__owner=owner, tensors__isnull=False).values("tensors")
    blobs = Blob.objects.filter(Q(pk__in=files) | Q(pk__in=pictures) | Q(pk__in=drafts))
    return blobs.aggregate(total=Sum("size"))["total"] or 0


def most() -> int | None:
    """Bytes that one name may fill; None where the operator sets no end."""
    return MIB * int(settings.HUB["HUB_QUOTA_MB"]) or None
