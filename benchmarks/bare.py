"""What the doors are compared with: the least that Django can do on the same server, database and files.

`/query` answers one row found by an index as JSON, without middleware; `/file` sends a file by Django's static view;
`/queried-file` does both.
"""

import os
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
django.setup()
settings.MIDDLEWARE = []
settings.ROOT_URLCONF = __name__

from django.core.handlers.wsgi import WSGIHandler  # noqa: E402 - the settings come first
from django.http import HttpRequest, HttpResponse, JsonResponse  # noqa: E402, TID251
from django.urls import path  # noqa: E402
from django.views.static import serve  # noqa: E402, TID251

from hub.models import Embedding  # noqa: E402


def query(request: HttpRequest, name: str) -> HttpResponse:
    """One indexed query."""
    row = Embedding.objects.values("name", "title", "summary", "kind").get(owner=1, name=name)
    return JsonResponse(row)


def file(request: HttpRequest, name: str) -> HttpResponse:
    """A file of a folder."""
    answer: HttpResponse = serve(request, name, document_root=str(Path(os.environ["BARE_FILES"])))
    return answer


def queried_file(request: HttpRequest, name: str, path: str) -> HttpResponse:
    """A file for which one indexed query was made: no door that asks who may have it can be faster."""
    query(request, name)
    return file(request, path)


urlpatterns = [
    path("query/<str:name>", query),
    path("file/<path:name>", file),
    path("queried-file/<str:name>/<path:path>", queried_file),
]
application = WSGIHandler()
