"""The container of PyTorch before 1.6: five pickles one after the other, then raw storages."""

import struct
from dataclasses import dataclass

from hub.formats.errors import FormatError
from hub.formats.names import shown
from hub.formats.rebuild import is_dict
from hub.formats.unpickle import Persistent, Unpickled, unpickle

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


@dataclass(frozen=True, slots=True)
class LegacyFile:
    """The object pickle, and the raw storages as (key, count, position of the numbers) in file order."""

    pickle: Unpickled
    keys: list[str]
    data: bytes
    end: int

    def storages(self, sizes: dict[str, tuple[int, int]]) -> dict[str, bytes]:
        """The numbers by key, given count and item size of each. FormatError (F4, F1) when they do not fit."""
        if len(set(self.keys)) != len(self.keys) or set(self.keys) != set(sizes):
            raise _refusal("The storages that follow are not those that the tensors name.")
        found, at = {}, self.end
        for key in self.keys:
            count, item = sizes[key]
            if self.data[at : at + 8] != struct.pack("<q", count):
                raise _refusal(f"The storage {key} has another length than its tensors say.", storage=key)
            at += 8
            found[key] = self.data[at : at + count * item]
            at += count * item
        if at > len(self.data):
            raise _refusal("The file ends inside its last storage.", needed=at, found=len(self.data))
        if at < len(self.data):
            message = f"{len(self.data) - at} bytes follow the last storage."
            raise FormatError("unsafe_file", message, rule="F1", detail={"at": at})
        return found


def read_torch_legacy(data: bytes, persistent: Persistent) -> LegacyFile:
    """The pickles of a legacy file. FormatError (F3, F4) for what PyTorch did not write."""
    magic = unpickle(data, alone=False)
    protocol = unpickle(data, magic.end, alone=False)
    system = unpickle(data, protocol.end, alone=False)
    if (magic.value, protocol.value) != (_MAGIC_NUMBER, _PROTOCOL) or not is_dict(system.value):
        raise _refusal("This is no PyTorch file of a known version.")
    if system.value.get("little_endian") is not True:
        raise _refusal("The numbers are not little-endian.")
    content = unpickle(data, system.end, persistent=persistent, alone=False)
    keys = unpickle(data, content.end, alone=False)
    if type(keys.value) is not list or not all(type(key) is str for key in keys.value):
        raise _refusal(f"The list of storages is none: {shown(type(keys.value).__name__)}.")
    return LegacyFile(content, keys.value, data, keys.end)


def _refusal(message: str, **detail: object) -> FormatError:
    return FormatError("unsafe_file", message, rule="F4", detail=detail)
