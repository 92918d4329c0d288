"""How a version was made, as the few lines that people ask about; the whole record stays below them."""

import json
from typing import Any

_RECIPE_ROWS = (
    ("Learning rate", "lr"),
    ("Batch", "batch"),
    ("Optimiser", "optimizer"),
    ("Schedule", "lr_schedule"),
)
_STOPPED = {"learned": "had learned it", "max_steps": "all steps done", "stop": "stopped by hand"}


def rows(provenance: dict[str, Any]) -> list[tuple[str, str]]:
    """Labels and values, most asked first; what is not known is left out. Uploads may claim any shape."""
    recipe = provenance.get("recipe")
    recipe = recipe if isinstance(recipe, dict) else {}
    found = [
        ("Started from", provenance.get("initializer")),
        ("Pictures", provenance.get("pictures")),
        ("Steps", _steps(provenance)),
        ("Seed", provenance.get("seed")),
        *((label, recipe.get(key)) for label, key in _RECIPE_ROWS),
        ("Base model", provenance.get("base")),
        ("Base digest", _short(provenance.get("base_digest"))),
        ("Picture digest", _short(provenance.get("dataset_digest"))),
        ("Made with", _versions(provenance.get("versions"))),
    ]
    return [(label, str(value)[:200]) for label, value in found if value not in (None, "", {}, [])]


def text(provenance: dict[str, Any]) -> str:
    """The whole record, readable."""
    return json.dumps(provenance, indent=2, sort_keys=True, ensure_ascii=False)


def _steps(provenance: dict[str, Any]) -> str | None:
    steps, why = provenance.get("steps"), provenance.get("stopped_by")
    if steps is None:
        return None
    return f"{steps}, {_STOPPED[why]}" if isinstance(why, str) and why in _STOPPED else str(steps)


def _short(digest: Any) -> str | None:
    return f"{digest[:12]}…" if isinstance(digest, str) and len(digest) > 12 else digest


def _versions(versions: Any) -> str | None:
    if not isinstance(versions, dict):
        return None
    return ", ".join(f"{name} {number}" for name, number in sorted(versions.items()))
