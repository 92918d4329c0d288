"""A reader of pickle *data*: a bounded loop over the opcodes that embeddings use. It runs nothing.

Names are compared with a list and never looked up; calls leave inert records (`rebuild`); everything else is
refused (F3). Only the torch reader imports this module.
"""

import codecs
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

from hub.formats.limits import MAX_INT_BYTES, MAX_OPCODES
from hub.formats.pickle_tape import Tape
from hub.formats.rebuild import ALLOWED_NAMES, Global, build, call, is_dict, new

Persistent = Callable[[object, int], object]
_INT = re.compile(rb"[-+]?[0-9]{1,39}")
_SMALL = re.compile(rb"[0-9]{1,9}")
_HIGHEST_PROTOCOL = 5
_REFUSED_OPCODES = {
    "i": "INST", "o": "OBJ", "P": "PERSID", "\x92": "NEWOBJ_EX", "\x82": "EXT1", "\x83": "EXT2",
    "\x84": "EXT4", "\x96": "BYTEARRAY8", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER",
    "\x8f": "EMPTY_SET", "\x90": "ADDITEMS", "\x91": "FROZENSET", "\x8b": "LONG4", "L": "LONG", "F": "FLOAT",
    "S": "STRING", "T": "BINSTRING", "U": "SHORT_BINSTRING", "2": "DUP", "\x8d": "BINUNICODE8",
    "\x8e": "BINBYTES8",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unpickled:
    """What a pickle holds, where it ends, and which names it used."""

    value: object
    end: int
    names: tuple[str, ...]


def unpickle(
    data: bytes, start: int = 0, *, persistent: Persistent | None = None, alone: bool = True
) -> Unpickled:
    """The data of the pickle that begins at `start`. FormatError (F3) for what no embedding's pickle holds.

    `persistent` turns a persistent id into a record; without it none may occur. An `alone` pickle ends where
    the data ends.
    """
    machine = _Machine(data, start, persistent)
    value = machine.run()
    if alone and machine.at != len(data):
        raise machine.refusal(f"goes on for {len(data) - machine.at} bytes after its end")
    return Unpickled(value, machine.at, tuple(sorted(machine.names)))


class _Machine(Tape):
    """The opcodes: what each does to the tape, the stack and the memo."""

    def __init__(self, data: bytes, start: int, persistent: Persistent | None) -> None:
        super().__init__(data, start)
        self.persistent = persistent
        self.names: set[str] = set()
        self.frame_end = 0

    def run(self) -> object:
        """Go from opcode to opcode until STOP; the one value that is left."""
        for _ in range(MAX_OPCODES):
            self.opcode_at = self.at
            opcode = self.take(1)
            if opcode == b".":
                break
            act = _ACTS.get(opcode)
            if act is None:
                letter = opcode.decode("latin-1")
                named = _REFUSED_OPCODES.get(letter, f"0x{opcode[0]:02x}")
                raise self.refusal(f"uses the opcode {named}, which no embedding needs", opcode=named)
            act(self)
            self._check_frame()
        else:
            raise self.refusal(f"has over {MAX_OPCODES} opcodes")
        if self.marked or len(self.stack) != 1 or self.at < self.frame_end:
            raise self.refusal("does not end with one value")
        return self.stack[0]

    def _check_frame(self) -> None:
        if self.opcode_at < self.frame_end < self.at:
            raise self.refusal("has a frame that ends inside an opcode")

    def proto(self) -> None:
        """PROTO: only at the very start."""
        version = self.number("<B")
        if self.opcode_at != self.start or version > _HIGHEST_PROTOCOL:
            raise self.refusal(f"announces protocol {version}, or does so in its middle")

    def frame(self) -> None:
        """FRAME: one after the other, each inside the data."""
        length = self.number("<Q")
        if self.at <= self.frame_end or length > len(self.data) - self.at:
            raise self.refusal("has frames that do not fit")
        self.frame_end = self.at + length

    def int_line(self) -> None:
        """INT: a line of digits, where 00 and 01 are truth values."""
        digits = self.line(_INT)
        self.push({b"00": False, b"01": True}.get(digits, int(digits)))
        self._check_int()

    def long1(self) -> None:
        """LONG1: a number of at most sixteen bytes."""
        count = self.number("<B")
        if count > MAX_INT_BYTES:
            raise self.refusal(f"holds a number of {count} bytes")
        self.push(int.from_bytes(self.take(count), "little", signed=True))

    def _check_int(self) -> None:
        value = self.top()
        if isinstance(value, int) and value.bit_length() >= 8 * MAX_INT_BYTES:
            raise self.refusal(f"holds a number of over {8 * MAX_INT_BYTES} bits")

    def unicode_line(self) -> None:
        """UNICODE: a line with escapes."""
        try:
            # The codec's own function: looking codecs up by name would import one.
            self.push(codecs.raw_unicode_escape_decode(self.line())[0])
        except UnicodeDecodeError:
            raise self.refusal("holds a string with broken escapes") from None

    def name(self) -> None:
        """GLOBAL: two lines, module and name."""
        module, name = self.line(), self.line()
        self._named(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))

    def stack_name(self) -> None:
        """STACK_GLOBAL: the same, from two strings."""
        name, module = self.pop(), self.pop()
        if type(module) is not str or type(name) is not str:
            raise self.refusal("makes a name of something that is no text")
        self._named(module, name)

    def _named(self, module: str, name: str) -> None:
        full = f"{module} {name}"
        # A blank inside either part could make two different pairs look alike.
        if full not in ALLOWED_NAMES or " " in module + name:
            shown = ascii(f"{module}.{name}"[:120])[1:-1]
            raise self.refusal(f"names {shown}, which no embedding needs", name=shown)
        self.names.add(full)
        self.push(Global(full))

    def persistent_id(self) -> None:
        """BINPERSID: a tensor's storage."""
        if self.persistent is None:
            raise self.refusal("refers to data outside itself")
        self.push(self.persistent(self.pop(), self.place))

    def reduce(self) -> None:
        """REDUCE: one of the known calls."""
        arguments, function = self.pop(), self.pop()
        self.push(call(function, arguments, self.place))

    def new_object(self) -> None:
        """NEWOBJ: a ParameterDict."""
        arguments, cls = self.pop(), self.pop()
        self.push(new(cls, arguments, self.place))

    def set_state(self) -> None:
        """BUILD: the state of a ParameterDict."""
        state = self.pop()
        build(self.top(), state, self.place)

    def append(self, items: list[object]) -> None:
        """APPEND and APPENDS: only to a list of this file."""
        target = self.top()
        if type(target) is not list:
            raise self.refusal("appends to something that is not a list")
        target.extend(items)

    def set_items(self, items: list[object]) -> None:
        """SETITEM, SETITEMS and DICT: only in a dict of this file, keys are text and new."""
        target = self.top()
        if not is_dict(target) or len(items) % 2:
            raise self.refusal("sets items of something that is not a dict")
        for key, value in zip(items[::2], items[1::2], strict=True):
            if type(key) is not str:
                like = ", as a hypernetwork has" if type(key) is int else ""
                raise self.refusal(f"has a key that is not text{like}; an embedding's keys are words")
            if key in target:
                raise self.refusal(f"sets the key {key[:60]!a} twice")
            target[key] = value

    def drop(self) -> None:
        """POP: the value on top, or the mark when there is none."""
        if self.stack:
            self.stack.pop()
        else:
            self.to_mark()

    def tuple_of(self, count: int) -> None:
        """TUPLE1 to TUPLE3."""
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def fill(self, container: list[object] | dict[str, object]) -> None:
        """LIST and DICT: a container of what lies above the mark."""
        items = self.to_mark()
        self.push(container)
        if isinstance(container, list):
            self.append(items)
        else:
            self.set_items(items)


