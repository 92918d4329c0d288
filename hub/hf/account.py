"""Small questions: who am I, may I, and the two that clients ask of themselves."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from hub.access import Viewer, require
from hub.catalog import packs, resolve
from hub.errors import NotFound
from hub.hf import found, payloads
from hub.hf.endpoint import endpoint


@endpoint(strict=True)
def whoami(request: HttpRequest) -> HttpResponse:
    """The person behind the token. Unauthenticated without one that works."""
    return JsonResponse(payloads.whoami(request.viewer))  # type: ignore[attr-defined]  # set by the gate


@endpoint(strict=True)
def auth_check(request: HttpRequest, owner: str, name: str, write: bool = False) -> HttpResponse:
    """Empty when the viewer may read (or write to) this repository, else the refusal."""
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
    return JsonResponse({})


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
