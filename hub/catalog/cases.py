"""The moderators' desk: the queue of cases, one case whole, appeals, the log of rulings. Nobody else gets anything."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from django.db.models import Count, Min, Q, QuerySet

from hub.access import Viewer, can_see
from hub.catalog import moderation
from hub.catalog.case_shapes import KINDS, Case, CaseLine, CasePage, Listing, Said, Thing
from hub.catalog.pictures import PreviewPicture
from hub.errors import NotFound
from hub.models import Appeal, Collection, Embedding, Flag, Owner, Preview, Ruling, User, Version
from hub.models.registry import Visibility

PAGE_SIZE: Final = 20
SHOWN: Final = 100
_KEYS: Final = ("embedding", "pack", "owner")


def queue(
    viewer: Viewer, *, which: str = "open", kind: str = "", reason: str = "", page: int = 1
) -> CasePage:
    """What flags are about, the longest waiting first; as many queries for one line as for many.

    `which` is `open`, `settled` or `all`; `reason` one of Flag.Reason, or `rule` for those of the hub's own rules.
    """
    flags = _flags(viewer, which=which, kind=kind, reason=reason)
    total = flags.values(*_KEYS).distinct().count()
    start = (page - 1) * PAGE_SIZE
    rows = list(_grouped(flags).order_by("oldest", *_KEYS)[start : start + PAGE_SIZE])
    return CasePage(_lines(flags, rows), total, page, max(1, -(-total // PAGE_SIZE)))


def walk(
    viewer: Viewer, *, which: str = "open", kind: str = "", reason: str = "", after: int = 0, limit: int
) -> tuple[CaseLine, ...]:
    """The same cases by their first flags, those whose `first` comes after a number: no case is met twice."""
    flags = _flags(viewer, which=which, kind=kind, reason=reason)
    return _lines(flags, list(_grouped(flags).filter(first__gt=after).order_by("first")[:limit]))


def open_count(viewer: Viewer) -> int:
    """How many cases and appeals wait; 0, and no query, for whoever is no moderator."""
    if not viewer.is_moderator:
        return 0
    cases = moderation.queue(viewer).select_related(None).order_by().values(*_KEYS).distinct().count()
    return cases + Appeal.objects.filter(settled_at=None).count()


def appeals(viewer: Viewer, *, which: str = "open", page: int = 1) -> Listing:
    """Owners' answers to rulings, the longest waiting first."""
    rows = _appeals(viewer)
    is_open = moderation.OPEN[which]
    return _listing(rows if is_open is None else rows.filter(settled_at__isnull=is_open), page)


def appeal(viewer: Viewer, *, ruling: int) -> Appeal:
    """The appeal to a ruling. NotFound."""
    found = _appeals(viewer).filter(ruling=ruling).first()
    if found is None:
        raise NotFound("Nobody has appealed to this ruling.")
    return found


def log(viewer: Viewer, *, kind: str = "", by: str = "", page: int = 1) -> Listing:
    """All rulings, newest first; of a kind, or by a moderator."""
    return _listing(moderation.rulings(viewer, kind=kind, by=by), page)


def get(viewer: Viewer, *, kind: str, number: int) -> Case:
    """One case: a thing that was flagged or ruled on, or that the viewer sees anyway. NotFound.

    A private thing is a case only while somebody has reported it; whoever shows it writes the look down.
    """
    thing = find(viewer, kind=kind, number=number)
    owner = thing if isinstance(thing, Owner) else thing.owner
    flags = list(moderation.flags_with_things().filter(**{kind: thing})[:SHOWN])
    rulings = moderation.rulings(viewer)
    here = rulings.filter(_about(thing))
    return Case(
        kind=kind,
        thing=thing,
        name=str(thing),
        owner=owner,
        person=User.objects.filter(owner=owner).first(),
        is_private=_is_private(thing),
        open_flags=tuple(flag for flag in flags if flag.settled_at is None),
        settled_flags=tuple(flag for flag in flags if flag.settled_at is not None),
        trusted=moderation.trusted({flag.raised_by_id for flag in flags if flag.raised_by_id}),
        versions=_versions(thing),
        members=_members(thing),
        rulings=tuple(here[:SHOWN]),
        elsewhere=tuple(rulings.filter(_of_owner(owner)).exclude(pk__in=here.values("pk"))[:PAGE_SIZE]),
        published=Embedding.objects.alive().filter(owner=owner, last_number__gt=0).count(),
    )


def find(viewer: Viewer, *, kind: str, number: int) -> Thing:
    """The thing of a case, as `get` says. NotFound."""
    moderation.check(viewer)
    if kind not in KINDS:
        raise NotFound("There is no such case.")
    rows: QuerySet[Any] = KINDS[kind]._default_manager.all()
    if kind != "owner":
        rows = rows.select_related("owner")
    thing: Thing | None = rows.filter(pk=number).first()
    if thing is None or not _is_a_case(viewer, kind, thing):
        raise NotFound("There is no such case.")
    return thing


def picture(viewer: Viewer, *, sha256: str) -> PreviewPicture:
    """A picture of a case, removed ones too, whatever state its version is in. NotFound."""
    moderation.check(viewer)
    for preview in Preview.objects.filter(blob_id=sha256).select_related("blob", "version__embedding__owner"):
        if _is_a_case(viewer, "embedding", preview.version.embedding):
            return PreviewPicture(preview.blob.size, preview.content_type, is_public=False)
    removed = Ruling.objects.filter(picture=sha256).select_related("picture").first()
    if removed is None or removed.picture is None:
        raise NotFound()
    return PreviewPicture(removed.picture.size, removed.before["content_type"], is_public=False)


