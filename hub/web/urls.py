"""Addresses of the pages. `/{owner}/{name}` come last: everything fixed is before them."""

from django.urls import path

from hub.web import (
    account,
    browse,
    deletion,
    device,
    docs,
    drafts,
    embedding,
    health,
    inspect,
    pack_members,
    packs,
    publish,
    versions,
)

urlpatterns = [
    path("", browse.home, name="home"),
    path("new", publish.publish, name="publish"),
    path("new/check", publish.check, name="publish_check"),
    path("new/trigger", publish.trigger, name="publish_trigger"),
    path("inspect", inspect.inspect, name="inspect"),
    path("inspect/convert", inspect.convert, name="inspect_convert"),
    path("collections", packs.listing, name="packs"),
    path("collections/new", packs.new, name="new_pack"),
    path("docs", docs.index, name="docs"),
    path("docs/<slug:page>", docs.page, name="docs_page"),
    path("settings/account", account.profile_settings, name="settings_account"),
    path("settings/device", device.device, name="device"),
    path("settings/tokens", account.tokens, name="settings_tokens"),
    path("settings/tokens/<int:pk>/revoke", account.revoke_token, name="revoke_token"),
    path("sign-in/<str:token>", account.sign_in_link, name="sign_in_link"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("<str:owner>", embedding.profile, name="profile"),
    path("<str:owner>/<str:name>", packs.entry, name="entry"),
    path("<str:owner>/<str:name>/edit", packs.edit, name="edit"),
    path("<str:owner>/<str:name>/delete-pack", packs.delete, name="delete_pack"),
    path("<str:owner>/<str:name>/members", pack_members.change, name="pack_members"),
    path("<str:owner>/<str:name>/add-to-pack", pack_members.add, name="add_to_pack"),
    path("<str:owner>/<str:name>/like", pack_members.like, name="like"),
    path("<str:owner>/<str:name>/delete", deletion.delete_embedding, name="delete_embedding"),
    path("<str:owner>/<str:name>/new-version", publish.new_version, name="new_version"),
    path("<str:owner>/<str:name>/drafts/<int:pk>", drafts.draft, name="draft"),
    path("<str:owner>/<str:name>/drafts/<int:pk>/discard", drafts.discard, name="discard_draft"),
    path("<str:owner>/<str:name>/versions/<int:number>", versions.version, name="entry_version"),
    path("<str:owner>/<str:name>/versions/<int:number>/yank", versions.yank, name="yank"),
    path("<str:owner>/<str:name>/versions/<int:number>/unyank", versions.unyank, name="unyank"),
    path(
        "<str:owner>/<str:name>/versions/<int:number>/delete", deletion.delete_version, name="delete_version"
    ),
]
