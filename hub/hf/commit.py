"""Push: `preupload` says how each file is to be sent, `commit` takes them all at once."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST

from hub.access import Viewer, require
from hub.catalog import resolve
from hub.errors import Forbidden, Invalid, TooLarge, Unacceptable
from hub.hf import bodies, found, naming
from hub.hf.endpoint import endpoint
from hub.models import Embedding
from hub.services.pushing import pending, pushed_files, pushing
from hub.services.upkeep import quota
from hub.wire import uploads

PREUPLOAD_MAX = 256
# What the client writes when its user gave no message: nothing that a version's page should say.
_UNTOLD = "with huggingface_hub"


def target(request: HttpRequest, owner: str, name: str, revision: str) -> tuple[Viewer, Embedding]:
    """Who pushes, and to what. NotFound, Forbidden; Invalid for a revision that is no branch."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    embedding = found.own(viewer, owner, name, act="publish_version")
    require(viewer, "publish_version", embedding)
    if naming.flag(request.GET, "create_pr"):
        raise Forbidden("forbidden", "This hub has no pull requests; push to main.")
    if revision != "main":
        resolve.revision(viewer, owner=owner, name=name, revision=revision)
        raise Invalid(
            "malformed_request", f"“{revision[:60]}” does not move; push to main.", field="revision"
        )
    return viewer, embedding


@endpoint(strict=True)
@require_POST
def preupload(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """For each file how it is to be sent, and the id of what is there now."""
    _, embedding = target(request, owner, name, revision)
    files = bodies.json_object(request).get("files")
    if not isinstance(files, list) or len(files) > PREUPLOAD_MAX:
        raise Invalid("malformed_request", f"Name up to {PREUPLOAD_MAX} files.", field="files")
    here = {file.path: file for file in resolve.files_of(embedding)}
    wanted = [_asked(file) for file in files]
    known = {(path, file.size) for path, file in here.items()}
    new = [
        size for path, size in wanted if pushed_files.kind_of(path) != "ignored" and (path, size) not in known
    ]
    if new:
        quota.check(embedding.owner, more=sum(new))
    answers = []
    for path, size in wanted:
        is_regular = size <= uploads.MEBIBYTE * int(settings.HUB["HUB_PUSH_REGULAR_MB"])
        answer: dict[str, Any] = {
            "path": path,
            "uploadMode": "regular" if is_regular else "lfs",
            "shouldIgnore": pushed_files.kind_of(path) == "ignored",
        }
        if path in here:
            # The client skips what it has already, by the id that goes with the way of sending.
            answer["oid"] = here[path].git_sha1 if is_regular else here[path].sha256
        answers.append(answer)
    return JsonResponse({"files": answers})


def _asked(file: Any) -> tuple[str, int]:
    """Path and size of a file to be sent. TooLarge before a byte of it is."""
    if not isinstance(file, dict) or not isinstance(file.get("size"), int):
        raise Invalid("malformed_request", "A file has a path and a size.", field="files")
    path, size = bodies.text(file, "path"), int(file["size"])
    if size > pending.largest():
        mebibytes, most = size / uploads.MEBIBYTE, pending.largest() // uploads.MEBIBYTE
        raise TooLarge("file_too_large", f"{path} has {mebibytes:.1f} MiB; this hub takes up to {most} MiB.")
    return path, size


@endpoint(bucket="inspect", strict=True)
@require_POST
def commit(request: HttpRequest, owner: str, name: str, revision: str) -> HttpResponse:
    """Take a commit in, whole or not at all, and say where it is."""
    viewer, embedding = target(request, owner, name, revision)
    with uploads.folder() as folder:
        push, digests = _read(viewer, embedding, request, folder)
        made = pushing.push(viewer, embedding=embedding, push=push)
        pending.forget(viewer, embedding=embedding, digests=digests)
    address = request.build_absolute_uri(f"/{embedding.full_name}")
    return JsonResponse(
        {
            "success": True,
            "commitOid": made.sha,
            "commitUrl": f"{address}/commit/{made.sha}",
            "hookOutput": "",
        }
    )


def _read(
    viewer: Viewer, embedding: Embedding, request: HttpRequest, folder: Path
) -> tuple[pushing.Push, list[str]]:
    """The commit that the body asks for, its files on disk; and the digests of those that came before it."""
    added: dict[str, pushed_files.Added] = {}
    deleted: list[str] = []
    digests: list[str] = []
    header: dict[str, Any] | None = None
    for line in bodies.commit_lines(request, folder):
        if line.key == "header":
            header = line.value
            continue
        path = bodies.text(line.value, "path")
        if line.key in ("deletedFile", "deletedFolder"):
            deleted.append(path)
            continue
        file = line.content
        if line.key == "lfsFile":
            file = folder / f"large-{len(digests)}"
            digests.append(bodies.text(line.value, "oid"))
            pending.write(viewer, embedding=embedding, sha256=digests[-1], target=file)
        if file is None:
            raise Invalid("malformed_request", f"A commit has no lines “{line.key[:40]}”.", field="key")
        if path in added:
            raise Unacceptable("path_not_taken", f"{path[:100]} is in the commit twice.", field="path")
        added[path] = pushed_files.Added(path, file)
    if header is None:
        raise Invalid(
            "malformed_request", "A commit has a line “header”; nothing of it arrived.", field="header"
        )
    summary = bodies.text(header, "summary", otherwise="")
    description = bodies.text(header, "description", otherwise="", most=20_000)
    told = "\n\n".join(part for part in (summary.strip(), description.strip()) if part)
    return (
        pushing.Push(
            added=list(added.values()),
            deleted=deleted,
            message=summary.strip(),
            notes="" if _UNTOLD in told else told,
            parent=bodies.text(header, "parentCommit", otherwise=""),
        ),
        digests,
    )
