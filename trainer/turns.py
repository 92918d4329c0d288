"""PURE: whose turn it is on the training machines, and when each waiting run may expect its own (rule J1).

The next run is one of the owner who had the least training in 24 hours, the oldest of theirs; an owner has one run
in hand at a time, or as many as the hub allows. What is foreseen follows the same rule, and counts the time of each
run that it let start.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Waiting:
    """A run that waits, and the seconds it is expected to take."""

    run: Hashable
    owner: Hashable
    seconds: float


@dataclass(frozen=True)
class InHand:
    """A run that a worker has in hand, and the seconds it is expected to take still."""

    owner: Hashable
    seconds_left: float


@dataclass(frozen=True)
class Turn:
    """When a waiting run is expected to start, in seconds from now."""

    run: Hashable
    starts_in: float


def choose(
    waiting: Sequence[Waiting],
    *,
    spent: Mapping[Hashable, float],
    in_hand: Iterable[Hashable] = (),
    most_in_hand: int = 1,
) -> Waiting | None:
    """The run that starts next; None when all that wait are of owners who have a run in hand.

    `waiting` is in order of age, the oldest first; `spent` has each owner's seconds of training in 24 hours; `in_hand`
    names an owner once for each of their runs that a worker has; more than `most_in_hand` an owner may not have.
    """
    held = Counter(in_hand)
    free = [one for one in waiting if held[one.owner] < most_in_hand]
    return min(free, key=lambda one: spent.get(one.owner, 0.0), default=None)


def foresee(
    waiting: Sequence[Waiting],
    *,
    spent: Mapping[Hashable, float],
    in_hand: Sequence[InHand] = (),
    most_in_hand: int = 1,
) -> list[Turn]:
    """All that wait, in the order and at the times they would start if nobody came after.

    There are as many machines as runs in hand, and one where there is none.
    """
    left, used = list(waiting), dict(spent)
    for one in in_hand:
        used[one.owner] = used.get(one.owner, 0.0) + one.seconds_left
    busy = [(one.seconds_left, one.owner) for one in in_hand]
    machines, now = max(len(busy), 1), 0.0
    turns: list[Turn] = []
    while left:
        chosen = None
        if len(busy) < machines:
            owners = [owner for _, owner in busy]
            chosen = choose(left, spent=used, in_hand=owners, most_in_hand=most_in_hand)
        if chosen is None:
            busy.sort(key=lambda entry: entry[0])
            now = max(now, busy.pop(0)[0])
            continue
        left.remove(chosen)
        turns.append(Turn(chosen.run, now))
        used[chosen.owner] = used.get(chosen.owner, 0.0) + chosen.seconds
        busy.append((now + chosen.seconds, chosen.owner))
    return turns
