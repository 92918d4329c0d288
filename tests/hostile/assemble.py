"""Zips, pickles and pictures put together byte by byte, so that any byte of them can lie.

Written from the formats' descriptions, and sharing nothing with the readers under test.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from tests.samples import floats, packed

MARK, TUPLE, STOP, REDUCE, EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE = b"(", b"t", b".", b"R", b"}", b"]", b")"
BINPERSID, NEWFALSE, SETITEM, SETITEMS = b"Q", b"\x89", b"s", b"u"
NUMBERS = packed("F32", floats(256))


# Pickle.


def text(value: str) -> bytes:
    """BINUNICODE."""
    raw = value.encode("utf-8", "surrogatepass")
    return b"X" + struct.pack("<I", len(raw)) + raw


def number(value: int) -> bytes:
    """BININT or LONG1."""
    if -(1 << 31) <= value < 1 << 31:
        return b"J" + struct.pack("<i", value)
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def name(module: str, attribute: str) -> bytes:
    """GLOBAL."""
    return f"c{module}\n{attribute}\n".encode()


def stack_name(module: str, attribute: str) -> bytes:
    """STACK_GLOBAL."""
    return text(module) + text(attribute) + b"\x93"


def items(*parts: bytes) -> bytes:
    """A tuple of any length."""
    return MARK + b"".join(parts) + TUPLE


def sizes(*values: int) -> bytes:
    """A tuple of numbers."""
    return items(*(number(value) for value in values))


def dictionary(entries: Mapping[str, bytes] | Iterable[tuple[str, bytes]]) -> bytes:
    """A dict of text keys."""
    pairs = entries.items() if isinstance(entries, Mapping) else entries
    return EMPTY_DICT + MARK + b"".join(text(key) + value for key, value in pairs) + SETITEMS


ORDERED = name("collections", "OrderedDict") + EMPTY_TUPLE + REDUCE
REBUILD = name("torch._utils", "_rebuild_tensor_v2")


def storage(
    *,
    kind: bytes = text("storage"),
    cls: bytes = name("torch", "FloatStorage"),
    key: bytes = text("0"),
    location: bytes = text("cpu"),
    count: bytes = number(256),
    tail: bytes = b"",
) -> bytes:
    """A reference to a storage."""
    return items(kind, cls, key, location, count, tail) + BINPERSID


def tensor(
    *,
    function: bytes = REBUILD,
    source: bytes | None = None,
    offset: bytes = number(0),
    shape: bytes = sizes(2, 128),
    strides: bytes = sizes(128, 1),
    grad: bytes = NEWFALSE,
    hooks: bytes = ORDERED,
    tail: bytes = b"",
) -> bytes:
    """A tensor as torch pickles it."""
    source = storage() if source is None else source
    return function + items(source, offset, shape, strides, grad, hooks, tail) + REDUCE


def pickle(body: bytes, *, protocol: int = 2) -> bytes:
    """A whole pickle of one value."""
    return b"\x80" + bytes([protocol]) + body + STOP


def word(value: bytes | None = None, *, key: str = "emb_params") -> bytes:
    """The pickle of an embedding: a dict of one tensor."""
    return pickle(dictionary({key: tensor() if value is None else value}))


# Zip.


@dataclass(frozen=True)
class Member:
    """One record of a zip. Fields that are set lie: in the local header, the directory or the descriptor."""

    name: bytes
    data: bytes
    flags: int = 0x0800
    method: int = 0
    descriptor: bool = False
    extra: bytes = b""
    comment: bytes = b""
    external: int = 0
    made_by: int = 0
    disk: int = 0
    local: Mapping[str, object] = field(default_factory=dict)
    central: Mapping[str, object] = field(default_factory=dict)
    described: bytes | None = None
    gap: bytes = b""
    offset: int | None = None
    is_listed: bool = True
    is_stored: bool = True

    def with_(self, **changes: object) -> "Member":
        """The same with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]


def zip_file(
    members: Iterable[Member],
    *,
    prefix: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    before_end: bytes = b"",
    end: Mapping[str, int] | None = None,
) -> bytes:
    """A zip of these records; `end` sets fields of the end record to lies."""
    out, directory, count = bytearray(prefix), b"", 0
    for member in members:
        out += member.gap
        at = len(out) if member.offset is None else member.offset
        if member.is_stored:
            out += _local(member)
        if member.is_listed:
            directory += _central(member, at)
            count += 1
    start = len(out)
    facts = {
        "disk": 0,
        "start_disk": 0,
        "here": count,
        "count": count,
        "size": len(directory),
        "start": start,
    }
    facts |= {"comment": len(comment), **(end or {})}
    return (
        bytes(out)
        + directory
        + before_end
        + struct.pack("<4s4H2LH", b"PK\x05\x06", *facts.values())
        + comment
        + suffix
    )


