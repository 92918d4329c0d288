"""Pull: `/{owner}/{name}/resolve/{revision}/{path}`, HEAD for what it is and GET for the bytes."""

from django.http import HttpRequest, HttpResponse

from hub.access import Viewer
from hub.catalog import resolve
from hub.errors import NotFound
from hub.hf.endpoint import endpoint
from hub.wire import files


@endpoint(bucket="pull")
def pull(request: HttpRequest, owner: str, name: str, revision: str, path: str) -> HttpResponse:
    """The file. NotFound says by its code whether the repository, the revision or the file is missing."""
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]  # set by the gate
    try:
        file = resolve.file(viewer, owner=owner, name=name, revision=revision, path=path)
    except NotFound as error:
        if error.code == "entry_not_found":
            # With the commit the client remembers that this file is not there, and does not ask again.
            at = resolve.revision(viewer, owner=owner, name=name, revision=revision)
            error.detail["commit"] = at.commit.sha
        raise
    response = files.send(request, file)
    response["X-Repo-Commit"] = file.commit.sha
    response["Access-Control-Expose-Headers"] = "X-Repo-Commit, X-Linked-Etag, X-Linked-Size, ETag"
    if response.status_code == 307:
        # The client does not follow a HEAD to another origin, so all it must know is here.
        response["X-Linked-Etag"] = response["ETag"]
        response["X-Linked-Size"] = str(file.size)
    files.count_pull(request, response, file_id=file.file_id)
    return response


@endpoint(bucket="pull")
def one_segment(request: HttpRequest, name: str, revision: str, path: str) -> HttpResponse:
    """Names without an owner exist on another hub only."""
    raise NotFound("Names here are owner/name.", code="repo_not_found")
