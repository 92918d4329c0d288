"""The largest part of a set in which everything is alike."""

from collections.abc import Callable, Sequence

# A likeness of fewer is chance, and what most pictures do not share is not learned as part of the word.
SMALLEST_GROUP = 3
SHARE_OF_SET = 0.6


def alike(
    places: Sequence[int], are_alike: Callable[[int, int], bool], *, share: float = SHARE_OF_SET
) -> tuple[int, ...]:
    """The pictures that are like one of them, which has the most that are; none if they are too few to matter."""
    near: dict[int, set[int]] = {place: {place} for place in places}
    for index, left in enumerate(places):
        for right in places[index + 1 :]:
            if are_alike(left, right):
                near[left].add(right)
                near[right].add(left)
    group = max(near.values(), key=len, default=set())
    if len(group) < max(SMALLEST_GROUP, share * len(places)):
        return ()
    return tuple(sorted(group))