def _facts(member: Member, lies: Mapping[str, object]) -> dict[str, object]:
    facts: dict[str, object] = {
        "version": 20,
        "flags": member.flags | (8 if member.descriptor else 0),
        "method": member.method,
        "time": 0,
        "date": 0x21,
        "crc": zlib.crc32(member.data),
        "packed": len(member.data),
        "size": len(member.data),
        "name": member.name,
        "extra": member.extra,
    }
    return {**facts, **lies}


def _local(member: Member) -> bytes:
    lies = dict(member.local)
    if member.descriptor:
        lies = {"crc": 0, "packed": 0, "size": 0, **lies}
    facts = _facts(member, lies)
    named, extra = facts.pop("name"), facts.pop("extra")
    assert isinstance(named, bytes) and isinstance(extra, bytes)
    head = struct.pack("<4s5H3L2H", b"PK\x03\x04", *facts.values(), len(named), len(extra))
    described = b""
    if member.descriptor:
        described = struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(member.data), *[len(member.data)] * 2)
    return head + named + extra + member.data + (described if member.described is None else member.described)


def _central(member: Member, at: int) -> bytes:
    facts = _facts(member, {"extra": b"", **member.central})
    named, extra = facts.pop("name"), facts.pop("extra")
    assert isinstance(named, bytes) and isinstance(extra, bytes)
    head = struct.pack(
        "<4sH5H3L3H",
        b"PK\x01\x02",
        member.made_by,
        *facts.values(),
        len(named),
        len(extra),
        len(member.comment),
    )
    return head + struct.pack("<2H2L", member.disk, 0, member.external, at) + named + extra + member.comment


def members(
    content: bytes | None = None, numbers: Mapping[str, bytes] | None = None, *, root: str = "archive"
) -> dict[str, Member]:
    """The records of a PyTorch file, by their name inside the root."""
    parts = {"data.pkl": word() if content is None else content}
    parts |= {f"data/{key}": data for key, data in ({"0": NUMBERS} if numbers is None else numbers).items()}
    parts["version"] = b"3\n"
    return {name: Member(f"{root}/{name}".encode(), data) for name, data in parts.items()}


def torch_zip(content: bytes | None = None, numbers: Mapping[str, bytes] | None = None) -> bytes:
    """A PyTorch file of this pickle and these storages."""
    return zip_file(members(content, numbers).values())


# PyTorch before 1.6.

LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
LEGACY_VERSION = pickle(number(1001))
LEGACY_SYSTEM = pickle(
    dictionary(
        [
            ("protocol_version", number(1001)),
            ("little_endian", b"\x88"),
            ("type_sizes", dictionary({"short": number(2), "int": number(4), "long": number(4)})),
        ]
    )
)


def legacy_storage(**changes: bytes) -> bytes:
    """A reference to a storage, which here has a view behind it."""
    return storage(**{"tail": b"N", **changes})


def legacy_file(
    content: bytes | None = None,
    *,
    magic: bytes = LEGACY_MAGIC,
    version: bytes = LEGACY_VERSION,
    system: bytes = LEGACY_SYSTEM,
    keys: bytes | None = None,
    numbers: bytes | None = None,
) -> bytes:
    """A PyTorch file in the old container."""
    content = word(tensor(source=legacy_storage())) if content is None else content
    keys = pickle(EMPTY_LIST + text("0") + b"a") if keys is None else keys
    numbers = struct.pack("<q", 256) + NUMBERS if numbers is None else numbers
    return magic + version + system + content + keys + numbers


# Pictures.

PNG_START = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes, *, crc: int | None = None, length: int | None = None) -> bytes:
    """A chunk of a PNG."""
    check = zlib.crc32(kind + body) if crc is None else crc
    return struct.pack(">L", len(body) if length is None else length) + kind + body + struct.pack(">L", check)


def png(
    *chunks: bytes,
    width: int = 16,
    height: int = 16,
    pixels: bytes | None = None,
    header: bytes | None = None,
    end: bytes | None = None,
) -> bytes:
    """A grey picture with these chunks before its pixels."""
    header = struct.pack(">2L5B", width, height, 8, 0, 0, 0, 0) if header is None else header
    pixels = zlib.compress(bytes((width + 1) * height)) if pixels is None else pixels
    last = chunk(b"IEND", b"") if end is None else end
    return PNG_START + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IDAT", pixels) + last
