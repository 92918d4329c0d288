"""Looking around: records, trees, refs, histories and listings of repositories."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from hub.access import Viewer
from hub.catalog import repositories, resolve
from hub.errors import Invalid, NotFound
from hub.hf import naming, payloads
from hub.hf.endpoint import endpoint

LIST_PAGE, LIST_MAX = 100, 1000
COMMITS_PAGE = 50
PATHS_MAX = 1000
KNOWN_ACTS = frozenset({"revision", "tree", "paths-info", "refs", "commits", "auth-check"})


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    return viewer


@endpoint()
def info(request: HttpRequest, owner: str, name: str, revision: str = "main") -> HttpResponse:
    """The record of a repository at a revision."""
    at = resolve.revision(_viewer(request), owner=owner, name=name, revision=revision)
    record = payloads.repository(at.embedding, at.version, sha=at.commit.sha, modified=at.commit.created_at)
    tree = resolve.tree(at)
    record["siblings"] = payloads.siblings(tree, with_blobs=naming.flag(request.GET, "blobs"))
    record["usedStorage"] = sum(file.size for file in tree)
    return JsonResponse(record)


@endpoint()
def tree(request: HttpRequest, owner: str, name: str, revision: str, folder: str = "") -> HttpResponse:
    """The files of a revision. All of them are at the root, so every folder is missing."""
    at = resolve.revision(_viewer(request), owner=owner, name=name, revision=revision)
    if folder:
        raise NotFound(f"There is no folder {folder}.", code="entry_not_found", commit=at.commit.sha)
    shown = at.commit if naming.flag(request.GET, "expand") else None
    return JsonResponse([payloads.entry(file, shown) for file in resolve.tree(at)], safe=False)


@endpoint()
@require_POST
def paths_info(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """The named files of a revision; unknown ones are left out."""
    at = resolve.revision(_viewer(request), owner=owner, name=name, revision=revision)
    paths, expand = _asked_paths(request)
    shown = at.commit if expand else None
    return JsonResponse(
        [payloads.entry(file, shown) for file in resolve.tree(at) if file.path in paths], safe=False
    )


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
def refs(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """The one branch and the tags."""
    viewer = _viewer(request)
    embedding = resolve.embedding(viewer, owner=owner, name=name)
    try:
        main = resolve.revision(viewer, owner=owner, name=name, revision="main").commit.sha
    except NotFound:
        main = None
    published = repositories.published_commits(viewer, embedding=embedding)
    with_pulls = naming.flag(request.GET, "include_prs")
    return JsonResponse(payloads.refs(main, published, with_pulls=with_pulls))


@endpoint()
def commits(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """The history up to a revision, newest first."""
    viewer = _viewer(request)
    at = resolve.revision(viewer, owner=owner, name=name, revision=revision)
    limit = naming.whole_number(request.GET.get("limit"), otherwise=COMMITS_PAGE, ceiling=COMMITS_PAGE)
    before = naming.whole_number(request.GET.get("cursor"), otherwise=0, ceiling=10**9) or None
    found = repositories.history(
        viewer, embedding=at.embedding, commit=at.commit, before=before, limit=limit + 1
    )
    response = JsonResponse([payloads.commit(commit) for commit in found[:limit]], safe=False)
    if len(found) > limit:
        response["Link"] = naming.next_link(request, cursor=found[limit - 1].sequence)
    return response


@endpoint()
def listing(request: HttpRequest) -> HttpResponse:
    """Repositories, filtered and sorted, in pages."""
    viewer, query = _viewer(request), request.GET
    question = repositories.Question(
        search=query.get("search", ""),
        author=query.get("author", ""),
        filters=_filters(request),
        sort=query.get("sort", "createdAt"),
        cursor=query.get("cursor", ""),
        limit=naming.whole_number(query.get("limit"), otherwise=LIST_PAGE, ceiling=LIST_MAX),
    )
    found = repositories.list_repositories(viewer, question=question)
    full = naming.flag(query, "full") or "expand" in query
    records = []
    for row in found.items:
        record = payloads.repository(
            row.embedding,
            row.embedding.head,
            sha=row.sha,
            modified=row.modified,
            with_card=full or naming.flag(query, "cardData"),
        )
        records.append(record)
    if full:
        for record, names in zip(records, repositories.file_names(found.items), strict=True):
            record["siblings"] = [{"rfilename": name} for name in names]
    response = JsonResponse(records, safe=False)
    if found.next:
        response["Link"] = naming.next_link(request, cursor=found.next)
    return response


def _filters(request: HttpRequest) -> list[str]:
    """Every wanted tag; old clients join them with commas, and the pipeline is a tag like the others."""
    words = [*request.GET.getlist("filter"), *request.GET.getlist("pipeline_tag")]
    if request.GET.get("gated", "").lower() in ("true", "auto", "manual"):
        words.append("gated")
    return [word.strip() for text in words for word in text.split(",") if word.strip()]


@endpoint()
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """Names without an owner, which exist on another hub only, and whatever this hub does not have."""
    parts = rest.split("/")
    if len(parts) == 1 or parts[1] in KNOWN_ACTS:
        raise NotFound("Names here are owner/name.", code="repo_not_found")
    raise NotFound("This hub does not have that.", code="not_supported")
