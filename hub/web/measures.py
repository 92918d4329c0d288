"""The measures of a preview sheet: four bars beside those of the control pictures, what else is known, and signs of
having learned too much. There is no single score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What each says, and what is wanting where it was not measured.
MEANT = {
    "faithful": (
        "Faithful",
        "How like the pictures it was learned from.",
        "needs the pictures, and a CLIP model on this hub",
    ),
    "obedient": ("Obedient", "How well the rest of the prompt shows.", "no scenes"),
    "diverse": ("Diverse", "How much seeds differ. Far below the control: it repeats itself.", "no pairs"),
    "strength": (
        "Strength",
        "How far the word changes a picture, beside how far another seed does.",
        "no pairs",
    ),
}
BY = {
    ("obedient", "base"): "Share of scenes whose own text the base finds to explain the picture best.",
    (
        "faithful",
        "safety_checker",
    ): "How like the pictures it was learned from, to the base's safety checker.",
}
WIDTH = 100
# Signs of having learned too much: shares from which on they are told.
OFTEN_CAPPED, ONE_PICTURE, DEAF = 0.05, 0.5, 0.6


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


@dataclass(frozen=True)
class Fact:
    """Something else that was measured, in words."""

    title: str
    text: str
    meaning: str


@dataclass(frozen=True)
class Measures:
    """Everything that was measured of a version, for people."""

    bars: list[Bar]
    facts: list[Fact]
    signs: list[str]


def measured(insights: Mapping[str, Any]) -> Measures:
    """What a page shows of a version's insights; empty lists where nothing was measured."""
    return Measures(bars(insights), facts(insights), signs(insights))


def bars(insights: Mapping[str, Any]) -> list[Bar]:
    """The four, always in the same order; none where nothing was measured at all."""
    measures = _measures(insights)
    return [_bar(name, measures.get(name)) for name in MEANT] if any(measures.values()) else []


def facts(insights: Mapping[str, Any]) -> list[Fact]:
    """The rest, as far as it was measured."""
    measures = _measures(insights)
    found = []
    if dino := measures.get("dino"):
        text = f"{dino['value']:.2f}, without the word {dino['control']:.2f}"
        found.append(
            Fact("Likeness", text, "To the pictures it was learned from, by DINO: things and layout.")
        )
    if tone := measures.get("tone"):
        text = f"{tone['value']:.0f} away, without the word {tone['control']:.0f}"
        meaning = (
            "From the colours it was learned from, in CIE Lab: 2 can just be seen, 100 is black to white."
        )
        found.append(Fact("Colours", text, meaning))
    if copies := measures.get("copies"):
        meaning = "The picture most like one it was learned from: likeness in the base's latent space, of 1."
        found.append(Fact("Nearest to a picture", f"{copies['value']:.2f}", meaning))
    return found + _of_losses(insights.get("losses")) + _of_rows(insights)


def signs(insights: Mapping[str, Any]) -> list[str]:
    """Signs of having learned too much, as plain sentences."""
    measures = _measures(insights)
    found = []
    steps = insights.get("steps") or 0
    if steps and insights.get("capped_steps", 0) / steps > OFTEN_CAPPED:
        found.append("In many steps its vectors had to be kept from growing longer than words are.")
    if (diverse := measures.get("diverse")) and diverse["value"] <= ONE_PICTURE * diverse["control"]:
        found.append(
            "Its seeds differ less than half as much as without the word: it may know one picture only."
        )
    if (copies := measures.get("copies")) and copies["count"]:
        many = "A preview is" if copies["count"] == 1 else f"{copies['count']} previews are"
        found.append(f"{many} nearly the same as a picture that it was learned from.")
    if (obedient := measures.get("obedient")) and obedient["value"] < DEAF * obedient["control"]:
        found.append("The rest of the prompt shows much less than without the word.")
    return found


def _measures(insights: Mapping[str, Any]) -> Mapping[str, Any]:
    measures = insights.get("measures")
    return measures if isinstance(measures, Mapping) else {}


def _bar(name: str, values: Any) -> Bar:
    title, meaning, wanting = MEANT[name]
    if not values:
        return Bar(title, meaning, wanting=wanting)
    value, control = float(values["value"]), float(values["control"])
    most = max(value, control, 1e-9)
    meaning = BY.get((name, values.get("by", "")), meaning)
    return Bar(title, meaning, value, control, _length(value, most), _length(control, most))


def _length(value: float, most: float) -> float:
    return round(WIDTH * max(value, 0.0) / most, 1)


def _of_losses(losses: Any) -> list[Fact]:
    if not isinstance(losses, Mapping) or "thirds" not in losses:
        return []
    before, after = losses["thirds"]["first"], losses["thirds"]["last"]
    text = f"{losses['first']:.3f} to {losses['last']:.3f}"
    changes = [
        f"{end / start - 1:+.0%}" if start else "0 %" for start, end in zip(before, after, strict=True)
    ]
    meaning = "On inputs that stay the same. Little, some and much noise: " + ", ".join(changes) + "."
    return [Fact("Error", text, meaning)]


def _of_rows(insights: Mapping[str, Any]) -> list[Fact]:
    """How long the vectors are beside those of words, and how much they still point where they started."""
    found = []
    for encoder in insights.get("encoders") or []:
        lengths, usual = encoder.get("norms") or [], encoder.get("table_norms") or {}
        if lengths and usual:
            text = f"{min(lengths):.2f} to {max(lengths):.2f}" if len(lengths) > 1 else f"{lengths[0]:.2f}"
            meaning = (
                f"Of its vectors; words of {encoder['slot']} have {usual['p1']:.2f} to {usual['p99']:.2f}."
            )
            found.append(Fact("Length", text, meaning))
    kept = [value for encoder in insights.get("cosine_to_initializer") or [] for value in encoder]
    if kept:
        meaning = "How much its vectors still point where they started: 1 is unchanged, 0 is anywhere."
        found.append(Fact("Start kept", f"{sum(kept) / len(kept):.2f}", meaning))
    return found
