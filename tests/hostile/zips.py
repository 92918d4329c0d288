"""F2: zips that two readers would read differently, that unpack to more than they are, or that leave their folder."""

import struct
import zlib
from collections.abc import Iterator

from tests.hostile.assemble import NUMBERS, Member, members, torch_zip, word, zip_file
from tests.hostile.pickle_names import LIVE
from tests.hostile.sample import Hostile, hostile
from tests.samples import floats, packed

_GOOD = torch_zip()
_PT = "moss-dragon.pt"
_OTHER = packed("F32", floats(256, seed=9))


def _changed(part: str, **changes: object) -> bytes:
    """The good file with one record changed."""
    parts = members()
    parts[part] = parts[part].with_(**changes)
    return zip_file(parts.values())


def _with(*extra: Member) -> bytes:
    return zip_file([*members().values(), *extra])


@hostile
def names_in_the_zip() -> Iterator[Hostile]:
    """F2: names that leave the folder, or that two systems read differently."""
    for label, name in {
        "absolute": b"/etc/passwd",
        "upwards": b"archive/../../etc/passwd",
        "upwards-first": b"../archive/data.pkl",
        "upwards-backslash": b"archive\\..\\..\\windows\\win.ini",
        "here": b"archive/./data/1",
        "double-slash": b"archive//data/1",
        "backslash": b"archive\\data\\1",
        "drive": b"c:/data/1",
        "nul": b"archive/data/1\0.txt",
        "newline": b"archive/data/1\n",
        "not-utf-8": b"archive/data/\xff\xfe",
        "long": b"archive/" + b"d" * 300,
        "folder": b"archive/data/",
        "empty": b"",
        "root-only": b"archive",
        "other-root": b"second/data/1",
        "other-file": b"archive/code/__torch__.py",
        "constants": b"archive/constants.pkl",
        "letters": b"archive/data/abc",
        "minus": b"archive/data/-1",
        "nested-number": b"archive/data/1/2",
        "other-case": b"archive/DATA.PKL",
        "two-pickles": b"archive/data/data.pkl",
        "windows-stream": b"archive/data/1:evil",
    }.items():
        yield Hostile(f"zip-name-{label}", "F2", _with(Member(name, b"x")), _GOOD, _PT)
    plain = _changed("data/0", name="archiv\u00e9/data/0".encode(), flags=0)
    yield Hostile("zip-name-of-two-readings", "F2", plain, _GOOD, _PT)


@hostile
def duplicates() -> Iterator[Hostile]:
    """F2: two records of one name, of which readers take the first or the last."""
    evil = members(b"\x80\x02" + LIVE["os-system"] + b".")["data.pkl"]
    parts = members()
    other = parts["data/0"].with_(data=_OTHER)
    for label, records in {
        "pickle-last": [*parts.values(), evil],
        "pickle-first": [evil, *parts.values()],
        "pickle-same": [*parts.values(), parts["data.pkl"]],
        "numbers": [*parts.values(), other],
        "pickle-of-another-root": [*parts.values(), evil.with_(name=b"second/data.pkl")],
        "pickle-unlisted": [evil.with_(is_listed=False), *parts.values()],
        "pickle-unlisted-last": [*parts.values(), evil.with_(is_listed=False)],
        "listed-twice": [*parts.values(), parts["version"].with_(is_stored=False, offset=0)],
        "pickle-by-other-case": [*parts.values(), evil.with_(name=b"archive/Data.pkl")],
        "pickle-with-nul": [*parts.values(), evil.with_(name=b"archive/data.pkl\0")],
    }.items():
        yield Hostile(f"zip-twice-{label}", "F2", zip_file(records), _GOOD, _PT)


@hostile
def missing_parts() -> Iterator[Hostile]:
    """F2: no pickle in it, or nothing at all."""
    for label, keep in {"pickle": ("data/0", "version"), "all-but-version": ("version",)}.items():
        parts = members()
        data = zip_file(parts[part] for part in keep)
        yield Hostile(f"zip-without-{label}", "F2", data, _GOOD, _PT)


