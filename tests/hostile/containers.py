"""F1: files that are no container of an embedding, however they are called."""

import io
import lzma
import zlib
from collections.abc import Iterator

from tests.hostile.assemble import pickle, text, torch_zip, word
from tests.hostile.pickle_names import LIVE
from tests.hostile.sample import Hostile, hostile
from tests.samples import embedding_file, picture

_GOOD = embedding_file()


@hostile
def nothing_known() -> Iterator[Hostile]:
    """F1: not a file of any kind that is read here."""
    for name, data in {
        "empty": b"",
        "one-byte": b"\x80",
        "zeros": bytes(4096),
        "empty-zip": b"PK\x05\x06" + bytes(18),
        "pickle": b"\x80\x04K\x01.",
        "pickle-of-protocol-0": b"(dp0\nS'emb_params'\np1\nI1\ns.",
        "pickle-of-protocol-5": b"\x80\x05" + text("moss") + b".",
        "jpeg": picture("JPEG"),
        "gif": picture("GIF"),
        "tiff": picture("TIFF"),
        "bmp": picture("BMP"),
        "gguf": b"GGUF\x03\x00\x00\x00" + bytes(40),
        "hdf5": b"\x89HDF\r\n\x1a\n" + bytes(64),
        "tensorflow": b"\x0a\x0bsaved_model\x12\x04" + bytes(range(1, 32)),
        "onnx": b"\x08\x07\x12\x07pytorch\x1a\x052.0.0" + bytes(40),
        "program": b"\x7fELF\x02\x01\x01" + bytes(60),
        "windows-program": b"MZ\x90\x00" + bytes(60),
        "python": b"#!/usr/bin/env python3\nimport os; os.system('id')\n",
        "python-bytecode": b"\xa7\x0d\x0d\x0a" + bytes(12) + b"\xe3" + bytes(20),
        "pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
        "text": b"just some words, saved under the wrong name",
        "json": b'{"error": "not found"}',
        "json-embedding": b'{"string_to_param": {"*": {"TORCHTENSOR": [[0.1, 0.2]]}}}',
        "yaml": b"emb_params: !!python/object/apply:os.system [id]\n",
        "noise": bytes(range(255, 100, -1)),
    }.items():
        yield Hostile(f"no-container-{name}", "F1", data, _GOOD)


@hostile
def broken_downloads() -> Iterator[Hostile]:
    """F1: what people upload when a download went wrong."""
    for name, data in {
        "lfs-pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n",
        "page": b"\n<!DOCTYPE html><title>Sign in</title>",
        "page-with-mark": b"\xef\xbb\xbf<html><body onload=alert(1)>",
        "page-of-an-old-kind": b"<HTML><HEAD><TITLE>403</TITLE>",
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        "xml": b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
        "magnet": b"magnet:?xt=urn:btih:0000000000000000000000000000000000000000",
        "shortcut": b"[InternetShortcut]\r\nURL=https://example.org/\r\n",
    }.items():
        yield Hostile(f"download-{name}", "F1", data, _GOOD)


@hostile
def archives() -> Iterator[Hostile]:
    """F1: archives, with a sound embedding in them where that is easily made."""
    packer = zlib.compressobj(wbits=31)
    for name, data in {
        "gzip": packer.compress(_GOOD) + packer.flush(),
        "xz": lzma.compress(_GOOD, check=lzma.CHECK_CRC32),
        "bzip2": b"BZh91AY&SY" + bytes(40),
        "7z": b"7z\xbc\xaf\x27\x1c" + bytes(40),
        "rar": b"Rar!\x1a\x07\x01\x00" + bytes(40),
        "zstd": b"\x28\xb5\x2f\xfd" + bytes(40),
        "tar": tar("emb_params", _GOOD),
        "tar-of-torch": tar("pickle", word()) + tar("storages", b"\x80\x02K\x00."),
    }.items():
        yield Hostile(f"archive-{name}", "F1", data, _GOOD)


@hostile
def numpy_files() -> Iterator[Hostile]:
    """F1: NumPy's files, whose object arrays are pickles that run."""
    for name, payload in LIVE.items():
        header = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }".ljust(117) + b"\n"
        data = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + pickle(payload)
        yield Hostile(f"numpy-{name}", "F1", data, _GOOD)
    plain = io.BytesIO()
    plain.write(
        b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 128), }".ljust(117)
    )
    yield Hostile("numpy-numbers", "F1", plain.getvalue() + b"\n" + bytes(1024), _GOOD)
    npz = torch_zip().replace(b"archive/data.pkl", b"archive/x_1.npy\0"[:16])
    yield Hostile("numpy-archive", "F2", npz, torch_zip(), "moss-dragon.pt")


@hostile
def bare_live_pickles() -> Iterator[Hostile]:
    """F1: pickles outside any container, each of which runs something when it is unpickled."""
    for name, payload in LIVE.items():
        for protocol in (0, 2, 4, 5):
            data = pickle(payload, protocol=protocol) if protocol else payload + b"."
            yield Hostile(f"bare-{name}-protocol-{protocol}", "F1", data, _GOOD, "moss-dragon.pt")


def tar(name: str, data: bytes) -> bytes:
    """A tar archive of one file."""
    head = name.encode().ljust(100, b"\0") + b"0000644\0" + b"0000000\0" * 2
    head += f"{len(data):011o}\0".encode() + b"00000000000\0" + b" " * 8 + b"0" + bytes(100) + b"ustar\x0000"
    head = head.ljust(512, b"\0")
    head = head[:148] + f"{sum(head):06o}\0 ".encode() + head[156:]
    return head + data.ljust(-(-len(data) // 512) * 512, b"\0") + bytes(1024)
