"""What pages outside of training know about it: the runs that ended unseen, for the menu."""

from functools import cache
from typing import Any

from django.http import HttpRequest

from hub.access import ANONYMOUS
from trainer import runs


def unseen(request: HttpRequest) -> dict[str, Any]:
    """`unseen_runs`, looked up when a page asks for them and once for each page."""
    viewer = getattr(request, "viewer", ANONYMOUS)
    return {"unseen_runs": cache(lambda: runs.unseen(viewer))}
