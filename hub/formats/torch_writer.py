"""A .pt that A1111 and its relatives write and read: a zip of one pickle and one storage, made byte by byte.

Written without torch and without `pickle`: the few opcodes are spelled out here, so nothing but an embedding can
come of it. `torch.load(weights_only=True)` and A1111's own check accept it; the records that newer torch adds
(`.format_version`, `byteorder` …) make that check refuse a file, so they are not written. For files that people make
for themselves: no door serves a pickle.
"""

import struct
import zlib

from hub.formats.data import Tensor

_STORAGES = {"F32": "FloatStorage", "F16": "HalfStorage", "BF16": "BFloat16Storage", "F64": "DoubleStorage"}
_ROOT = "archive"
_ALIGNMENT = 64
_VERSION, _FIRST_DAY, _PRIVATE_FILE = 20, 1 << 5 | 1, 0o600


def write_torch(
    tensor: Tensor, *, name: str, step: int | None = None, checkpoint: str | None = None
) -> bytes:
    """The file of one tensor [vectors, width] as A1111 saves it after training; the same input is the same bytes.

    `checkpoint` is the name of the base model it was trained on, if it is known.
    """
    entries = (
        ("string_to_token", _dict((("*", _integer(265)),))),
        ("string_to_param", _dict((("*", _tensor(tensor)),))),
        ("name", _text(name)),
        ("step", _NONE if step is None else _integer(step)),
        ("sd_checkpoint", _NONE),
        ("sd_checkpoint_name", _NONE if checkpoint is None else _text(checkpoint)),
    )
    pickle = b"\x80\x02" + _dict(entries) + b"."
    return _zip({"data.pkl": pickle, "data/0": tensor.data, "version": b"3\n"})


# The opcodes of pickle's second protocol that an embedding needs; those of the reader's list and no others.
_NONE, _FALSE, _EMPTY_TUPLE, _MARK, _TUPLE, _REDUCE, _PERSISTENT_ID = (
    b"N",
    b"\x89",
    b")",
    b"(",
    b"t",
    b"R",
    b"Q",
)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-8", "replace")
    return b"X" + struct.pack("<I", len(encoded)) + encoded


def _integer(number: int) -> bytes:
    if 0 <= number < 1 << 8:
        return struct.pack("<cB", b"K", number)
    return struct.pack("<ci", b"J", number)


def _global(module: str, name: str) -> bytes:
    return f"c{module}\n{name}\n".encode("ascii")


def _tuple(*parts: bytes) -> bytes:
    return _MARK + b"".join(parts) + _TUPLE


def _dict(entries: tuple[tuple[str, bytes], ...]) -> bytes:
    return b"}" + _MARK + b"".join(_text(key) + value for key, value in entries) + b"u"


def _tensor(tensor: Tensor) -> bytes:
    """A call of torch's rebuilding function on the storage `0`, row-major, without gradient and hooks."""
    vectors, width = tensor.vectors, tensor.width
    storage = _tuple(
        _text("storage"),
        _global("torch", _STORAGES[tensor.dtype]),
        _text("0"),
        _text("cpu"),
        _integer(vectors * width),
    )
    arguments = _tuple(
        storage + _PERSISTENT_ID,
        _integer(0),
        _tuple(_integer(vectors), _integer(width)),
        _tuple(_integer(width), _integer(1)),
        _FALSE,
        _global("collections", "OrderedDict") + _EMPTY_TUPLE + _REDUCE,
    )
    return _global("torch._utils", "_rebuild_tensor_v2") + arguments + _REDUCE


def _zip(records: dict[str, bytes]) -> bytes:
    """Stored entries below one root, each beginning at a multiple of 64 bytes, without dates.

    Not by zipfile: it brings threads, and with them in memory the sandbox's template would fork far more slowly.
    """
    out, directory = bytearray(), bytearray()
    for name, data in records.items():
        full, start = f"{_ROOT}/{name}".encode("ascii"), len(out)
        padding = -(start + 30 + len(full) + 4) % _ALIGNMENT
        extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
        sizes = (_FIRST_DAY, zlib.crc32(data), len(data), len(data), len(full), len(extra))
        out += struct.pack("<4s5H3L2H", b"PK\3\4", _VERSION, 0, 0, 0, *sizes) + full + extra + data
        rest = (0, 0, 0, _PRIVATE_FILE << 16, start)
        directory += (
            struct.pack("<4s6H3L5H2L", b"PK\1\2", _VERSION, _VERSION, 0, 0, 0, *sizes, *rest) + full + extra
        )
    end = (0, 0, len(records), len(records), len(directory), len(out), 0)
    return bytes(out + directory + struct.pack("<4s4H2LH", b"PK\5\6", *end))
