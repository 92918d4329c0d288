"""Records of flags, rulings and cases as plain data; `moderation_shapes` and `case_shapes` say what is in them."""

from typing import Any

from django.http import HttpRequest

from hub.api.payloads import address
from hub.catalog.case_shapes import Case, CaseLine
from hub.models import Appeal, Collection, Embedding, Flag, Ruling, User, Version


def own_flag(row: Flag) -> dict[str, Any]:
    """FlagShape."""
    return {
        "id": row.pk,
        "name": row.name,
        "version": row.version.number if row.version else None,
        "picture": row.picture_id,
        "reason": row.reason,
        "text": row.text,
        "created": row.created_at,
        "settled": row.settled_at,
        "outcome": row.outcome,
    }


def flag(request: HttpRequest, row: Flag) -> dict[str, Any]:
    """QueuedFlagShape."""
    return {
        **own_flag(row),
        "rule": row.rule,
        "detail": row.detail,
        "note": row.note,
        "settled_by": _name(row.settled_by),
        "page": address(request, "profile" if row.owner else "entry", *row.name.split("/")),
        "url": address(request, "api_flag", row.pk),
    }


def own_ruling(request: HttpRequest, row: Ruling, *, route: str = "api_own_ruling") -> dict[str, Any]:
    """OwnRulingShape."""
    return {
        "id": row.pk,
        "name": row.name,
        "version": row.version.number if row.version else None,
        "kind": row.kind,
        "rule": row.rule,
        "category": row.category,
        "reason": row.reason,
        "made": row.made_at,
        "lifted": row.lifted_at,
        "lifted_reason": row.lifted_reason,
        "appeal": _appeal(getattr(row, "appeal", None)),
        "url": address(request, route, row.pk),
    }


def ruling(request: HttpRequest, row: Ruling) -> dict[str, Any]:
    """RulingShape."""
    return {
        **own_ruling(request, row, route="api_ruling"),
        "state": row.version.state if row.version else None,
        "made_by": _name(row.made_by),
        "lifted_by": _name(row.lifted_by),
    }


def line(request: HttpRequest, row: CaseLine) -> dict[str, Any]:
    """CaseShape."""
    return {
        "about": row.kind,
        "number": row.number,
        "name": row.name,
        "flags": row.flags,
        "people": row.people,
        "oldest": row.oldest,
        "reasons": [{"reason": one.reason, "rule": one.rule, "flags": one.flags} for one in row.reasons],
        "held": list(row.held),
        "url": address(request, "api_case", row.kind, row.number),
    }


def case(request: HttpRequest, found: Case) -> dict[str, Any]:
    """WholeCaseShape."""
    thing = found.thing
    place = (found.kind, thing.pk)
    return {
        "about": found.kind,
        "number": thing.pk,
        "name": found.name,
        "title": thing.title if isinstance(thing, Embedding | Collection) else "",
        "text": _text(found),
        "is_private": found.is_private,
        "owner": _owner(request, found),
        "flags": [
            {**flag(request, one), "is_trusted": one.raised_by_id in found.trusted}
            for one in (*found.open_flags, *found.settled_flags)
        ],
        "versions": [_version(request, found, one) for one in found.versions],
        "members": [f"{one.embedding.full_name}@{one.name}" for one in found.members],
        "rulings": [ruling(request, one) for one in found.rulings],
        "elsewhere": [ruling(request, one) for one in found.elsewhere],
        "page": address(request, "case", *place),
        "url": address(request, "api_case", *place),
    }


def _text(found: Case) -> str:
    match found.thing:
        case Embedding() as thing:
            return thing.card
        case Collection() as thing:
            return thing.description
    return found.person.about if found.person else ""


def _owner(request: HttpRequest, found: Case) -> dict[str, Any]:
    """CaseOwnerShape."""
    person = found.person
    return {
        "name": found.owner.name,
        "is_team": person is None,
        "is_frozen": person is not None and not person.is_active,
        "is_moderator": person is not None and (person.is_moderator or person.is_staff),
        "about": person.about if person else "",
        "since": found.owner.created_at,
        "published": found.published,
        "url": address(request, "api_case", "owner", found.owner.pk),
    }


def _version(request: HttpRequest, found: Case, row: Version) -> dict[str, Any]:
    """CaseVersionShape."""
    reported = {one.picture_id for one in found.open_flags}
    return {
        "number": row.number,
        "state": row.state,
        "trigger": row.trigger,
        "family": row.family,
        "licence": row.licence,
        "notes": row.notes,
        "warnings": row.warnings,
        "published": row.published_at,
        "is_trained_here": row.run_key is not None,
        "source": {
            "name": row.source_name,
            "container": row.source_container,
            "sha256": row.source_sha256,
        },
        "files": [
            {"path": one.path, "sha256": one.blob_id, "size": one.blob.size} for one in row.files.all()
        ],
        "pictures": [
            {
                "id": one.pk,
                "role": one.role,
                "alt": one.alt,
                "prompt": one.prompt,
                "is_reported": one.pk in reported,
                "url": address(request, "desk_picture", one.blob_id),
            }
            for one in row.previews.all()
        ],
    }


def _appeal(row: Appeal | None) -> dict[str, Any] | None:
    """AppealShape."""
    if row is None:
        return None
    return {
        "text": row.text,
        "made": row.made_at,
        "outcome": row.outcome,
        "answer": row.answer,
        "settled": row.settled_at,
    }


def _name(user: User | None) -> str | None:
    return user.username if user else None
