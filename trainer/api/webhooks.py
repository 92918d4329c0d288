"""What webhooks are told of a run: the same record as `/runs/{id}`, as the owner may see it."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest

from hub.access import Viewer
from trainer import runs as reads
from trainer.api import runs


def run(request: HttpRequest, viewer: Viewer, number: str) -> dict[str, Any]:
    """RunShape. NotFound for a run that this viewer may not see."""
    return runs.told(request, reads.get(viewer, run_id=UUID(number)))
