"""A person's page."""

from django.db.models import Sum

from hub.access import Viewer, allows, visible
from hub.catalog import cards, likes, packs
from hub.catalog.shapes import Profile
from hub.errors import NotFound
from hub.models import Embedding, Owner, User
from hub.models.registry import Visibility


def named(viewer: Viewer, *, name: str) -> Owner:
    """The owner of that name. NotFound for nobody."""
    owner = Owner.objects.filter(name=name.lower()).first()
    if owner is None or not allows(viewer, "see_public"):
        raise NotFound(code="repo_not_found")
    return owner


def get(viewer: Viewer, *, name: str) -> Profile:
    """What a person published; to themselves also what others do not see. NotFound for nobody."""
    owner = named(viewer, name=name)
    user = User.objects.filter(owner=owner).first()
    rows = visible(Embedding.objects.filter(owner=owner), viewer)
    shown = rows.filter(visibility=Visibility.PUBLIC, head__isnull=False)
    is_self = viewer.user is not None and viewer.user.owner_id == owner.pk
    hidden = rows.exclude(pk__in=shown.values("pk")) if is_self else rows.none()
    return Profile(
        owner=owner,
        user=user,
        about=user.about if user else "",
        cards=cards.make(cards.with_heads(shown.order_by("-head__published_at", "-pk"))),
        hidden=cards.make(cards.with_heads(hidden.order_by("-updated_at"))),
        downloads=shown.aggregate(total=Sum("downloads"))["total"] or 0,
        is_self=is_self,
        packs=packs.of_owner(viewer, owner=owner),
        liked=likes.list_liked(viewer) if is_self else (),
    )