_ACTS: dict[bytes, Callable[[_Machine], None]] = {
    b"\x80": _Machine.proto,
    b"\x95": _Machine.frame,
    b"(": _Machine.mark,
    b"0": _Machine.drop,
    b"1": lambda m: m.to_mark().clear(),
    b"N": lambda m: m.push(None),
    b"\x88": lambda m: m.push(True),
    b"\x89": lambda m: m.push(False),
    b"I": _Machine.int_line,
    b"J": lambda m: m.push(m.number("<i")),
    b"K": lambda m: m.push(m.number("<B")),
    b"M": lambda m: m.push(m.number("<H")),
    b"\x8a": _Machine.long1,
    b"G": lambda m: m.push(struct.unpack(">d", m.take(8))[0]),
    b"V": _Machine.unicode_line,
    b"X": lambda m: m.text(m.counted("<I")),
    b"\x8c": lambda m: m.text(m.counted("<B")),
    b"C": lambda m: m.push(m.counted("<B")),
    b"B": lambda m: m.push(m.counted("<I")),
    b"}": lambda m: m.push({}),
    b"d": lambda m: m.fill({}),
    b"]": lambda m: m.push([]),
    b"l": lambda m: m.fill([]),
    b")": lambda m: m.push(()),
    b"t": lambda m: m.push(tuple(m.to_mark())),
    b"\x85": lambda m: m.tuple_of(1),
    b"\x86": lambda m: m.tuple_of(2),
    b"\x87": lambda m: m.tuple_of(3),
    b"a": lambda m: m.append([m.pop()]),
    b"e": lambda m: m.append(m.to_mark()),
    b"s": lambda m: m.set_items([m.pop(), m.pop()][::-1]),
    b"u": lambda m: m.set_items(m.to_mark()),
    b"p": lambda m: m.put(int(m.line(_SMALL))),
    b"q": lambda m: m.put(m.number("<B")),
    b"r": lambda m: m.put(m.number("<I")),
    b"\x94": lambda m: m.put(len(m.memo)),
    b"g": lambda m: m.get(int(m.line(_SMALL))),
    b"h": lambda m: m.get(m.number("<B")),
    b"j": lambda m: m.get(m.number("<I")),
    b"c": _Machine.name,
    b"\x93": _Machine.stack_name,
    b"Q": _Machine.persistent_id,
    b"R": _Machine.reduce,
    b"\x81": _Machine.new_object,
    b"b": _Machine.set_state,
}
