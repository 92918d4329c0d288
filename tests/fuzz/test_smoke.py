"""A minute of fuzzing: every reader ends every input in a value or in a refusal, soon and in little memory."""

import resource

import pytest

from tests.fuzz.mutation import fuzz
from tests.fuzz.targets import TARGETS, seeds

# Processor seconds for each of the nine readers.
SECONDS = 5.0
MEMORY_KIB = 512 * 1024


@pytest.mark.parametrize("name", TARGETS)
def test_reader_ends_every_input_in_a_value_or_a_refusal(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tally = fuzz(TARGETS[name], seeds(name), seconds=SECONDS, seed=1)
    assert [(data[:200], what) for data, what in tally.findings] == []
    assert tally.executions > 100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEMORY_KIB