@hostile
def packing() -> Iterator[Hostile]:
    """F2: packed records, whose size is a claim."""
    for method, label in {
        1: "shrunk",
        8: "deflated",
        9: "deflate64",
        12: "bzip2",
        14: "lzma",
        93: "zstd",
        99: "aes",
    }.items():
        yield Hostile(f"zip-{label}-by-name", "F2", _changed("data/0", method=method), _GOOD, _PT)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(bytes(30 << 20)) + packer.flush()
    lies = {"size": 30 << 20, "crc": zlib.crc32(bytes(30 << 20))}
    data = _changed("data/0", data=bomb, method=8, local=lies, central=lies)
    yield Hostile("zip-bomb-of-30-mebibytes", "F2", data, _GOOD, _PT)
    small = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = small.compress(NUMBERS) + small.flush()
    lies = {"size": len(NUMBERS), "crc": zlib.crc32(NUMBERS)}
    yield Hostile(
        "zip-honestly-deflated",
        "F2",
        _changed("data/0", data=body, method=8, local=lies, central=lies),
        _GOOD,
        _PT,
    )
    yield Hostile("zip-stored-but-deflated-inside", "F2", _changed("data/0", local={"method": 8}), _GOOD, _PT)
    yield Hostile(
        "zip-deflated-but-stored-inside", "F2", _changed("data/0", central={"method": 8}), _GOOD, _PT
    )


@hostile
def flags() -> Iterator[Hostile]:
    """F2, F1: flags that make one reader stop and let another go on; encryption."""
    for bit in (1, 2, 4, 5, 6, 7, 8, 9, 10, 12, 13, 14, 15):
        data = _changed("data.pkl", flags=0x0800 | 1 << bit)
        yield Hostile(f"zip-flag-{bit}", "F2", data, _GOOD, _PT)
    yield Hostile("zip-encrypted", "F1", _changed("data.pkl", flags=0x0801), _GOOD, _PT)
    yield Hostile(
        "zip-encrypted-in-the-directory", "F1", _changed("data.pkl", central={"flags": 0x0801}), _GOOD, _PT
    )
    yield Hostile(
        "zip-encrypted-in-the-record", "F2", _changed("data.pkl", local={"flags": 0x0801}), _GOOD, _PT
    )


@hostile
def disagreement() -> Iterator[Hostile]:
    """F2: local header, directory and descriptor that say different things."""
    live = members(b"\x80\x02" + LIVE["os-system"] + b".")["data.pkl"].data
    for label, changes in {
        "name": {"local": {"name": b"archive/data/9"}},
        "name-of-same-length": {"local": {"name": b"archive/data/1"}},
        "name-in-the-directory": {"central": {"name": b"archive/data/1"}},
        "size-smaller": {"local": {"size": 1000, "packed": 1000}},
        "size-larger": {"local": {"size": 2048, "packed": 2048}},
        "size-smaller-in-the-directory": {"central": {"size": 1000, "packed": 1000}},
        "size-larger-in-the-directory": {"central": {"size": 1028, "packed": 1028}},
        "size-of-gigabytes": {"central": {"size": 0xFFFFFFF0, "packed": 0xFFFFFFF0}},
        "two-sizes": {"central": {"size": 4 << 20}},
        "two-sizes-in-the-record": {"local": {"size": 4 << 20}},
        "size-64-without-field": {"local": {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}},
        "size-64-in-the-directory": {"central": {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}},
        "checksum": {"local": {"crc": 1}},
        "checksum-in-the-directory": {"central": {"crc": 1}},
        "checksum-in-both": {"local": {"crc": 1}, "central": {"crc": 1}},
        "checksum-zero-in-both": {"local": {"crc": 0}, "central": {"crc": 0}},
        "flags": {"local": {"flags": 0}},
        "time": {"local": {"time": 1}},
        "offset": {"offset": 0},
        "offset-of-one-more": {"offset": 100},
        "offset-over-the-end": {"offset": 1 << 30},
    }.items():
        yield Hostile(f"zip-disagrees-{label}", "F2", _changed("data/0", **changes), _GOOD, _PT)
    for label, wrong in {
        "missing": b"",
        "checksum": struct.pack("<4s3L", b"PK\x07\x08", 1, 1024, 1024),
        "size": struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(NUMBERS), 1024, 1000),
        "without-signature": struct.pack("<3L", zlib.crc32(NUMBERS), 1024, 1024),
        "twice": struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(NUMBERS), 1024, 1024) * 2,
        "of-garbage": b"garbage, garbage",
    }.items():
        data = _changed("data/0", descriptor=True, described=wrong)
        yield Hostile(f"zip-descriptor-{label}", "F2", data, _changed("data/0", descriptor=True), _PT)
    hidden = _changed("data.pkl", data=word(), extra=struct.pack("<2H", 0xCAFE, len(live)) + live)
    yield Hostile("zip-pickle-in-a-hidden-field", "F2", hidden, _GOOD, _PT)


