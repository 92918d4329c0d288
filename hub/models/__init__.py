"""Tables: fields, constraints, named querysets, facts about one's own row."""

from hub.models.answer import KeptAnswer
from hub.models.blob import Blob
from hub.models.device import DeviceLogin
from hub.models.digest import Conversion, Digest
from hub.models.gate import AccessRequest
from hub.models.job import AuditEntry, OutboxJob
from hub.models.moderation import Appeal, Flag, Notice, Ruling
from hub.models.people import AccessToken, Owner, SignInLink, User
from hub.models.preview import Preview
from hub.models.pushed import FormerName, PendingPart, PendingUpload
from hub.models.reading import Download, Fingerprint, FingerprintBand, SearchText
from hub.models.registry import BaseModel, Commit, Embedding, File, Tag, Version
from hub.models.sharing import Collection, CollectionMember, CollectionRevision, FormerPackName, Like
from hub.models.team import FormerTeamName, Invitation, Membership, Role, Team
from hub.models.webhook import Delivery, Webhook

__all__ = [
    "AccessRequest",
    "AccessToken",
    "Appeal",
    "AuditEntry",
    "BaseModel",
    "Blob",
    "Collection",
    "CollectionMember",
    "CollectionRevision",
    "Commit",
    "Conversion",
    "Delivery",
    "DeviceLogin",
    "Digest",
    "Download",
    "Embedding",
    "File",
    "Fingerprint",
    "FingerprintBand",
    "Flag",
    "FormerName",
    "FormerPackName",
    "FormerTeamName",
    "Invitation",
    "KeptAnswer",
    "Like",
    "Membership",
    "Notice",
    "OutboxJob",
    "Owner",
    "PendingPart",
    "PendingUpload",
    "Preview",
    "Role",
    "Ruling",
    "SearchText",
    "SignInLink",
    "Tag",
    "Team",
    "User",
    "Version",
    "Webhook",
]
