"""What a child may use, and the two ways in which it fails: by its file, or by the machine."""

from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.limits import MIB


class SandboxRefusal(FormatError):
    """The child did not survive the file: it crashed, ran out of its limits, or tried something forbidden.

    `rule` is one of sandbox_crash, sandbox_memory, sandbox_timeout, sandbox_output, sandbox_violation and
    sandbox_mismatch. `trace` is for operators' logs only.
    """

    def __init__(self, rule: str, message: str, *, trace: str = "") -> None:
        super().__init__("unsafe_file", message, rule=rule)
        self.trace = trace


class SandboxUnavailable(RuntimeError):
    """No child can be had: the machine's fault, not the file's."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may use."""

    memory: int = 256 * MIB
    cpu_seconds: int = 5
    wall_seconds: float = 10.0
    output: int = 64 * MIB


def mismatch() -> SandboxRefusal:
    """The refusal of an answer that contradicts itself."""
    return SandboxRefusal("sandbox_mismatch", "The parser's answer about this file does not hold together.")


def too_slow(trace: str = "") -> SandboxRefusal:
    """The refusal of a file that takes too long."""
    message = "Reading this file takes longer than an embedding or picture may."
    return SandboxRefusal("sandbox_timeout", message, trace=trace)


def too_much() -> SandboxRefusal:
    """The refusal of a file whose reading never stops talking."""
    return SandboxRefusal("sandbox_output", "Reading this file produced far more than it may hold.")