def _flags(viewer: Viewer, *, which: str, kind: str, reason: str) -> QuerySet[Flag]:
    flags = moderation.queue(viewer, which=which).select_related(None).order_by()
    if kind in KINDS:
        flags = flags.filter(**{f"{kind}__isnull": False})
    if reason:
        flags = flags.filter(reason="" if reason == "rule" else reason)
    return flags


def _grouped(flags: QuerySet[Flag]) -> QuerySet[Any, dict[str, Any]]:
    """A row for each thing that the flags are about."""
    return flags.values(*_KEYS).annotate(
        flags=Count("pk"),
        people=Count("raised_by", distinct=True),
        oldest=Min("created_at"),
        first=Min("pk"),
    )


def _appeals(viewer: Viewer) -> QuerySet[Appeal]:
    moderation.check(viewer)
    return Appeal.objects.select_related(
        "ruling__version__embedding__owner", "ruling__pack__owner", "ruling__owner", "ruling__made_by", "settled_by"
    ).order_by("made_at", "pk")  # fmt: skip


def _listing(rows: QuerySet[Any], page: int) -> Listing:
    total = rows.count()
    start = (page - 1) * PAGE_SIZE
    return Listing(tuple(rows[start : start + PAGE_SIZE]), total, page, max(1, -(-total // PAGE_SIZE)))


def _lines(flags: QuerySet[Flag], rows: list[dict[str, Any]]) -> tuple[CaseLine, ...]:
    """The grouped rows with names, reasons and what is held, in their order."""
    ids = {key: [row[key] for row in rows if row[key]] for key in _KEYS}
    things: dict[str, Mapping[int, Thing]] = {
        "embedding": Embedding.objects.select_related("owner").in_bulk(ids["embedding"]),
        "pack": Collection.objects.select_related("owner").in_bulk(ids["pack"]),
        "owner": Owner.objects.in_bulk(ids["owner"]),
    }
    reasons: dict[tuple[str, int], list[Said]] = defaultdict(list)
    here = Q(embedding__in=ids["embedding"]) | Q(pack__in=ids["pack"]) | Q(owner__in=ids["owner"])
    labels = dict(Flag.Reason.choices)
    for one in flags.filter(here).values(*_KEYS, "reason", "rule").annotate(n=Count("pk")).order_by("-n"):
        kind = _kind(one)
        label = str(labels.get(one["reason"], f"rule {one['rule']}"))
        reasons[kind, one[kind]].append(Said(one["reason"], one["rule"], label, one["n"]))
    held = _held(ids)
    lines = []
    for row in rows:
        kind = _kind(row)
        key = (kind, row[kind])
        lines.append(
            CaseLine(
                kind, row[kind], str(things[kind][row[kind]]), row["flags"], row["people"], row["oldest"],
                row["first"], tuple(reasons[key]), tuple(held[key]),
            )
        )  # fmt: skip
    return tuple(lines)


def _kind(row: dict[str, Any]) -> str:
    return next(key for key in _KEYS if row[key])


def _held(ids: dict[str, list[int]]) -> dict[tuple[str, int], list[Ruling.Kind]]:
    """What rulings on these things say now, each once."""
    found: dict[tuple[str, int], list[Ruling.Kind]] = defaultdict(list)
    rows = Ruling.objects.filter(lifted_at=None).filter(
        Q(version__embedding__in=ids["embedding"]) | Q(pack__in=ids["pack"]) | Q(owner__in=ids["owner"])
    )
    for embedding, pack, owner, kind in rows.values_list("version__embedding", "pack", "owner", "kind"):
        key = ("embedding", embedding) if embedding else ("pack", pack) if pack else ("owner", owner)
        if Ruling.Kind(kind) not in found[key]:
            found[key].append(Ruling.Kind(kind))
    return found


def _about(thing: Thing) -> Q:
    match thing:
        case Embedding():
            return Q(version__embedding=thing)
        case Collection():
            return Q(pack=thing)
    return Q(owner=thing)


def _of_owner(owner: Owner) -> Q:
    return Q(version__embedding__owner=owner) | Q(pack__owner=owner) | Q(owner=owner)


def _is_private(thing: Thing) -> bool:
    return not isinstance(thing, Owner) and thing.visibility == Visibility.PRIVATE


def _is_a_case(viewer: Viewer, kind: str, thing: Thing) -> bool:
    """Whether moderators may look at it here: reported or ruled on; of private things, reported by somebody."""
    if isinstance(thing, Embedding) and thing.deleted_at is not None:
        return False
    flags = Flag.objects.filter(**{kind: thing})
    if _is_private(thing):
        return flags.filter(settled_at=None).exclude(reason="").exists()
    if isinstance(thing, Owner) or flags.exists() or Ruling.objects.filter(_about(thing)).exists():
        return True
    return can_see(viewer, thing)


def _versions(thing: Thing) -> tuple[Version, ...]:
    """The embedding's published versions, newest first, with files, digests and pictures."""
    if not isinstance(thing, Embedding):
        return ()
    rows = thing.versions.filter(published_at__isnull=False).exclude(state=Version.State.DELETED)
    return tuple(
        rows.select_related("base_model").prefetch_related("files__blob", "previews").order_by("-number")
    )


def _members(thing: Thing) -> tuple[Version, ...]:
    """The versions in a pack, in order."""
    if not isinstance(thing, Collection):
        return ()
    rows = Version.objects.filter(memberships__collection=thing).order_by("memberships__position")
    return tuple(rows.select_related("embedding__owner"))