@hostile
def gaps_and_overlaps() -> Iterator[Hostile]:
    """F2: bytes that belong to no record, or to two."""
    parts = members()
    inner = parts["data/0"].with_(name=b"archive/data/1", data=b"x")
    quoted = zip_file([inner])[:64]
    for label, data in {
        "gap": _changed("data/0", gap=bytes(8)),
        "gap-of-one": _changed("version", gap=b"\0"),
        "gap-with-a-record": _changed("version", gap=quoted),
        "gap-before-the-directory": zip_file(parts.values(), before_end=bytes(4)),
        "overlap": zip_file(
            [*parts.values(), parts["data/0"].with_(name=b"archive/data/1", is_stored=False, offset=0)]
        ),
        "all-records-in-one-place": zip_file(
            [
                *parts.values(),
                *(Member(b"archive/data/%d" % n, NUMBERS, is_stored=False, offset=0) for n in range(1, 40)),
            ]
        ),
    }.items():
        yield Hostile(f"zip-{label}", "F2", data, _GOOD, _PT)


@hostile
def edges() -> Iterator[Hostile]:
    """F2, F1: bytes before, behind and inside the end of the zip."""
    parts = members()
    for label, data in {
        "suffix": zip_file(parts.values(), suffix=b"\0"),
        "suffix-of-a-second-end": _GOOD + _GOOD[-22:],
        "second-zip": _GOOD + torch_zip(None, {"0": _OTHER}),
        "comment": zip_file(parts.values(), comment=b"made with love"),
        "comment-with-an-end": zip_file(parts.values(), comment=_GOOD[-22:]),
        "comment-longer-than-the-file": zip_file(parts.values(), end={"comment": 500}),
        "record-comment": _changed("data/0", comment=b"psst"),
        "count-too-small": zip_file(parts.values(), end={"count": 1, "here": 1}),
        "count-too-large": zip_file(parts.values(), end={"count": 9, "here": 9}),
        "count-zero": zip_file(parts.values(), end={"count": 0, "here": 0}),
        "counts-differ": zip_file(parts.values(), end={"here": 1}),
        "second-disk": zip_file(parts.values(), end={"disk": 1}),
        "record-on-another-disk": zip_file(parts.values(), end={"start_disk": 1}),
        "directory-size": zip_file(parts.values(), end={"size": 1}),
        "directory-start": zip_file(parts.values(), end={"start": 0}),
        "directory-start-over-the-end": zip_file(parts.values(), end={"start": 1 << 31}),
        "no-end": _GOOD[:-22],
        "no-directory": _GOOD[: _GOOD.index(b"PK\x01\x02")] + b"PK\x05\x06" + bytes(18),
        "extra-64-bit-end": zip_file(parts.values(), before_end=b"PK\x06\x07" + bytes(16)),
        "wrong-64-bit-end": zip_file(
            parts.values(),
            before_end=struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 9, 9, 1, 1)
            + b"PK\x06\x07"
            + bytes(16),
        ),
    }.items():
        yield Hostile(f"zip-edge-{label}", "F2", data, _GOOD, _PT)
    # What stands before a zip decides what the file is.
    yield Hostile("zip-edge-prefix", "F1", b"\x01" + _GOOD, _GOOD, _PT)
    yield Hostile(
        "zip-edge-prefix-of-a-script", "F1", zip_file(parts.values(), prefix=b"#!/bin/sh\n"), _GOOD, _PT
    )


