"""The audit log: one entry per act, in the act's own transaction, each with the hash of the one before."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from hub.access import Viewer
from hub.models import AuditEntry

_START = "0" * 64
_LOCK = 7_165_234_001


def record(viewer: Viewer, act: str, subject: object, **detail: Any) -> AuditEntry:
    """Write down what is being done. Must be called in the transaction that does it."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("an audit entry belongs in the transaction of its act")
    if connection.vendor == "postgresql":
        # Entries are a chain: one at a time, to the end of the transaction. SQLite has one writer anyway.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    last = AuditEntry.objects.order_by("-sequence").first()
    entry = AuditEntry(
        sequence=last.sequence + 1 if last else 1,
        at=timezone.now(),
        actor=viewer.name,
        token_prefix=viewer.token.prefix if viewer.token else "",
        act=act,
        subject=str(subject)[:255],
        detail=json.loads(json.dumps(detail, default=str)),
        previous_hash=last.hash if last else _START,
    )
    entry.hash = hash_of(entry)
    entry.save(force_insert=True)
    return entry


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over everything in the entry, the hash of the entry before included."""
    told = [
        entry.sequence,
        entry.at.isoformat(),
        entry.actor,
        entry.token_prefix,
        entry.act,
        entry.subject,
        entry.detail,
        entry.previous_hash,
    ]
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def breaks() -> Iterator[str]:
    """A sentence for every entry that does not follow from the one before, oldest first (I11)."""
    previous, expected = _START, 1
    for entry in AuditEntry.objects.order_by("sequence").iterator():
        if entry.sequence != expected:
            yield f"audit entry {expected} is missing"
        elif entry.previous_hash != previous:
            yield f"audit entry {entry.sequence} does not follow the one before"
        if entry.hash != hash_of(entry):
            yield f"audit entry {entry.sequence} was changed"
        previous, expected = entry.hash, entry.sequence + 1
