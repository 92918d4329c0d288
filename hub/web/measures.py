"""The four measures of a preview sheet as bars beside those of the control pictures. There is no single score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What each says, what its control is, and what is wanting where it was not measured.
MEANT = {
    "faithful": (
        "Faithful",
        "How like the pictures it was learned from.",
        "needs a CLIP model on this hub, and the pictures",
    ),
    "obedient": ("Obedient", "How well the rest of the prompt shows.", "needs a CLIP model on this hub"),
    "diverse": ("Diverse", "How much seeds differ. Far below the control: it repeats itself.", "no pairs"),
    "strength": (
        "Strength",
        "How far the word changes a picture, beside how far another seed does.",
        "no pairs",
    ),
}
WIDTH = 100


@dataclass(frozen=True)
class Bar:
    """One measure: its name, what it means, and both values with the lengths of their bars; None: not measured."""

    title: str
    meaning: str
    value: float | None = None
    control: float | None = None
    length: float = 0
    control_length: float = 0
    wanting: str = ""


def bars(insights: Mapping[str, Any]) -> list[Bar]:
    """The measures of a version, always all four in the same order; empty where nothing was measured at all."""
    measures = insights.get("measures")
    if not isinstance(measures, Mapping) or not any(measures.values()):
        return []
    return [_bar(*MEANT[name], measures.get(name)) for name in MEANT]


def _bar(title: str, meaning: str, wanting: str, measured: Any) -> Bar:
    if not measured:
        return Bar(title, meaning, wanting=wanting)
    value, control = float(measured["value"]), float(measured["control"])
    most = max(value, control, 1e-9)
    return Bar(title, meaning, value, control, _length(value, most), _length(control, most))


def _length(value: float, most: float) -> float:
    return round(WIDTH * max(value, 0.0) / most, 1)
