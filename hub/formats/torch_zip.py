"""The zip that PyTorch writes, walked by our own rules (F2): two readers must never see two different files.

Every byte belongs to exactly one record, the central directory or its end; records are stored, not packed;
local header, central record and data descriptor say the same; only names that PyTorch writes occur.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.limits import MAX_MEMBER_NAME_BYTES, MAX_NOTE_BYTES, MAX_ZIP_MEMBERS
from hub.formats.names import shown

_END, _END64, _LOCATOR64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_CENTRAL, _LOCAL, _DESCRIPTOR = b"PK\x01\x02", b"PK\x03\x04", b"PK\x07\x08"
_ENCRYPTED, _HAS_DESCRIPTOR, _UTF8 = 0x0001, 0x0008, 0x0800
_ZIP64, _PADDING = 0x0001, int.from_bytes(b"FB", "little")
_FULL = 0xFFFFFFFF
_REGULAR_FILE = (0, 0o100000)
_DIRECTORY = 0x10
_RECORD = re.compile(
    r"(?P<root>[^/\\]{1,250})/(?:(?P<part>data\.pkl|data/[0-9]{1,20})|(?P<note>version|byteorder|"
    r"\.format_version|\.storage_alignment|\.data/serialization_id))"
)


@dataclass(frozen=True, slots=True)
class _Member:
    """A central record, as far as it may differ from file to file."""

    name: bytes
    flags: int
    stamp: bytes
    crc: int
    size: int
    offset: int


@dataclass(frozen=True, slots=True)
class TorchZip:
    """What a PyTorch zip holds: the pickle, the storages by key, and the small records beside them."""

    pickle: bytes
    storages: dict[str, bytes]
    notes: frozenset[str]


def read_torch_zip(data: bytes) -> TorchZip:
    """The records of a PyTorch zip. FormatError (F2, F1, F4) for any other zip."""
    members, directory = _directory(data)
    found: dict[str, bytes] = {}
    roots: set[str] = set()
    notes: set[str] = set()
    position = 0
    for member in sorted(members, key=lambda member: member.offset):
        name = _name(member)
        record, position = _record(data, member, position, directory)
        match = _RECORD.fullmatch(name)
        if match is None:
            raise _refusal(
                f"The zip holds {shown(name)}, which PyTorch does not write for tensors.", name=name
            )
        roots.add(match["root"])
        if match["note"]:
            _check_note(match["note"], record)
            notes.add(match["note"])
        elif record.startswith(_LOCAL) and _END in record:
            raise _refusal(f"The record {shown(name)} is a zip archive itself.", rule="F1", name=name)
        else:
            found[match["part"]] = record
    if position != directory:
        raise _refusal("There are bytes between the last record and the directory of the zip.")
    if len(roots) != 1 or "data.pkl" not in found:
        raise _refusal(f"The zip has {len(roots)} root folders, or no data.pkl: PyTorch did not write it.")
    pickle = found.pop("data.pkl")
    storages = {name.removeprefix("data/"): record for name, record in found.items()}
    return TorchZip(pickle, storages, frozenset(notes))


def _directory(data: bytes) -> tuple[list[_Member], int]:
    """All central records and where they begin."""
    end = len(data) - 22
    if end < 0 or data[end : end + 4] != _END:
        raise _refusal("The zip does not end with its directory: it is cut off, or something follows it.")
    disk, first_disk, here, count, size, start, comment = struct.unpack("<4H2LH", data[end + 4 :])
    if comment or disk or first_disk or here != count:
        raise _refusal("The end of the zip carries a comment, or speaks of other disks.")
    if not 1 <= count <= MAX_ZIP_MEMBERS:
        raise _refusal(f"The zip has {count} records; 1 to {MAX_ZIP_MEMBERS} are allowed.", records=count)
    if start + size != _check_end64(data, end, count, size, start):
        raise _refusal("The directory of the zip is not where its end says.")
    members = list(_members(data, start, start + size))
    if len(members) != count or len({member.name for member in members}) != count:
        raise _refusal("The directory of the zip names a record twice, or counts them wrongly.")
    return members, start


def _check_end64(data: bytes, end: int, count: int, size: int, start: int) -> int:
    """Where the directory has to end: before the 64-bit end records, which must say the same, or the end."""
    if end < 76 or data[end - 20 : end - 16] != _LOCATOR64:
        return end
    record = end - 76
    if data[end - 16 : end] != struct.pack("<LQL", 0, record, 1):
        raise _refusal("The 64-bit directory of the zip is not where it is said to be.")
    said = struct.unpack("<4sQ2H2L4Q", data[record : end - 20])
    if said[:2] != (_END64, 44) or said[4:] != (0, 0, count, count, size, start):
        raise _refusal("The 64-bit directory of the zip contradicts the other one.")
    return record


def _members(data: bytes, at: int, end: int) -> Iterator[_Member]:
    while at < end:
        if end - at < 46 or data[at : at + 4] != _CENTRAL:
            raise _refusal("The directory of the zip is damaged.")
        (
            _made, _needed, flags, method, stamp, crc, packed, size, name, extra, comment, disk,
            _internal, external, offset,
        ) = struct.unpack("<4H4s3L4HHLL", data[at + 4 : at + 46])  # fmt: skip
        if flags & _ENCRYPTED:
            raise _refusal("The zip holds an encrypted record.", rule="F1")
        if method or flags & ~(_HAS_DESCRIPTOR | _UTF8):
            raise _refusal("The zip holds a compressed or patched record; PyTorch stores them as they are.")
        if packed != size or comment or disk:
            raise _refusal("A record of the zip has two sizes, or a comment.")
        if (external >> 16) & 0o170000 not in _REGULAR_FILE or external & _DIRECTORY:
            raise _refusal("The zip holds a link, a folder or a device.")
        start = at + 46 + name
        _sizes_in_extra(data[start : start + extra], 0, 0)
        yield _Member(data[at + 46 : start], flags, stamp, crc, size, offset)
        at = start + extra
    if at != end:
        raise _refusal("The directory of the zip is damaged.")


def _name(member: _Member) -> str:
    if len(member.name) > MAX_MEMBER_NAME_BYTES:
        raise _refusal(f"A record's name is over {MAX_MEMBER_NAME_BYTES} bytes.")
    try:
        name = member.name.decode()
    except UnicodeDecodeError:
        raise _refusal("A record's name is not UTF-8.") from None
    if not name.isascii() and not member.flags & _UTF8:
        raise _refusal(f"The name {shown(name)} can be read in two ways.", name=name)
    parts = re.split(r"[/\\]", name)
    if ".." in parts or "." in parts or "" in parts or "\\" in name or any(char < " " for char in name):
        raise _refusal(f"The zip holds {shown(name)}, a name that leaves its folder.", name=name)
    return name


def _record(data: bytes, member: _Member, position: int, directory: int) -> tuple[bytes, int]:
    """The bytes of a record that begins exactly at `position`, and where the next one must begin."""
    if member.offset != position:
        raise _refusal("The records of the zip overlap, or leave a gap.", at=position)
    header = data[position : position + 30]
    if len(header) < 30 or header[:4] != _LOCAL:
        raise _refusal("A record of the zip has no header.", at=position)
    flags, method, stamp, crc, packed, size, name_length, extra_length = struct.unpack(
        "<2H4s3L2H", header[6:]
    )
    start = position + 30 + name_length + extra_length
    end = start + member.size
    name = data[position + 30 : position + 30 + name_length]
    if (flags, method, stamp, name) != (member.flags, 0, member.stamp, member.name) or end > directory:
        raise _refusal("A record of the zip says something else than the directory.", at=position)
    sizes = _sizes_in_extra(data[start - extra_length : start], packed, size)
    later = bool(flags & _HAS_DESCRIPTOR)
    if (crc, *sizes) != (member.crc, member.size, member.size) and not (later and (crc, *sizes) == (0, 0, 0)):
        raise _refusal(
            "A record of the zip has another size or checksum than the directory says.", at=position
        )
    record = data[start:end]
    if zlib.crc32(record) != member.crc:
        raise _refusal("A record of the zip does not match its checksum: the file is damaged.", at=position)
    return record, end + (_descriptor(data, end, member) if later else 0)


def _sizes_in_extra(extra: bytes, packed: int, size: int) -> tuple[int, int]:
    """The sizes of a header, which may stand in a 64-bit field. PyTorch's padding is all else that may be there."""
    at = 0
    while at < len(extra):
        if len(extra) - at < 4:
            break
        kind, length = struct.unpack("<2H", extra[at : at + 4])
        field = extra[at + 4 : at + 4 + length]
        at += 4 + length
        if kind == _ZIP64 and len(field) == length == 16 and (packed, size) == (_FULL, _FULL):
            size, packed = struct.unpack("<2Q", field)
        elif kind != _PADDING or len(field) != length or field.strip(b"Z"):
            break
    else:
        return packed, size
    raise _refusal("A record of the zip carries hidden fields.")


def _descriptor(data: bytes, at: int, member: _Member) -> int:
    """The length of the data descriptor, which repeats the directory."""
    for form in ("<4s3L", "<4sL2Q"):
        expected = struct.pack(form, _DESCRIPTOR, member.crc, member.size, member.size)
        if data.startswith(expected, at) and data[at + len(expected) : at + len(expected) + 2] == b"PK":
            return len(expected)
    raise _refusal("A record of the zip is followed by other facts than the directory has.", at=at)


def _check_note(name: str, record: bytes) -> None:
    if len(record) > MAX_NOTE_BYTES or not record.isascii():
        raise _refusal(f"The record {name} holds something that PyTorch does not write there.", name=name)
    if name == "byteorder" and record != b"little":
        raise _refusal("The numbers are not little-endian.", rule="F4", byteorder=shown(record.decode()))


def _refusal(message: str, *, rule: str = "F2", **detail: object) -> FormatError:
    return FormatError("unsafe_file", message, rule=rule, detail=detail)