@hostile
def modes() -> Iterator[Hostile]:
    """F2: links, folders and devices."""
    for label, mode in {
        "link": 0o120777,
        "folder": 0o040755,
        "device": 0o060644,
        "pipe": 0o010644,
        "socket": 0o140755,
    }.items():
        data = _changed("version", external=mode << 16, made_by=3 << 8)
        yield Hostile(f"zip-{label}", "F2", data, _GOOD, _PT)
    yield Hostile("zip-dos-folder", "F2", _changed("version", external=0x10), _GOOD, _PT)


@hostile
def extra_fields() -> Iterator[Hostile]:
    """F2: fields beside the names, in which things can hide."""
    for label, extra in {
        "unknown": struct.pack("<2H", 0x1234, 4) + b"abcd",
        "cut-short": b"FB\xff\x00ab",
        "three-bytes": b"FB\x00",
        "unicode-path": struct.pack("<2HBL", 0x7075, 9, 1, 0) + b"evil",
        "64-bit-not-needed": struct.pack("<2H2Q", 1, 16, 1024, 1024),
        "64-bit-short": struct.pack("<2HQ", 1, 8, 1024),
        "encryption": struct.pack("<2HH2sBH", 0x9901, 7, 2, b"AE", 3, 0),
    }.items():
        yield Hostile(f"zip-extra-{label}", "F2", _changed("data/0", extra=extra), _GOOD, _PT)
    hidden = _changed("data/0", central={"extra": struct.pack("<2H", 0x1234, 4) + b"abcd"})
    yield Hostile("zip-extra-in-the-directory", "F2", hidden, _GOOD, _PT)
    lies = {"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}
    wrong = _changed("data/0", local=lies, extra=struct.pack("<2H2Q", 1, 16, 1 << 40, 1 << 40))
    right = _changed("data/0", local=lies, extra=struct.pack("<2H2Q", 1, 16, 1024, 1024))
    yield Hostile("zip-extra-64-bit-lies", "F2", wrong, right, _PT)


@hostile
def too_many() -> Iterator[Hostile]:
    """F2: more records than an embedding has, and more bytes than the file."""
    crowd = [Member(b"archive/data/%d" % number, b"") for number in range(1, 65)]
    yield Hostile("zip-68-records", "F2", _with(*crowd), _GOOD, _PT)
    thousands = [Member(b"archive/data/%d" % number, b"") for number in range(1, 20_000)]
    yield Hostile("zip-20000-records", "F2", _with(*thousands), _GOOD, _PT)


@hostile
def nested() -> Iterator[Hostile]:
    """F1, F2: an archive inside."""
    for label, inner in {
        "zip": _GOOD,
        "of-a-live-pickle": torch_zip(b"\x80\x02" + LIVE["exec"] + b"."),
    }.items():
        yield Hostile(f"zip-nested-{label}", "F1", torch_zip(None, {"0": NUMBERS, "1": inner}), _GOOD, _PT)


@hostile
def small_records() -> Iterator[Hostile]:
    """F2: the small records beside the tensors, grown."""
    for label, data in {
        "version-of-a-mebibyte": _changed("version", data=b"3" * (1 << 20)),
        "version-of-bytes": _changed("version", data=bytes(range(128, 160))),
        "version-a-pickle": _changed("version", data=b"\x80\x02" + LIVE["os-system"] + b"."),
    }.items():
        yield Hostile(f"zip-note-{label}", "F2", data, _GOOD, _PT)
