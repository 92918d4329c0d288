"""Looking around: records, trees, refs, histories and listings of repositories."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from hub.catalog import pulls, repositories
from hub.catalog.pack_shapes import Pack
from hub.errors import Invalid, NotFound
from hub.hf import found, naming, payloads
from hub.hf.endpoint import endpoint
from hub.models.registry import Gate
from hub.wire.remembered import remembered

LIST_PAGE, LIST_MAX = 100, 1000
COMMITS_PAGE = 50
PATHS_MAX = 1000
OTHER_KINDS = frozenset({"datasets", "spaces", "kernels", "buckets"})
KNOWN_ACTS = frozenset({"revision", "tree", "paths-info", "refs", "commits", "auth-check"})


@endpoint()
@remembered(pulls.stamp)
def info(request: HttpRequest, owner: str, name: str, revision: str = "main") -> HttpResponse:
    """The record of a repository at a revision."""
    at = found.at(request, owner, name, revision)
    siblings = payloads.siblings(at.files, with_blobs=naming.flag(request.GET, "blobs"))
    used = sum(file.size for file in at.files)
    return JsonResponse({**at.record, "siblings": siblings, "usedStorage": used})


@endpoint()
@remembered(pulls.stamp)
def tree(request: HttpRequest, owner: str, name: str, revision: str, folder: str = "") -> HttpResponse:
    """The files of a revision. All of them are at the root, so every folder is missing."""
    at = found.at(request, owner, name, revision)
    if folder:
        raise NotFound(f"There is no folder {folder}.", code="entry_not_found", commit=at.sha)
    last = _last(at) if naming.flag(request.GET, "expand") else None
    return JsonResponse([payloads.entry(file, last) for file in at.files], safe=False)


@endpoint()
@require_POST
def paths_info(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """The named files of a revision; unknown ones are left out."""
    at = found.at(request, owner, name, revision)
    paths, expand = _asked_paths(request)
    last = _last(at) if expand else None
    return JsonResponse([payloads.entry(file, last) for file in at.files if file.path in paths], safe=False)


def _last(at: found.Found) -> dict[str, Any]:
    """The commit that a file is shown with."""
    return {"id": at.sha, "title": at.title, "date": naming.timestamp(at.modified)}


def _asked_paths(request: HttpRequest) -> tuple[set[str], bool]:
    """The paths of the body, form-coded or JSON, and whether commits are wanted."""
    if request.content_type != "application/json":
        return set(request.POST.getlist("paths")[:PATHS_MAX]), naming.flag(request.POST, "expand")
    try:
        body: Any = json.loads(request.body)
        paths = body["paths"]
        return {str(path) for path in ([paths] if isinstance(paths, str) else paths)}, bool(
            body.get("expand")
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Invalid("malformed_request", "Send the paths as a form or as JSON.", field="paths") from None


@endpoint()
@remembered(pulls.stamp)
def refs(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """The one branch and the tags."""
    viewer = found.viewer_of(request)
    try:
        main = found.at(request, owner, name, "main").sha
    except NotFound as error:
        if error.code != "revision_not_found":
            raise
        main = None
    published = repositories.tagged(viewer, owner=owner, name=name)
    with_pulls = naming.flag(request.GET, "include_prs")
    return JsonResponse(payloads.refs(main, published, with_pulls=with_pulls))


@endpoint()
def commits(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """The history up to a revision, newest first."""
    viewer = found.viewer_of(request)
    at = found.resolved(viewer, owner, name, revision)
    if isinstance(at, Pack):
        return JsonResponse([payloads.pack_commit(at)], safe=False)
    limit = naming.whole_number(request.GET.get("limit"), otherwise=COMMITS_PAGE, ceiling=COMMITS_PAGE)
    before = naming.whole_number(request.GET.get("cursor"), otherwise=0, ceiling=10**9) or None
    history = repositories.history(
        viewer, embedding=at.embedding, commit=at.commit, before=before, limit=limit + 1
    )
    response = JsonResponse([payloads.commit(commit) for commit in history[:limit]], safe=False)
    if len(history) > limit:
        response["Link"] = naming.next_link(request, cursor=history[limit - 1].sequence)
    return response


@endpoint()
def listing(request: HttpRequest) -> HttpResponse:
    """Repositories, filtered and sorted, in pages."""
    viewer, query = found.viewer_of(request), request.GET
    question = repositories.Question(
        search=query.get("search", ""),
        author=query.get("author", ""),
        filters=_filters(request),
        gates=_gates(query.get("gated", "").lower()),
        sort=query.get("sort", "createdAt"),
        cursor=query.get("cursor", ""),
        limit=naming.whole_number(query.get("limit"), otherwise=LIST_PAGE, ceiling=LIST_MAX),
    )
    listed = repositories.list_repositories(viewer, question=question)
    full = naming.flag(query, "full") or "expand" in query
    records = []
    for row in listed.items:
        record = payloads.repository(
            row.embedding,
            row.embedding.head,
            sha=row.sha,
            modified=row.modified,
            with_card=full or naming.flag(query, "cardData"),
        )
        records.append(record)
    if full:
        for record, names in zip(records, repositories.file_names(listed.items), strict=True):
            record["siblings"] = [{"rfilename": name} for name in names]
    response = JsonResponse(records, safe=False)
    if listed.next:
        response["Link"] = naming.next_link(request, cursor=listed.next)
    return response


def _filters(request: HttpRequest) -> list[str]:
    """Every wanted tag; old clients join them with commas, and the pipeline is a tag like the others."""
    words = [*request.GET.getlist("filter"), *request.GET.getlist("pipeline_tag")]
    return [word.strip() for text in words for word in text.split(",") if word.strip()]


def _gates(wanted: str) -> tuple[str, ...]:
    """The gates that `gated` names: one of them, any, or none; all are wanted without it."""
    if wanted in ("true", "1"):
        return (Gate.AUTO, Gate.MANUAL)
    if wanted in ("false", "0"):
        return (Gate.OFF,)
    return (wanted,) if wanted in Gate.values else tuple(Gate)


@endpoint()
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Names without an owner, which exist on another hub only, and whatever this hub does not have."""
    parts = rest.split("/")
    if len(parts) == 1 or parts[1] in KNOWN_ACTS:
        raise NotFound("Names here are owner/name.", code="repo_not_found")
    raise NotFound("This hub does not have that.", code="not_supported")


@endpoint()
def elsewhere(request: HttpRequest, rest: str) -> HttpResponse:
    """Whatever else clients of the public Hub ask: said in the words that they show."""
    kind, _, name = rest.partition("/")
    if kind in OTHER_KINDS and name:
        raise NotFound(f"This hub has embeddings only, no {kind}.", code="repo_not_found")
    raise NotFound("This hub does not have that.", code="not_supported")
