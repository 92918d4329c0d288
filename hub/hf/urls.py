"""Addresses of the Hugging Face protocol. No client sends a trailing slash; `%2F` arrives decoded."""

from django.urls import path

from hub.hf import account, repos, resolve

MODEL = "api/models/<str:owner>/<str:name>"

urlpatterns = [
    path("api/whoami-v2", account.whoami, name="hf_whoami"),
    path("api/agent-harnesses", account.agent_harnesses, name="hf_agent_harnesses"),
    path("api/models", repos.listing, name="hf_models"),
    path(f"{MODEL}/revision/<path:revision>", repos.info, name="hf_model_revision"),
    path(f"{MODEL}/tree/<str:revision>", repos.tree, name="hf_tree"),
    path(f"{MODEL}/tree/<str:revision>/<path:folder>", repos.tree, name="hf_tree_folder"),
    path(f"{MODEL}/paths-info/<path:revision>", repos.paths_info, name="hf_paths_info"),
    path(f"{MODEL}/refs", repos.refs, name="hf_refs"),
    path(f"{MODEL}/commits/<path:revision>", repos.commits, name="hf_commits"),
    path(f"{MODEL}/auth-check", account.auth_check, name="hf_auth_check"),
    path(f"{MODEL}/auth-check/write", account.auth_check, {"write": True}, name="hf_auth_check_write"),
    path(f"{MODEL}/xet-read-token/<path:revision>", account.xet_token, name="hf_xet_token"),
    path(MODEL, repos.info, name="hf_model"),
    path("api/models/<path:rest>", repos.unknown, name="hf_unknown"),
    path("<str:owner>/<str:name>/resolve/<str:revision>/<path:path>", resolve.pull, name="hf_resolve"),
    path("<str:name>/resolve/<str:revision>/<path:path>", resolve.one_segment, name="hf_resolve_one_segment"),
]
