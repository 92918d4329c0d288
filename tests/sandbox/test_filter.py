"""The system-call filter says yes to its list and no to everything else, whatever way it is written."""

import struct

import pytest

from hub.formats.lockdown import _ALLOW, _KILL, _REFUSE, _SYSTEM_CALLS, filter_program

MACHINES = sorted(_SYSTEM_CALLS)


def answer(program: bytes, architecture: int, number: int) -> int:
    """What a kernel would make of a call, step by step."""
    steps = list(struct.iter_unpack("HBBI", program))
    loaded, at = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        if code == 0x06:
            return value
        if code == 0x20:
            loaded = {0: number, 4: architecture}[value]
            at += 1
        else:
            holds = loaded >= value if code == 0x35 else loaded == value
            assert code in (0x15, 0x35)
            at += 1 + (if_true if holds else if_false)


@pytest.mark.parametrize("machine", MACHINES)
def test_only_the_listed_calls_pass(machine: str) -> None:
    architecture, listed = _SYSTEM_CALLS[machine]
    allowed = sorted(map(int, listed.split()))
    program = filter_program(architecture, allowed)
    numbers = [*range(600), 1 << 30, (1 << 30) + allowed[0], (1 << 32) - 1]
    assert [number for number in numbers if answer(program, architecture, number) == _ALLOW] == allowed
    assert {answer(program, architecture, number) for number in numbers} == {_ALLOW, _REFUSE}


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    architecture, listed = _SYSTEM_CALLS[machine]
    program = filter_program(architecture, sorted(map(int, listed.split())))
    assert {answer(program, architecture ^ 1, number) for number in range(600)} == {_KILL}


@pytest.mark.parametrize("machine", MACHINES)
def test_a_kernel_that_tries_every_number_is_soon_done(machine: str) -> None:
    architecture, listed = _SYSTEM_CALLS[machine]
    program = filter_program(architecture, sorted(map(int, listed.split())))
    assert len(program) // 8 < 80
