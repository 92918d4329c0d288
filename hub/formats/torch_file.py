"""PyTorch's two containers: pickle data as inert records first, then tensors cut out of the checked storages."""

import re
from dataclasses import replace

from hub.formats.contents import Contents
from hub.formats.data import Tensor
from hub.formats.errors import FormatError
from hub.formats.limits import MAX_ELEMENTS, MAX_NESTING
from hub.formats.rebuild import STORAGE_DTYPES, EmptySet, Global, Parameters, Storage, View, is_dict
from hub.formats.structures import unfold
from hub.formats.torch_legacy import read_torch_legacy
from hub.formats.torch_zip import read_torch_zip
from hub.formats.unpickle import unpickle
from hub.formats.values import ITEM_SIZE

_ITEM_SIZE = {**ITEM_SIZE, "I64": 8}
_KEY = re.compile("[0-9]{1,20}")
_MODULE = "torch.nn.modules.container ParameterDict"


def read_torch(data: bytes, container: str) -> Contents:
    """What a `torch-zip` or `torch-legacy` file holds. FormatError (F1 to F4) for what this reading forbids."""
    storages = _Storages(legacy=container == "torch-legacy")
    is_new = False
    if storages.legacy:
        file = read_torch_legacy(data, storages.persistent)
        pickle, numbers = file.pickle, file.storages(storages.sizes())
    else:
        records = read_torch_zip(data)
        numbers, is_new = records.storages, ".format_version" in records.notes
        pickle = unpickle(records.pickle, persistent=storages.persistent)
    storages.check(numbers)
    contents = unfold(_Tree(numbers).resolved(pickle.value))
    if set(numbers) != set(storages.known):
        raise _refusal("The file holds storages that no tensor names.", found=sorted(numbers)[:5])
    return replace(contents, pickle_names=pickle.names, is_new_torch=is_new)


class _Storages:
    """The storages that a pickle refers to, each with one dtype and one length."""

    def __init__(self, *, legacy: bool) -> None:
        self.legacy = legacy
        self.known: dict[str, Storage] = {}
        self.total = 0

    def persistent(self, value: object, at: int) -> object:
        """The record that a persistent id stands for."""
        if type(value) is not tuple or not value:
            raise _refusal("A reference to data outside the pickle is not known.", at=at)
        if self.legacy and value[0] == "module" and len(value) == 4 and isinstance(value[1], Global):
            if value[1].name != _MODULE:
                raise _refusal("The pickle holds a module that no embedding has.", at=at)
            return value[1]  # the source path and text beside it are the author's own and not looked at
        return self._storage(value, at)

    def _storage(self, value: tuple[object, ...], at: int) -> Storage:
        if len(value) != 5 + self.legacy or value[0] != "storage" or value[5:] not in ((), (None,)):
            raise _refusal("A storage is referred to in a way that PyTorch does not write.", at=at)
        _, cls, key, location, count = value[:5]
        dtype = STORAGE_DTYPES.get(cls.name) if isinstance(cls, Global) else None
        if dtype is None or type(key) is not str or not _KEY.fullmatch(key) or type(location) is not str:
            raise _refusal("A storage has no known type, or no number for a name.", at=at)
        if type(count) is not int or not 0 <= count <= MAX_ELEMENTS:
            raise _refusal(f"A storage claims a length over {MAX_ELEMENTS}, or none.", at=at)
        storage = Storage(dtype, key, count)
        if key not in self.known:
            self.known[key] = storage
            self.total += count
        if self.known[key] != storage:
            raise _refusal(f"The storage {key} is said to be two different things.", at=at, storage=key)
        if self.total > MAX_ELEMENTS:
            raise _refusal(f"The tensors have over {MAX_ELEMENTS} numbers.", at=at, numbers=self.total)
        return storage

    def sizes(self) -> dict[str, tuple[int, int]]:
        """Count and item size by key."""
        return {key: (storage.count, _ITEM_SIZE[storage.dtype]) for key, storage in self.known.items()}

    def check(self, numbers: dict[str, bytes]) -> None:
        """FormatError unless every storage that is named is there, and as long as it has to be."""
        missing = sorted(set(self.known) - set(numbers))
        if missing:
            raise _refusal(f"The storage {missing[0]} is named but not in the file.", missing=missing[:5])
        for key, (count, item) in self.sizes().items():
            if len(numbers[key]) != count * item:
                raise _refusal(
                    f"The storage {key} has {len(numbers[key])} bytes; {count * item} are needed.",
                    needed=count * item,
                    found=len(numbers[key]),
                )


class _Tree:
    """A pickle's records turned into plain data and tensors; what appears twice is turned once."""

    def __init__(self, numbers: dict[str, bytes]) -> None:
        self.numbers = numbers
        self.done: dict[int, object] = {}
        self.open: set[int] = set()
        self.spans: dict[str, list[tuple[int, int]]] = {}

    def resolved(self, value: object, depth: int = 0) -> object:
        """The data that a record stands for. FormatError (F3, F4) for cycles, depth, overlaps, mere names."""
        if value is None or isinstance(value, (bool, int, float, str, bytes)):
            return value
        if id(value) in self.done:
            return self.done[id(value)]
        if id(value) in self.open or depth >= MAX_NESTING:
            raise _refusal(f"The data contain themselves, or nest over {MAX_NESTING} deep.", rule="F3")
        self.open.add(id(value))
        result = self._resolved(value, depth + 1)
        self.open.discard(id(value))
        self.done[id(value)] = result
        return result

    def _resolved(self, value: object, depth: int) -> object:
        if isinstance(value, View):
            return self._tensor(value)
        if isinstance(value, Parameters) and value.tensors is not None:
            return self.resolved(value.tensors, depth)
        if is_dict(value):
            return {key: self.resolved(item, depth) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.resolved(item, depth) for item in value]
        if isinstance(value, EmptySet):
            return []
        raise _refusal("The data hold a bare name, type or storage where a value belongs.", rule="F3")

    def _tensor(self, view: View) -> Tensor:
        item = _ITEM_SIZE[view.storage.dtype]
        start, end = view.offset, view.offset + view.count
        spans = self.spans.setdefault(view.storage.key, [])
        if any(start < other_end and other_start < end for other_start, other_end in spans):
            raise _refusal("Two tensors share the same numbers.", storage=view.storage.key)
        spans.append((start, end))
        numbers = self.numbers[view.storage.key]
        return Tensor(view.storage.dtype, view.shape, numbers[start * item : end * item])


def _refusal(message: str, *, rule: str = "F4", **detail: object) -> FormatError:
    return FormatError("unsafe_file", message, rule=rule, detail=detail)
