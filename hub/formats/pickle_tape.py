"""The working parts of the pickle reader: its place in the bytes, its stack under marks, its memo. All bounded."""

import re
import struct

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_MEMO, MAX_STACK, MAX_STRING_BYTES


class Tape:
    """Bytes read from front to back, and what was made of them so far. Every misstep is a FormatError (F3)."""

    def __init__(self, data: bytes, start: int) -> None:
        self.data, self.start, self.at, self.opcode_at = data, start, start, start
        self.stack: list[object] = []
        self.marked: list[list[object]] = []
        self.below = 0
        self.memo: dict[int, object] = {}

    @property
    def place(self) -> int:
        """Where in the pickle the opcode stands."""
        return self.opcode_at - self.start

    def take(self, count: int) -> bytes:
        """The next bytes of the pickle."""
        end = self.at + count
        if end > len(self.data):
            raise self.refusal("ends in the middle of an opcode")
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, form: str) -> int:
        """The next bytes as a number of this struct form."""
        value: int = struct.unpack(form, self.take(struct.calcsize(form)))[0]
        return value

    def counted(self, form: str) -> bytes:
        """The next bytes, as many as the number before them says."""
        count = self.number(form)
        if count > MAX_STRING_BYTES:
            raise self.refusal(f"holds a string of {count} bytes")
        return self.take(count)

    def line(self, pattern: re.Pattern[bytes] | None = None) -> bytes:
        """The bytes up to the end of the line."""
        end = self.data.find(b"\n", self.at, self.at + MAX_STRING_BYTES)
        if end < 0:
            raise self.refusal("has a line without an end")
        found = self.data[self.at : end]
        self.at = end + 1
        if pattern and not pattern.fullmatch(found):
            raise self.refusal(f"has a line that is no number: {found[:20]!a}")
        return found

    def push(self, value: object) -> None:
        """Put a value on top."""
        if self.below + len(self.stack) >= MAX_STACK:
            raise self.refusal(f"needs a stack of over {MAX_STACK} items")
        self.stack.append(value)

    def pop(self) -> object:
        """Take the value on top, which must lie above the last mark."""
        if not self.stack:
            raise self.refusal("takes a value that is not there")
        return self.stack.pop()

    def top(self) -> object:
        """The value on top, left there."""
        if not self.stack:
            raise self.refusal("uses a value that is not there")
        return self.stack[-1]

    def mark(self) -> None:
        """Begin a new stack above this one."""
        if self.below + len(self.stack) >= MAX_STACK:
            raise self.refusal(f"needs a stack of over {MAX_STACK} items")
        self.below += len(self.stack) + 1
        self.marked.append(self.stack)
        self.stack = []

    def to_mark(self) -> list[object]:
        """All values above the last mark, which is taken away."""
        if not self.marked:
            raise self.refusal("looks for a mark that is not there")
        items, self.stack = self.stack, self.marked.pop()
        self.below -= len(self.stack) + 1
        return items

    def put(self, index: int) -> None:
        """Remember the value on top."""
        if index >= MAX_MEMO:
            raise self.refusal(f"remembers over {MAX_MEMO} values")
        self.memo[index] = self.top()

    def get(self, index: int) -> None:
        """Push what was remembered."""
        if index not in self.memo:
            raise self.refusal("recalls what it never remembered")
        self.push(self.memo[index])

    def text(self, raw: bytes) -> None:
        """Push a string."""
        try:
            self.push(raw.decode("utf-8", "surrogatepass"))
        except UnicodeDecodeError:
            raise self.refusal("holds a string that is not UTF-8") from None

    def refusal(self, what: str, **detail: object) -> FormatError:
        """The refusal of this pickle, saying where."""
        return FormatError(
            "unsafe_file",
            f"The pickle {what} (byte {self.place}).",
            rule="F3",
            detail={"at": self.place, **detail},
        )
