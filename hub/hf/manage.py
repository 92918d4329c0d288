"""Repositories themselves: made, renamed, opened and closed, deleted; labels as tags; cards looked at beforehand."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_http_methods, require_POST

from hub.access import Viewer, require
from hub.catalog import resolve, teams
from hub.errors import Conflict, Forbidden, HubError, Invalid, NotFound, Unacceptable, Unauthenticated
from hub.hf import bodies, found, payloads
from hub.hf.endpoint import endpoint
from hub.models import Embedding
from hub.models.registry import Gate
from hub.services.embeddings import details, gating, labels, renaming
from hub.services.versions import front_matter, lifecycle

_NUMBER = re.compile(r"v[0-9]+")


def _viewer(request: HttpRequest) -> Viewer:
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    return viewer


def _only_models(body: dict[str, Any]) -> None:
    kind = body.get("type") or "model"
    if kind != "model":
        raise Invalid(
            "malformed_request", f"This hub has embeddings only, no {str(kind)[:20]}s.", field="type"
        )


def _named(viewer: Viewer, body: dict[str, Any]) -> tuple[str, str]:
    """Owner and name that a body means; nobody named means the viewer."""
    if viewer.user is None:
        raise Unauthenticated("not_authenticated", "Sign in, or send an access token.")
    name = bodies.text(body, "name").lower()
    owner = bodies.text(body, "organization", otherwise="").lower()
    if "/" in name:
        owner, _, name = name.partition("/")
    return owner or viewer.user.username, name


def _visibility(body: dict[str, Any]) -> str | None:
    """What new clients call `visibility` and old ones `private`."""
    if body.get("visibility") is not None:
        return bodies.text(body, "visibility")
    if isinstance(body.get("private"), bool):
        return "private" if body["private"] else "public"
    return None


@endpoint(strict=True)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """An embedding without a version. When there is one of this name, a conflict that says where."""
    viewer, body = _viewer(request), bodies.json_object(request)
    _only_models(body)
    owner, name = _named(viewer, body)
    under = teams.owner(viewer, name=owner, act="create_embedding")
    address = request.build_absolute_uri(f"/{owner}/{name}")
    try:
        made = details.create_embedding(
            viewer, name=name, owner=under, title=name, visibility=_visibility(body) or "public"
        )
    except Conflict as error:
        if _exists(viewer, owner, name):
            return _already(error, address)
        found.refuse_pack(viewer, owner, name)
        # The client takes every 409 for "it is there": a name that looks like another is not.
        raise Unacceptable(error.code, error.message, **error.detail) from None
    return JsonResponse({"url": address, "name": made.full_name, "id": made.public_id.hex[:24]})


def _exists(viewer: Viewer, owner: str, name: str) -> bool:
    try:
        resolve.own(viewer, owner=owner, name=name, act="publish_version")
    except HubError as error:
        return error.code == "renamed"
    return True


def _already(error: Conflict, address: str) -> HttpResponse:
    message = "There is an embedding of this name already."
    response = JsonResponse({"error": message, "code": error.code, "url": address}, status=409)
    response["X-Error-Message"] = message
    return response


@endpoint(strict=True)
@require_POST
def move(request: HttpRequest) -> HttpResponse:
    """Another name for an embedding. To another owner only a person can give it, on the site."""
    viewer, body = _viewer(request), bodies.json_object(request)
    _only_models(body)
    owner, _, name = bodies.text(body, "fromRepo").lower().partition("/")
    embedding = found.own(viewer, owner, name, act="rename")
    require(viewer, "rename", embedding)
    to_owner, _, to_name = bodies.text(body, "toRepo").lower().partition("/")
    if to_owner != embedding.owner.name:
        raise Forbidden(
            "session_required", "An embedding keeps its owner; only its name can be changed here."
        )
    renaming.rename(viewer, embedding=embedding, name=to_name)
    return JsonResponse({"url": request.build_absolute_uri(f"/{to_owner}/{to_name}")})


@endpoint(strict=True)
@require_http_methods(["DELETE"])
def delete(request: HttpRequest) -> HttpResponse:
    """Delete an embedding, under the rules of its page."""
    viewer, body = _viewer(request), bodies.json_object(request)
    _only_models(body)
    owner, name = _named(viewer, body)
    embedding = found.own(viewer, owner, name, act="delete_version")
    lifecycle.delete_embedding(viewer, embedding=embedding)
    return JsonResponse({})


@endpoint(strict=True)
@require_http_methods(["PUT", "POST"])
def settings(request: HttpRequest, owner: str, name: str) -> HttpResponse:
    """Who may see an embedding, and who may have its files; the terms of its gate stay as they are."""
    viewer, body = _viewer(request), bodies.json_object(request)
    embedding = found.own(viewer, owner, name, act="change_visibility")
    require(viewer, "change_visibility", embedding)
    gate = _gate(body)
    if gate is not None:
        embedding = gating.set_gate(viewer, embedding=embedding, gate=gate)
    wanted = _visibility(body)
    if wanted is not None:
        embedding = details.update_details(viewer, embedding=embedding, visibility=wanted)
    return JsonResponse({"private": embedding.visibility == "private", "gated": payloads.gated(embedding)})


def _gate(body: dict[str, Any]) -> str | None:
    """What clients call `gated`: a mode, or false for none."""
    wanted = body.get("gated")
    if wanted is False:
        return Gate.OFF.value
    return None if wanted is None else bodies.text(body, "gated")


@endpoint()
@require_POST
def validate_yaml(request: HttpRequest) -> HttpResponse:
    """What is wrong with a card, before it is pushed. Anybody may ask."""
    body = bodies.json_object(request)
    content = body.get("content")
    if not isinstance(content, str):
        raise Invalid("malformed_request", "“content” has to be the text of a card.", field="content")
    try:
        fields = front_matter.parse(content).fields or {}
        errors, warnings = front_matter.problems(fields), front_matter.warnings(fields)
    except Unacceptable as error:
        errors, warnings = [error.message], []
    answer = {
        "errors": [{"message": message} for message in errors],
        "warnings": [{"message": message} for message in warnings],
    }
    return JsonResponse(answer, status=400 if errors else 200)


@endpoint(strict=True)
@require_http_methods(["POST", "DELETE"])
def branch(request: HttpRequest, owner: str, name: str, branch: str) -> HttpResponse:
    """There is one branch, and there stays one."""
    _editable(request, owner, name)
    raise Forbidden(
        "forbidden", "An embedding has one line of versions: push to main, and label versions by tags."
    )


@endpoint(strict=True)
@require_http_methods(["POST", "DELETE"])
def tag(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """Label the version at a revision, or take the label off."""
    embedding = _editable(request, owner, name)
    if request.method == "DELETE":
        if _NUMBER.fullmatch(revision):
            raise Forbidden("forbidden", "The hub gives the numbers of versions; they stay.")
        labels.take_off(_viewer(request), embedding=embedding, label=revision)
        return JsonResponse({})
    label = bodies.text(bodies.json_object(request), "tag")
    at = resolve.revision(_viewer(request), owner=owner, name=name, revision=revision)
    if at.version is None:
        raise NotFound("There is no version yet to be tagged.", code="revision_not_found")
    if label in (at.version.name, at.version.label):
        raise Conflict("label_taken", f"{at.version.name} is tagged “{label}” already.", field="label")
    labels.put(_viewer(request), version=at.version, label=label)
    return JsonResponse({})


def _editable(request: HttpRequest, owner: str, name: str) -> Embedding:
    viewer = _viewer(request)
    embedding = found.own(viewer, owner, name, act="edit_card")
    require(viewer, "edit_card", embedding)
    return embedding
