"""What is said about a set: each fault is found where it is, and a good set gets no remark."""

import time
from functools import cache
from random import Random

import pytest

from hub.formats.pictures import reencode
from tests.trainer.advice import made_sets
from tests.trainer.advice.made_sets import MadeSet
from trainer.advice import Finding, Look, advise
from trainer.recipe import KINDS


@cache
def made(kind: str, fault: str, seed: int = 7) -> MadeSet:
    """A set with a fault."""
    return made_sets.make_set(Random(seed), kind, fault)


@cache
def looks(kind: str, fault: str) -> list[Look]:
    """The looks of its pictures, taken as uploads are."""
    return [
        Look.of(reencode(data, max_side=1024, look=True).facts, digest=str(place), width=0, height=0)
        for place, data in enumerate(made(kind, fault).pictures)
    ]


def found(kind: str, fault: str, *, kind_said: str = "", resolution: int = 512) -> dict[str, Finding]:
    """Findings by their codes."""
    said = advise(looks(kind, fault), kind=kind_said or kind, resolution=resolution)
    return {finding.code: finding for finding in said}


@pytest.mark.parametrize("fault", made_sets.FAULTS)
def test_a_fault_is_found_in_the_pictures_that_have_it(fault: str) -> None:
    finding = found("object", fault)[fault]
    truth = made("object", fault).truth[fault]
    assert set(finding.pictures) == (set() if fault == "few" else truth)
    assert finding.sentence.endswith((".", "!")) and finding.to_do.endswith(".")


@pytest.mark.parametrize("kind", ["object", "style"])
def test_a_good_set_gets_no_remark(kind: str) -> None:
    assert found(kind, "") == {}


def test_every_kind_has_made_sets() -> None:
    assert set(made_sets.KINDS) == set(KINDS)


def test_a_style_may_be_its_ground_and_colours_and_a_subject_has_a_face() -> None:
    assert "same_background" not in found("object", "same_background", kind_said="style")
    assert "same_colour" not in found("object", "same_colour", kind_said="style")
    assert "face" not in found("object", "face", kind_said="subject")


def test_softness_of_most_pictures_is_the_style() -> None:
    soft = [Look(str(place), 600, 600, edges={512: 5.0}) for place in range(4)]
    sharp = [Look(f"s{place}", 600, 600, edges={512: 1.5}) for place in range(3)]
    codes = {kind: [f.code for f in advise(soft + sharp, kind=kind, resolution=512)] for kind in KINDS}
    assert codes == {"style": [], "negative": [], "object": ["blurred"], "subject": ["blurred"]}


def test_sizes_are_judged_by_what_is_trained_at() -> None:
    assert "small" in found("object", "small")
    assert "small" not in found("object", "small", resolution=64)
    assert "blurred" not in found("object", "blurred", resolution=64)


def test_the_same_bytes_twice_count_once() -> None:
    twice = [Look("a", 600, 600), Look("b", 600, 600), Look("a", 600, 600)]
    few, double = advise(twice, kind="style", resolution=512)
    assert (few.code, double.code, double.pictures) == ("few", "duplicate", (0, 2))
    assert few.sentence.startswith("Only 2 different pictures")


def test_pictures_of_which_nothing_is_known_get_only_what_their_sizes_say() -> None:
    unknown = [Look(str(place), 200, 700) for place in range(3)]
    assert [f.code for f in advise(unknown, kind="object", resolution=512)] == ["small", "long"]
    assert advise([], kind="object", resolution=512) == []


def test_advice_on_many_pictures_of_like_colours_stays_quick() -> None:
    rng = Random(1)
    noise = [Look(str(n), 600, 600, bytes(rng.randrange(100, 140) for _ in range(3072))) for n in range(120)]
    for count in (24, 120):
        began = time.process_time()
        advise(noise[:count], kind="object", resolution=512)
        assert time.process_time() - began < 20
