"""Addresses of the native API, all below `/api/hub/v1/`, none with a slash at the end."""

from django.urls import URLPattern, path

from hub.api import (
    account,
    drafts,
    embeddings,
    files,
    inspect,
    moderation,
    packs,
    people,
    pictures,
    schema,
    tokens,
    versions,
)

EMBEDDING = "embeddings/<str:owner>/<str:name>"
PACK = "packs/<str:owner>/<str:name>"
VERSION = f"{EMBEDDING}/versions/<int:number>"
DRAFT = f"{EMBEDDING}/drafts/<int:number>"

urlpatterns: list[URLPattern] = [
    path("embeddings", embeddings.embeddings, name="api_embeddings"),
    path(EMBEDDING, embeddings.embedding, name="api_embedding"),
    path(f"{EMBEDDING}/versions", versions.versions, name="api_versions"),
    path(VERSION, versions.version, name="api_version"),
    path(f"{VERSION}/yank", versions.yank, name="api_yank"),
    path(f"{VERSION}/unyank", versions.unyank, name="api_unyank"),
    path(f"{VERSION}/label", versions.label, name="api_label"),
    path(f"{EMBEDDING}/rename", embeddings.rename, name="api_rename"),
    path(f"{VERSION}/files", files.files, name="api_files"),
    path(f"{VERSION}/files/<str:layout>", files.file, name="api_file"),
    path(f"{VERSION}/pictures", pictures.of_version, name="api_version_pictures"),
    path(f"{VERSION}/pictures/<int:picture>", pictures.one_of_version, name="api_version_picture"),
    path("drafts", drafts.all_drafts, name="api_drafts"),
    path(f"{EMBEDDING}/drafts", drafts.drafts, name="api_embedding_drafts"),
    path(DRAFT, drafts.draft, name="api_draft"),
    path(f"{DRAFT}/publish", drafts.publish, name="api_draft_publish"),
    path(f"{DRAFT}/pictures", pictures.of_draft, name="api_draft_pictures"),
    path(f"{DRAFT}/pictures/<int:picture>", pictures.one_of_draft, name="api_draft_picture"),
    path(f"{EMBEDDING}/like", packs.like, name="api_like"),
    path("packs", packs.packs, name="api_packs"),
    path(PACK, packs.pack, name="api_pack"),
    path(f"{PACK}/lock", packs.lock, name="api_pack_lock"),
    path(f"{PACK}/members", packs.members, name="api_pack_members"),
    path(f"{PACK}/members/<int:number>", packs.member, name="api_pack_member"),
    path("inspect", inspect.inspect, name="api_inspect"),
    path("convert", inspect.convert, name="api_convert"),
    path("flags", moderation.flags, name="api_flags"),
    path("moderation/flags", moderation.queue, name="api_queue"),
    path("moderation/flags/<int:number>", moderation.flag, name="api_flag"),
    path("moderation/flags/<int:number>/settle", moderation.settle, name="api_settle_flag"),
    path("moderation/rulings", moderation.rulings, name="api_rulings"),
    path("moderation/rulings/<int:number>", moderation.ruling, name="api_ruling"),
    path("moderation/rulings/<int:number>/lift", moderation.lift, name="api_lift_ruling"),
    path("tokens", tokens.tokens, name="api_tokens"),
    path("tokens/current", tokens.current, name="api_current_token"),
    path("tokens/<int:number>", tokens.token, name="api_token"),
    path("account", account.account, name="api_account"),
    path("triggers/<str:word>", people.trigger, name="api_trigger"),
    path("people/<str:name>", people.person, name="api_person"),
    path("likes", people.likes, name="api_likes"),
    path("whoami", people.whoami, name="api_whoami"),
    path("base-models", people.base_models, name="api_base_models"),
    path("schema", schema.schema, name="api_schema"),
    path("<path:rest>", schema.unknown, name="api_unknown"),
]
