"""What training must keep is listed with its tests, and those exist."""

from tests.trainer.invariants import FOLDER, named


def test_every_one_has_its_tests() -> None:
    assert list(named()) == list(range(1, 15))
    for test in (test for tests in named().values() for test in tests):
        file, _, function = test.partition("::")
        assert f"def {function}(" in (FOLDER / file).read_text("utf-8"), test
