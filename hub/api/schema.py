"""`/api/hub/v1/schema`: the OpenAPI 3.1 description of this door, written from its code."""

from functools import lru_cache
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from hub.api.answers import json_answer
from hub.api.endpoint import endpoint
from hub.errors import NotFound

SETTINGS: Final[dict[str, Any]] = {
    "TITLE": "Glossa",
    "DESCRIPTION": "Find, pull, publish and train textual-inversion embeddings.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "PREPROCESSING_HOOKS": ["hub.api.schema.only_this_door"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "hub.api.schema.with_redirects",
    ],
    "APPEND_COMPONENTS": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    "SECURITY": [{"token": []}, {}],
    # One name an enumeration, whatever the fields are called that hold it: generated clients import these.
    "ENUM_NAME_OVERRIDES": {
        "KindEnum": "hub.models.registry.Kind",
        "VersionState": "hub.models.Version.State",
        "SheetState": "hub.models.Version.SheetState",
        "PictureRole": "hub.models.Preview.Role",
        "TeamRole": "hub.models.team.Role",
        "FlagReason": "hub.models.Flag.Reason",
        "FlagOutcome": "hub.models.Flag.Outcome",
        "RulingKind": "hub.models.Ruling.Kind",
        "AppealOutcome": "hub.models.Appeal.Outcome",
        "AccessState": "hub.models.AccessRequest.State",
        "VersionRulingKind": "hub.models.Ruling.OF_VERSIONS",
        "Visibility": "hub.models.registry.Visibility",
        "DeliveryState": "hub.models.Delivery.State",
        "PackVisibility": "hub.models.Collection.Visibility",
    },
}


@extend_schema(exclude=True)
@endpoint("GET", is_question=True)
def schema(request: Request) -> HttpResponse:
    """The description, for generators of clients and for people with a viewer of their own."""
    found = {**described(), "servers": [{"url": request.build_absolute_uri("/").rstrip("/")}]}
    return json_answer(request._request, found)


@extend_schema(exclude=True)
@endpoint("GET", is_question=True)
def docs(request: Request) -> HttpResponse:
    """The page of this API, which stands among the others of the documentation."""
    return redirect("docs_page", "api")


@extend_schema(exclude=True)
@endpoint("GET", is_question=True)
def unknown(request: Request, rest: str) -> HttpResponse:
    """Any other address under the prefix: a refusal in this door's body."""
    raise NotFound("There is no such address in this API; its schema is at /api/hub/v1/schema.")


@lru_cache(maxsize=1)
def described() -> dict[str, Any]:
    """The whole description; the same as long as the process lives."""
    with patched_settings(SETTINGS):
        found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return found


def only_this_door(endpoints: list[tuple[Any, ...]], **_: HttpRequest) -> list[tuple[Any, ...]]:
    """A hook of the generator: the other doors have descriptions of their own makers."""
    return [one for one in endpoints if one[0].startswith("/api/hub/v1/")]


def with_redirects(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of the generator: what was renamed is found by its old name, and a bucket hands files out itself."""
    for path, found in result["paths"].items():
        for operation in found.values():
            if "{owner}/{name}" in path or "206" in operation["responses"]:
                operation["responses"]["307"] = {
                    "description": "The same call, at the address in `Location`."
                }
    return result
