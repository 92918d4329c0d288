"""The page of a person, or of a team."""

from django.db.models import Q, QuerySet, Sum

from hub.access import Viewer, allows, role_on, visible
from hub.catalog import cards, likes, packs, teams
from hub.catalog.shapes import Card, Profile
from hub.errors import NotFound
from hub.models import Embedding, FormerTeamName, Owner, Team, User
from hub.models.registry import Visibility

MOST = 200


def named(viewer: Viewer, *, name: str) -> Owner:
    """The owner of that name, of today or of before. NotFound for nobody."""
    former = FormerTeamName.objects.filter(name=name.lower()).values("owner")
    owner = Owner.objects.filter(Q(name=name.lower()) | Q(pk__in=former), retired_at=None).first()
    if owner is None or not allows(viewer, "see_public"):
        raise NotFound(code="repo_not_found")
    return owner


def get(viewer: Viewer, *, name: str) -> Profile:
    """What a person or team published; to themselves also what others do not see. NotFound for nobody."""
    owner = named(viewer, name=name)
    user = User.objects.filter(owner=owner).first()
    team = Team.objects.filter(owner=owner).select_related("owner").first() if user is None else None
    page = teams.whole(viewer, team=team) if team else None
    shown = _shown(visible(Embedding.objects.filter(owner=owner), viewer))
    is_self = viewer.user is not None and viewer.user.owner_id == owner.pk
    return Profile(
        owner=owner,
        user=user,
        about=user.about if user else team.about if team else "",
        cards=cards.make(cards.with_heads(shown.order_by("-head__published_at", "-pk"))),
        hidden=cards.make(cards.with_heads(hidden(viewer, owner=owner).order_by("-updated_at"))),
        downloads=shown.aggregate(total=Sum("downloads"))["total"] or 0,
        is_self=is_self,
        team=page,
        packs=packs.of_owner(viewer, owner=owner),
        liked=_liked(viewer) if is_self else (),
    )


def hidden(viewer: Viewer, *, owner: Owner) -> QuerySet[Embedding]:
    """What only the people of this name see of it: what is not public, or offers nothing. For others none."""
    if viewer.user is None or role_on(viewer, owner) is None:
        return Embedding.objects.none()
    rows = visible(Embedding.objects.filter(owner=owner), viewer)
    return rows.exclude(pk__in=_shown(rows).values("pk"))


def _shown(rows: QuerySet[Embedding]) -> QuerySet[Embedding]:
    return rows.filter(visibility=Visibility.PUBLIC, head__isnull=False)


def _liked(viewer: Viewer) -> tuple[Card, ...]:
    """What the viewer likes, the latest first."""
    liked = list(
        likes.list_own(viewer).order_by("-created_at", "-pk").values_list("embedding", flat=True)[:MOST]
    )
    rows = {row.pk: row for row in cards.with_heads(Embedding.objects.filter(pk__in=liked))}
    return cards.make(rows[pk] for pk in liked)
