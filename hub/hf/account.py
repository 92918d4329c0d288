"""Small questions: who am I, may I, what is mine, what do I like, and the two that clients ask of themselves."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods

from hub.access import Viewer, require
from hub.catalog import cursors, gates, packs, repositories, resolve
from hub.catalog import likes as liked
from hub.errors import Forbidden, NotFound
from hub.hf import found, naming, payloads
from hub.hf.endpoint import endpoint
from hub.services.embeddings import sharing

PAGE = 100


@endpoint(strict=True)
def whoami(request: HttpRequest) -> HttpResponse:
    """The person behind the token. Unauthenticated without one that works."""
    return JsonResponse(payloads.whoami(request.viewer))  # type: ignore[attr-defined]  # set by the gate


@endpoint(strict=True)
def auth_check(request: HttpRequest, owner: str, name: str, write: bool = False) -> HttpResponse:
    """Empty when the viewer may have the files of this repository (or write to it), else the refusal."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    try:
        embedding = resolve.embedding(viewer, owner=owner, name=name)
    except NotFound as error:
        if error.code != "repo_not_found":
            raise
        if write:
            found.refuse_pack(viewer, owner, name)
        packs.get(viewer, owner=owner, name=name)
        return JsonResponse({})
    if write:
        require(viewer, "publish_version", embedding)
    gates.check(viewer, gates.of(embedding))
    return JsonResponse({})


@endpoint(strict=True)
def likes(request: HttpRequest, user: str) -> HttpResponse:
    """What the viewer likes, the latest first. Forbidden for anybody else's, whether there is such a person or not."""
    viewer = found.viewer_of(request)
    if user.lower() != viewer.name:
        raise Forbidden("forbidden", "What somebody likes, only they themselves see here.")
    rows = liked.list_own(viewer)
    if "cursor" in request.GET:
        rows = rows.filter(cursors.after("created_at", request.GET["cursor"]))
    shown = list(rows.order_by("-created_at", "-pk")[: PAGE + 1])
    response = JsonResponse([payloads.like(row) for row in shown[:PAGE]], safe=False)
    if len(shown) > PAGE:
        response["Link"] = naming.next_link(request, cursor=cursors.write("created_at", shown[PAGE - 1]))
    return response


@endpoint(strict=True)
@require_http_methods(["DELETE"])
def unlike(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Take a like back. To like, the clients send people to the page."""
    viewer = found.viewer_of(request)
    sharing.unlike(viewer, embedding=resolve.own(viewer, owner=owner, name=name, act="like"))
    return JsonResponse({})


@endpoint(strict=True)
def own_repositories(request: HttpRequest, owner: str = "") -> HttpResponse:
    """What stands under the viewer's own name, or a team's that they are in, and how much is stored for each."""
    viewer = found.viewer_of(request)
    cursor = request.GET.get("cursor", "")
    kept = repositories.kept(viewer, owner=owner or viewer.name, cursor=cursor, limit=PAGE)
    response = JsonResponse([payloads.stored(row) for row in kept.items], safe=False)
    if kept.next:
        response["Link"] = naming.next_link(request, cursor=kept.next)
    return response


@endpoint()
def xet_token(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """All is plain HTTP here. A quick 404 keeps the client from trying again."""
    raise NotFound("This hub does not use xet.", code="not_supported")


@endpoint()
def agent_harnesses(request: HttpRequest) -> HttpResponse:
    """The client asks this in every process, and keeps an empty answer for a day."""
    response = JsonResponse({"standardEnvVars": [], "harnesses": {}})
    response["Cache-Control"] = "public, max-age=86400"
    return response
