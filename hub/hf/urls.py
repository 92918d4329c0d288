"""Addresses of the Hugging Face protocol. No client sends a trailing slash; `%2F` arrives decoded."""

from django.urls import include, path

from hub.hf import account, commit, gates, lfs, login, manage, pages, repos, resolve

MODEL = "models/<str:owner>/<str:name>"
LFS = "<str:owner>/<str:name>.git/info/lfs"

# In one folder, so that other addresses are compared with its name and not with each of these.
API = [
    path("whoami-v2", account.whoami, name="hf_whoami"),
    path("users/<str:user>/likes", account.likes, name="hf_likes"),
    path("settings/repositories", account.own_repositories, name="hf_own_repositories"),
    path(
        "organizations/<str:owner>/settings/repositories",
        account.own_repositories,
        name="hf_team_repositories",
    ),
    path("agent-harnesses", account.agent_harnesses, name="hf_agent_harnesses"),
    path("repos/create", manage.create, name="hf_create"),
    path("repos/move", manage.move, name="hf_move"),
    path("repos/delete", manage.delete, name="hf_delete"),
    path("validate-yaml", manage.validate_yaml, name="hf_validate_yaml"),
    path("models", repos.listing, name="hf_models"),
    path(f"{MODEL}/revision/<path:revision>", repos.info, name="hf_model_revision"),
    path(f"{MODEL}/tree/<str:revision>", repos.tree, name="hf_tree"),
    path(f"{MODEL}/tree/<str:revision>/<path:folder>", repos.tree, name="hf_tree_folder"),
    path(f"{MODEL}/paths-info/<path:revision>", repos.paths_info, name="hf_paths_info"),
    path(f"{MODEL}/refs", repos.refs, name="hf_refs"),
    path(f"{MODEL}/commits/<path:revision>", repos.commits, name="hf_commits"),
    path(f"{MODEL}/auth-check", account.auth_check, name="hf_auth_check"),
    path(f"{MODEL}/auth-check/write", account.auth_check, {"write": True}, name="hf_auth_check_write"),
    path(f"{MODEL}/like", account.unlike, name="hf_like"),
    path(f"{MODEL}/xet-read-token/<path:revision>", account.xet_token, name="hf_xet_token"),
    path(f"{MODEL}/settings", manage.settings, name="hf_settings"),
    path(f"{MODEL}/user-access-request/handle", gates.handle, name="hf_answer_access"),
    path(f"{MODEL}/user-access-request/grant", gates.grant, name="hf_answer_access"),
    path(f"{MODEL}/user-access-request/<str:state>", gates.requests, name="hf_access_requests"),
    path(f"{MODEL}/preupload/<path:revision>", commit.preupload, name="hf_preupload"),
    path(f"{MODEL}/commit/<path:revision>", commit.commit, name="hf_commit"),
    path(f"{MODEL}/branch/<path:branch>", manage.branch, name="hf_branch"),
    path(f"{MODEL}/tag/<path:revision>", manage.tag, name="hf_tag"),
    path(MODEL, repos.info, name="hf_model"),
    path("models/<path:rest>", repos.unknown, name="hf_unknown"),
    path("<path:rest>", repos.elsewhere, name="hf_elsewhere"),
]
urlpatterns = [
    path("api/", include(API)),
    path("oauth/device", login.device, name="hf_device"),
    path("oauth/token", login.token, name="hf_device_token"),
    path(f"{LFS}/objects/batch", lfs.batch, name="hf_lfs_batch"),
    path(f"{LFS}/objects/verify", lfs.verify, name="hf_lfs_verify"),
    path("uploads/<str:link>", lfs.upload, name="hf_lfs_upload"),
    path("uploads/<str:link>/complete", lfs.complete, name="hf_lfs_complete"),
    path("uploads/<str:link>/parts/<int:number>", lfs.part, name="hf_lfs_part"),
    path("<str:owner>/<str:name>/ask-access", gates.ask, name="hf_ask_access"),
    path("<str:owner>/<str:name>/commit/<str:revision>", pages.page, name="hf_page"),
    path("<str:owner>/<str:name>/tree/<str:revision>", pages.page, name="hf_page"),
    path("<str:owner>/<str:name>/tree/<str:revision>/<path:path>", pages.page, name="hf_page"),
    path("<str:owner>/<str:name>/blob/<str:revision>/<path:path>", pages.page, name="hf_page"),
    path("<str:owner>/<str:name>/resolve/<str:revision>/<path:path>", resolve.pull, name="hf_resolve"),
    path("<str:name>/resolve/<str:revision>/<path:path>", resolve.one_segment, name="hf_resolve_one_segment"),
    path(
        "<str:kind>/<str:owner>/<str:name>/resolve/<str:revision>/<path:path>",
        resolve.other_kind,
        name="hf_resolve_other_kind",
    ),
]
