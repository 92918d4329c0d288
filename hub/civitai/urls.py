"""Addresses of the Civitai protocol, none with a slash at the end. `<str:number>`: a wrong one is 400, not 404."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from hub.civitai import downloads, lists, lookups, models, pictures, sidecars, versions
from hub.civitai.endpoint import endpoint
from hub.errors import NotFound

VERSIONS = "model-versions"


@endpoint()
def unknown(request: HttpRequest, rest: str) -> HttpResponse:
    """What Civitai has and this hub does not."""
    raise NotFound("This hub does not have that.")


# In one folder, so that other addresses are compared with its name and not with each of these.
API = [
    path("models", models.listing, name="civitai_models"),
    path("models/<str:number>", models.one, name="civitai_model"),
    path(f"{VERSIONS}/by-hash", versions.by_hashes, name="civitai_by_hashes"),
    path(f"{VERSIONS}/by-hash/ids", versions.hash_ids, name="civitai_hash_ids"),
    path(f"{VERSIONS}/by-hash/<str:digest>", versions.by_hash, name="civitai_by_hash"),
    path(f"{VERSIONS}/mini/<str:number>", versions.mini, name="civitai_mini"),
    path(f"{VERSIONS}/<str:number>/sidecars", sidecars.listing, name="civitai_sidecars"),
    path(f"{VERSIONS}/<str:number>/sidecars/<str:name>", sidecars.one, name="civitai_sidecar"),
    path(f"{VERSIONS}/<str:number>", versions.one, name="civitai_version"),
    path("images", pictures.listing, name="civitai_images"),
    path("creators", lookups.creators, name="civitai_creators"),
    path("tags", lookups.tags, name="civitai_tags"),
    path("users", lookups.users, name="civitai_users"),
    path("enums", lookups.enums, name="civitai_enums"),
    path("me", lookups.me, name="civitai_me"),
    path("lists/model-list.json", lists.comfyui, name="civitai_comfyui"),
    path("lists/invokeai.json", lists.invokeai, name="civitai_invokeai"),
    path("lists/addresses.txt", lists.plain, name="civitai_addresses"),
    path("<path:rest>", unknown, name="civitai_unknown"),
]
urlpatterns = [
    path("api/v1/", include(API)),
    path("api/download/models/<str:number>", downloads.download, name="civitai_download"),
    path("api/download/files/<str:link>/<str:name>", downloads.file, name="civitai_file"),
    path("media/previews/<str:number>.png", pictures.picture, name="civitai_picture"),
    path(
        "media/previews/<str:link>/<str:number>.png", pictures.linked_picture, name="civitai_linked_picture"
    ),
    path("login", downloads.login, name="civitai_login"),
]
