"""Pull: `/{owner}/{name}/resolve/{revision}/{path}`, HEAD for what it is and GET for the bytes."""

from django.http import HttpRequest, HttpResponse

from hub.errors import NotFound
from hub.hf import found
from hub.hf.endpoint import endpoint
from hub.wire import files


@endpoint(bucket="pull")
def pull(request: HttpRequest, owner: str, name: str, revision: str, path: str) -> HttpResponse:
    """The file. NotFound says by its code whether the repository, the revision or the file is missing."""
    file, commit, file_id, data = found.file(request, owner, name, revision, path)
    response = files.send(request, file, data=data)
    response["X-Repo-Commit"] = commit
    response["Access-Control-Expose-Headers"] = "X-Repo-Commit, X-Linked-Etag, X-Linked-Size, ETag"
    if response.status_code == 307:
        # The client does not follow a HEAD to another origin, so all it must know is here.
        response["X-Linked-Etag"] = response["ETag"]
        response["X-Linked-Size"] = str(file.size)
    files.count_pull(request, response, file_id=file_id)
    return response


@endpoint(bucket="pull")
def one_segment(request: HttpRequest, name: str, revision: str, path: str) -> HttpResponse:
    """Names without an owner exist on another hub only."""
    raise NotFound("Names here are owner/name.", code="repo_not_found")


@endpoint(bucket="pull")
def other_kind(
    request: HttpRequest, kind: str, owner: str, name: str, revision: str, path: str
) -> HttpResponse:
    """Data sets and spaces exist on another hub only."""
    raise NotFound(f"This hub has embeddings only, no {kind[:20]}.", code="repo_not_found")
