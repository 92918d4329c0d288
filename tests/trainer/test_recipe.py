"""A recipe that exists is valid, and travels as JSON without loss."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.options import CHOICES, RANGES
from trainer.presets import FAMILIES, PRESETS
from trainer.recipe import KINDS, Recipe, RecipeError, parse_piecewise, parse_timesteps

SMALL = {"trigger": "mossglow", "kind": "style", "family": "tiny"}


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_preset_is_valid_and_round_trips(preset: str, family: str, kind: str) -> None:
    recipe = Recipe.for_preset(preset, family=family, kind=kind, trigger="mossglow", initializer="moss")
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert recipe.preset == preset


def test_classic_is_the_reference_command() -> None:
    recipe = Recipe.for_preset("classic", family="sd1", kind="object", trigger="mossglow")
    assert recipe.lr == 2e-3
    assert (recipe.lr_schedule, recipe.warmup) == ("constant", 0.0)
    assert recipe.weight_decay == 1e-2
    assert (recipe.norm, recipe.average, recipe.timesteps) == ("off", 0.0, "uniform")
    assert (recipe.min_snr_gamma, recipe.grad_clip) == (None, None)
    assert not recipe.early_stop


def test_overrides_win_over_the_preset() -> None:
    recipe = Recipe.for_preset(
        "quick", family="tiny", kind="style", trigger="mossglow", max_steps=20, vectors_per_token=5
    )
    assert (recipe.max_steps, recipe.vectors_per_token) == (20, 5)


@given(
    lr=st.floats(1e-6, 0.1),
    steps=st.integers(1, 10000),
    seed=st.integers(0, 2**63 - 1),
    gamma=st.one_of(st.none(), st.floats(1, 20)),
    lines=st.lists(st.text(max_size=20).map(lambda text: f"{text} [name]"), max_size=3),
)
def test_any_valid_recipe_round_trips_exactly(
    lr: float, steps: int, seed: int, gamma: float | None, lines: list[str]
) -> None:
    recipe = Recipe(**SMALL, lr=lr, max_steps=steps, seed=seed, min_snr_gamma=gamma, templates=tuple(lines))
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert again.to_json() == recipe.to_json()


def of(name: str, kind: object) -> st.SearchStrategy[object]:
    """Values that a setting may have."""
    if name in CHOICES:
        return st.sampled_from(CHOICES[name])
    if kind is bool:
        return st.booleans()
    low, high = RANGES[name]
    if kind is int:
        return st.integers(int(low), int(high))
    return st.floats(low, high) | (st.none() if kind == float | None else st.nothing())


VARIED = {
    field.name: of(field.name, field.type)
    for field in dataclasses.fields(Recipe)
    if field.type is bool or field.name in {*CHOICES, *RANGES} - {"kind", "resolution", "initializer_mode"}
}


@given(
    settings=st.fixed_dictionaries({}, optional=VARIED),
    resolution=st.integers(1, 24).map(lambda n: 64 * n),
    mode=st.sampled_from([{}, {"initializer_mode": "random"}, {"initializer_mode": "cross", "norm": "off"}]),
)
def test_any_setting_of_any_value_survives_json(
    settings: dict[str, object], resolution: int, mode: dict[str, str]
) -> None:
    if settings.get("optimizer") != "prodigy":
        settings.pop("lr", None)
    recipe = Recipe.from_dict({**SMALL, "initializer": "moss", "resolution": resolution, **settings, **mode})
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert (again.to_json(), again.to_dict()) == (recipe.to_json(), recipe.to_dict())


def test_a_recipe_without_preview_prompts_is_written_as_before_there_were_any() -> None:
    """To the byte: files, checkpoints and records of such runs stay what they were."""
    recipe = Recipe(**SMALL)
    assert "preview_prompts" not in recipe.to_dict()
    assert (
        recipe.replace(preview_prompts=["a [name]"]).replace(preview_prompts=[]).to_json() == recipe.to_json()
    )


def test_preview_prompts_travel_with_the_recipe() -> None:
    recipe = Recipe.from_dict({**SMALL, "preview_prompts": ["[name] on a mug", "a [name] stamp"]})
    assert recipe.to_dict()["preview_prompts"] == ["[name] on a mug", "a [name] stamp"]
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_preview_prompt_of_a_negative_word_may_lack_the_word() -> None:
    line = ["a portrait of a woman"]
    assert Recipe.from_dict({**SMALL, "kind": "negative", "preview_prompts": line}).preview_prompts == (
        *line,
    )
    for blank in ("", " "):
        with pytest.raises(RecipeError, match="line of its own"):
            Recipe.from_dict({**SMALL, "kind": "negative", "preview_prompts": [blank]})


def test_whole_numbers_and_decimals_are_the_same_setting() -> None:
    assert Recipe(**SMALL, grad_clip=1).to_json() == Recipe(**SMALL, grad_clip=1.0).to_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("trigger", "two words"),
        ("trigger", ""),
        ("trigger", "a(b"),
        ("trigger", "x" * 65),
        ("kind", "lora"),
        ("family", "sd9"),
        ("preset", "slow"),
        ("optimizer", "sgd"),
        ("norm", "clip"),
        ("crop", "left"),
        ("precision", "fp8"),
        ("lr_schedule", "steep"),
        ("lr_schedule", "1e-3:100, 1e-3:50"),
        ("timesteps", "900-100"),
        ("vectors_per_token", 0),
        ("vectors_per_token", 17),
        ("vectors_per_token", True),
        ("vectors_per_token", "2"),
        ("lr", math.nan),
        ("lr", math.inf),
        ("lr", -1.0),
        ("max_steps", 10001),
        ("seed", 2**63),
        ("resolution", 100),
        ("resolution", 32),
        ("caption_drop", 0.5),
        ("templates", ("without the name",)),
        ("templates", "a [name]"),
        ("preview_prompts", ["a mug"]),
        ("preview_prompts", ["a [name]"] * 5),
        ("preview_prompts", ["[name] " + "x" * 400]),
        ("preview_prompts", ["a [name]\non two lines"]),
        ("preview_prompts", "a [name]"),
        ("preview_prompts", [7]),
        ("initializer", "two\nlines"),
    ],
)
def test_wrong_setting_is_refused_by_name(field: str, value: object) -> None:
    with pytest.raises(RecipeError) as refused:
        Recipe.from_dict({**SMALL, field: value})
    assert refused.value.field == field
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (json.dumps({**SMALL, "learning_rate": 1}), "learning_rate"),
        (json.dumps({"kind": "style", "family": "tiny"}), "trigger"),
        ("[]", "recipe"),
        ("{", "recipe"),
    ],
)
def test_foreign_json_is_refused(text: str, field: str) -> None:
    with pytest.raises(RecipeError) as refused:
        Recipe.from_json(text)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"lr": 1e-6, "max_steps": 1600}, "hardly leave"),
        ({"lr": 0.01, "max_steps": 9000}, "drift"),
        ({"vectors_per_token": 9}, "75 places"),
        ({"initializer": ""}, "Without an initializer"),
        ({"kind": "subject"}, "DreamBooth"),
    ],
)
def test_unwise_settings_are_told(changes: dict[str, object], word: str) -> None:
    recipe = Recipe.from_dict({**SMALL, "initializer": "moss", **changes})
    assert any(word in sentence for sentence in recipe.warnings())


def test_ordinary_recipe_has_no_warnings() -> None:
    assert Recipe(**SMALL, initializer="moss").warnings() == []


@pytest.mark.parametrize(
    ("text", "stages"),
    [
        ("0.005", [(0.005, 2**31)]),
        ("0.005:100, 1e-3:500", [(0.005, 100), (1e-3, 500)]),
        ("0.005:100,1e-3:500,1e-4", [(0.005, 100), (1e-3, 500), (1e-4, 2**31)]),
    ],
)
def test_piecewise_rates_are_read(text: str, stages: list[tuple[float, int]]) -> None:
    assert parse_piecewise(text) == stages


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(1, 500)), min_size=1, max_size=6),
    st.booleans(),
)
def test_piecewise_text_and_stages_agree(parts: list[tuple[float, int]], open_end: bool) -> None:
    until, stages = 0, []
    for rate, length in parts:
        until += length
        stages.append((rate, until))
    text = ", ".join(f"{rate!r}:{stop}" for rate, stop in stages)
    if open_end:
        text, stages = f"{text}, 0.5", [*stages, (0.5, 2**31)]
    assert parse_piecewise(text) == stages


@pytest.mark.parametrize("text", ["", "fast", "1:1:1", "0.1, 0.2", "0.1:0", "2.0", "nan", "0.1:x"])
def test_unreadable_rates_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        parse_piecewise(text)


def test_timestep_ranges_are_shares_of_a_thousand() -> None:
    assert parse_timesteps("stratified") == (0.0, 1.0)
    assert parse_timesteps("100-900") == (0.1, 0.9)
