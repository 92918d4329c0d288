"""A memory gives back what was kept with the stamp of now, and holds no more than it may."""

from hub.catalog.memory import Memory


def test_a_value_is_given_back_for_its_stamp_alone() -> None:
    memory: Memory[str] = Memory(10)
    memory.put("moss", 1, "green")
    assert memory.get("moss", 1) == "green"
    assert memory.get("moss", 2) is None
    assert memory.get("fern", 1) is None


def test_a_value_takes_the_place_of_the_one_before() -> None:
    memory: Memory[str] = Memory(10)
    memory.put("moss", 1, "green", 6)
    memory.put("moss", 2, "brown", 7)
    assert memory.get("moss", 1) is None
    assert memory.get("moss", 2) == "brown"
    assert memory.weight == 7


def test_what_was_not_used_for_longest_goes_first() -> None:
    memory: Memory[int] = Memory(3)
    for number in range(3):
        memory.put(number, 1, number)
    assert memory.get(0, 1) == 0
    memory.put(3, 1, 3)
    assert [memory.get(number, 1) for number in range(4)] == [0, None, 2, 3]


def test_a_value_heavier_than_all_is_not_kept() -> None:
    memory: Memory[str] = Memory(3)
    memory.put("moss", 1, "green", 2)
    memory.put("moss", 2, "huge", 4)
    assert memory.get("moss", 1) is memory.get("moss", 2) is None
    assert memory.weight == 0


def test_it_forgets_when_told() -> None:
    memory: Memory[str] = Memory(3)
    memory.put("moss", 1, "green")
    memory.forget()
    assert memory.get("moss", 1) is None and memory.weight == 0
