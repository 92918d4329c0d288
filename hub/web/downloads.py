"""`?layout=` on the page of a version, or of an embedding: the file itself, in the layout that a tool wants."""

from django.http import HttpRequest, HttpResponse

from hub.access import Viewer
from hub.models import Version
from hub.services.versions import converting
from hub.wire import files


def send(request: HttpRequest, viewer: Viewer, version: Version) -> HttpResponse:
    """The file of this version in the layout that the address names. Raises as `converting.file_in`."""
    file = converting.file_in(viewer, version=version, layout=request.GET["layout"])
    response = files.send(request, file, data=file.data)
    files.count_pull(request, response, file_id=file.file_id)
    return response
