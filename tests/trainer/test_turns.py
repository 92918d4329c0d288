"""Whose turn it is: fair to owners of unequal greed over a simulated week, and foreseen as it then happens."""

import heapq
import random
from collections.abc import Hashable
from dataclasses import dataclass, field

import pytest

from trainer.turns import InHand, Waiting, choose, foresee

DAY = 86_400.0
WEEK = 7 * DAY
MINUTE = 60.0
# What each owner would use of one machine if they were alone.
GREED = {"shy": 0.02, "calm": 0.05, "keen": 0.1, "busy": 0.4, "eager": 1.2, "greedy": 3.0, "flood": 6.0}


@dataclass
class Week:
    """Machines that always take the run that `choose` names, while people send runs at random."""

    machines: int
    seed: int
    queue_limit: int | None = None
    asked: dict[Hashable, float] = field(default_factory=dict)
    served: dict[Hashable, float] = field(default_factory=dict)

    def run(self) -> None:
        chance = random.Random(self.seed)
        waiting: list[Waiting] = []
        ended: list[tuple[float, Hashable, float]] = []
        busy: list[tuple[float, int, Waiting]] = []
        coming = [(chance.expovariate(1.0) * DAY / 20, n, owner) for n, owner in enumerate(GREED)]
        heapq.heapify(coming)
        number = len(GREED)
        while coming:
            now, _, owner = heapq.heappop(coming)
            while busy and busy[0][0] <= now:
                end, _, done = heapq.heappop(busy)
                ended.append((end, done.owner, done.seconds))
                self.fill(waiting, ended, busy, end)
            if now > WEEK:
                break
            seconds = chance.uniform(2 * MINUTE, 40 * MINUTE)
            own = sum(one.owner == owner for one in waiting)
            if self.queue_limit is None or own < self.queue_limit:
                number += 1
                waiting.append(Waiting(number, owner, seconds))
                self.asked[owner] = self.asked.get(owner, 0.0) + seconds
            gap = chance.expovariate(1.0) * 21 * MINUTE / GREED[str(owner)]
            heapq.heappush(coming, (now + gap, number, owner))
            self.fill(waiting, ended, busy, now)

    def fill(
        self,
        waiting: list[Waiting],
        ended: list[tuple[float, Hashable, float]],
        busy: list[tuple[float, int, Waiting]],
        now: float,
    ) -> None:
        """Give every idle machine the run whose turn it is."""
        while len(busy) < self.machines:
            ended[:] = [one for one in ended if one[0] > now - DAY]
            spent: dict[Hashable, float] = {}
            for _, owner, seconds in ended:
                spent[owner] = spent.get(owner, 0.0) + seconds
            chosen = choose(waiting, spent=spent, in_hand=[one.owner for _, _, one in busy])
            if chosen is None:
                return
            waiting.remove(chosen)
            heapq.heappush(busy, (now + chosen.seconds, int(str(chosen.run)), chosen))
            self.served[chosen.owner] = self.served.get(chosen.owner, 0.0) + chosen.seconds


def fair_shares(asked: dict[Hashable, float], *, capacity: float, most: float) -> dict[Hashable, float]:
    """Nobody gets more than they asked for or one machine can do; what is left is the same for all others."""
    shares: dict[Hashable, float] = {}
    left = capacity
    for place, owner in enumerate(sorted(asked, key=lambda one: min(asked[one], most))):
        shares[owner] = min(asked[owner], most, left / (len(asked) - place))
        left -= shares[owner]
    return shares


@pytest.mark.parametrize("machines", [1, 3])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_week_of_unequal_greed_ends_within_a_tenth_of_the_fair_shares(machines: int, seed: int) -> None:
    week = Week(machines, seed, queue_limit=None if seed % 2 else 5)
    week.run()
    shares = fair_shares(week.asked, capacity=machines * WEEK, most=WEEK)
    assert sum(week.served.values()) > 0.97 * min(machines * WEEK, sum(shares.values()))
    off = {owner: week.served.get(owner, 0.0) / share for owner, share in shares.items()}
    assert all(0.9 < one < 1.1 for one in off.values()), off


def test_a_hundred_runs_of_one_owner_delay_a_newcomer_by_no_more_than_the_one_in_hand() -> None:
    crowd = [Waiting(n, "flood", 600.0) for n in range(100)]
    turns = foresee([*crowd, Waiting("new", "shy", 60.0)], spent={"flood": 50.0}, in_hand=[])
    assert [turn.run for turn in turns[:2]] == ["new", 0]


def test_with_equal_time_the_oldest_run_is_first() -> None:
    waiting = [Waiting(1, "ann", 60.0), Waiting(2, "ben", 60.0)]
    assert choose(waiting, spent={"ann": 5.0, "ben": 5.0}) == waiting[0]
    assert choose(waiting, spent={"ann": 5.1, "ben": 5.0}) == waiting[1]


def test_an_owner_with_a_run_in_hand_waits_and_another_does_not() -> None:
    waiting = [Waiting(1, "ann", 60.0), Waiting(2, "ben", 60.0)]
    assert choose(waiting, spent={"ben": 900.0}, in_hand=["ann"]) == waiting[1]
    assert choose(waiting[:1], spent={}, in_hand=["ann"]) is None
    assert choose(waiting[:1], spent={}, in_hand=["ann"], most_in_hand=2) == waiting[0]


def test_what_is_foreseen_takes_turns_and_counts_what_is_in_hand() -> None:
    waiting = [Waiting(n, "ann", 100.0) for n in (1, 2)] + [Waiting(n, "ben", 50.0) for n in (3, 4)]
    turns = foresee(waiting, spent={}, in_hand=[InHand("cat", 30.0)])
    assert [(turn.run, turn.starts_in) for turn in turns] == [(1, 30.0), (3, 130.0), (4, 180.0), (2, 230.0)]


def test_two_machines_are_foreseen_to_work_side_by_side_but_not_for_one_owner() -> None:
    waiting = [Waiting(1, "ann", 100.0), Waiting(2, "ann", 100.0), Waiting(3, "ben", 10.0)]
    turns = foresee(waiting, spent={}, in_hand=[InHand("cat", 20.0), InHand("dan", 40.0)])
    assert [(turn.run, turn.starts_in) for turn in turns] == [(1, 20.0), (3, 40.0), (2, 120.0)]
