"""What a caller looks for, from the parameters of this door to the questions of the catalogue."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from hub.access import Viewer
from hub.catalog import gallery, shelves
from hub.civitai import words
from hub.civitai.asked import Asked
from hub.errors import RateLimited, Unauthenticated
from hub.models import BaseModel

DEEPEST = 1000
PAGE_MOST = 10_000


def models(request: HttpRequest, viewer: Viewer) -> tuple[shelves.Question, dict[str, Any]]:
    """The question of `GET /models`, and the metadata that say which page it is.

    Raises Invalid with the allowed words, RateLimited for a page too deep, Unauthenticated for favourites of nobody.
    """
    asked = Asked(request.GET)
    limit = asked.number("limit", least=0, most=100, otherwise=100)
    skip, paging = _page(asked, limit)
    if paging and asked.text("query"):
        asked.refuse("page", "Use cursor based pagination with query")
    kept = {name: asked.flag(name) for name in ("favorites", "hidden")}
    types = asked.words("types", words.MODEL_TYPES)
    sort = asked.word("sort", words.SORTS, otherwise="Highest Rated")
    uses = asked.words("allowCommercialUse", words.COMMERCIAL_USES)
    question = shelves.Question(
        query=asked.text("query"),
        numbers=asked.numbers("ids"),
        versions=asked.numbers("modelVersionIds"),
        owner=asked.text("username"),
        tag="-".join(asked.text("tag").lower().replace("_", " ").split()),
        bases=_bases(asked.words("baseModels")),
        since=_since(asked.word("period", words.PERIODS, otherwise="AllTime")),
        trained_here=asked.flag("fromPlatform") is True,
        no_credit=asked.flag("allowNoCredit"),
        derivatives=asked.flag("allowDerivatives"),
        other_terms=asked.flag("allowDifferentLicense"),
        commercial=_commercial(uses),
        liked=kept["favorites"] is True,
        sort=words.SORTS[sort],
        cursor=asked.text("cursor"),
        skip=skip,
        limit=limit,
    )
    # Read so that a wrong word is refused; what they ask for, nothing here has.
    wants_nothing = [asked.flag(name) for name in ("supportsGeneration", "earlyAccess", "archived")]
    asked.flag("nsfw")
    asked.flag("primaryFileOnly")
    asked.finish()
    if not viewer.is_signed_in and ("favorites" in asked or "hidden" in asked):
        raise Unauthenticated("not_authenticated", "Send an access token for what you marked.")
    is_other_kind = bool(types) and words.OURS not in types
    if is_other_kind or any(wants_nothing) or kept["hidden"]:
        question = shelves.Question(numbers=(), limit=limit)
    return question, paging


def images(request: HttpRequest) -> tuple[gallery.Question, dict[str, Any], bool]:
    """The question of `GET /images`, the metadata of its page, and whether settings are wanted."""
    asked = Asked(request.GET)
    limit = asked.number("limit", least=0, most=200, otherwise=100)
    skip, paging = _page(asked, limit)
    sort = asked.word("sort", words.IMAGE_SORTS, otherwise="Most Reactions")
    level = asked.number("browsingLevel", least=0, most=63, otherwise=1)
    version, post = asked.optional("modelVersionId"), asked.optional("postId")
    question = gallery.Question(
        picture=asked.optional("imageId"),
        version=version or post,
        embedding=asked.optional("modelId"),
        owner=asked.text("username"),
        owner_number=asked.optional("userId"),
        tags=asked.numbers("tags") or (),
        bases=_bases(asked.words("baseModels", words.BASES)),
        since=_since(asked.word("period", words.PERIODS, otherwise="AllTime")),
        with_prompt=asked.flag("requiringMeta") is True,
        newest_first=words.IMAGE_SORTS[sort],
        cursor=asked.text("cursor"),
        skip=skip,
        limit=limit,
    )
    kind = asked.word("type", words.MEDIA_TYPES, otherwise="image")
    asked.word("nsfw", [*words.IMAGE_LEVELS, "true", "false", "True", "False"], otherwise="None")
    with_settings = asked.flag("withMeta") is True
    asked.finish()
    if kind != "image" or not level & 1 or (version and post and version != post):
        question = gallery.Question(limit=0)
    return question, paging, with_settings


def names(request: HttpRequest) -> tuple[str, int, int]:
    """Of a list of names the part that is looked for, the page, and how many there are on a page."""
    asked = Asked(request.GET)
    limit = asked.number("limit", least=0, most=200, otherwise=20)
    page = asked.number("page", least=1, most=PAGE_MOST, otherwise=1)
    asked.finish()
    return asked.text("query"), page, limit or 200


def _page(asked: Asked, limit: int) -> tuple[int, dict[str, Any]]:
    """How many to pass over, and what the answer says of its page; a cursor wins over a page."""
    if "page" not in asked:
        return 0, {}
    page = asked.number("page", least=1, most=PAGE_MOST, otherwise=1)
    if page * limit > DEEPEST:
        message = "You've requested too many pages, please use cursors instead"
        raise RateLimited("rate_limited", message, retry_after=60)
    return (page - 1) * limit, {"currentPage": page, "pageSize": limit}


def _since(period: str) -> datetime | None:
    days = words.PERIODS[period]
    return timezone.now() - timedelta(days=days) if days else None


def _commercial(uses: list[str]) -> bool | None:
    """Here a licence allows all commercial use or none."""
    if not uses or ("None" in uses and len(set(uses)) > 1):
        return None
    return "None" not in uses


def _bases(asked: list[str]) -> Q | None:
    """The condition on versions that have one of these words; a word that is nobody's fits none."""
    if not asked:
        return None
    wanted = set(asked)
    rows = list(BaseModel.objects.values_list("pk", "name", "family"))
    named = [pk for pk, name, family in rows if words.word_of(name, family) in wanted]
    families = [family for word in wanted for family in words.families_of(word)]
    return Q(base_model__in=named) | Q(base_model=None, family__in=families)
