"""The few calls that a pickled embedding makes, answered with inert records instead of being made.

Nothing here imports, looks up or runs what a name names: a `Global` is text that was found on the list.
"""

import math
from dataclasses import dataclass
from typing import TypeGuard

from hub.formats.errors import FormatError

_PARAMETERS = "torch.nn.modules.container ParameterDict"
_ORDERED = "collections OrderedDict"
_SETS = ("__builtin__ set", "builtins set")
_PARAMETER = "torch._utils _rebuild_parameter"
_TENSORS = {"torch._utils _rebuild_tensor": 4, "torch._utils _rebuild_tensor_v2": 6}
STORAGE_DTYPES = {
    "torch FloatStorage": "F32",
    "torch HalfStorage": "F16",
    "torch BFloat16Storage": "BF16",
    "torch DoubleStorage": "F64",
    "torch LongStorage": "I64",
}
ALLOWED_NAMES = frozenset([_PARAMETERS, _ORDERED, *_SETS, _PARAMETER, *_TENSORS, *STORAGE_DTYPES])
_MAX_RANK = 8
_MAX_SIZE = 1 << 31


@dataclass(frozen=True, slots=True)
class Global:
    """A name from the list, as `module name`."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A block of numbers elsewhere in the file: their dtype, their key, how many there are."""

    dtype: str
    key: str
    count: int


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A tensor: a row-major piece of a storage, known to lie inside it."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)


class Ordered(dict[str, object]):
    """What `OrderedDict()` stands for: a dict that may stand where hooks are expected."""


class EmptySet:
    """What `set([])` stands for."""


class Parameters:
    """What `ParameterDict()` stands for; its tensors once its state has been set."""

    def __init__(self) -> None:
        self.tensors: dict[str, object] | None = None


def call(function: object, arguments: object, at: int) -> object:
    """What REDUCE leaves behind. FormatError (F3, F4 for geometry) for any other call than the known ones."""
    if not isinstance(function, Global) or type(arguments) is not tuple:
        raise _refusal("calls something that is not a known function", at)
    name = function.name
    if name in _TENSORS:
        return _tensor(name, arguments, at)
    if name == _PARAMETER:
        return _parameter(arguments, at)
    if name == _ORDERED and arguments == ():
        return Ordered()
    if name in _SETS and len(arguments) == 1 and type(arguments[0]) is list and not arguments[0]:
        return EmptySet()
    raise _refusal(f"calls {_shown(name)} in a way that no embedding does", at, name=name)


def new(cls: object, arguments: object, at: int) -> Parameters:
    """What NEWOBJ leaves behind: only `ParameterDict()`."""
    if isinstance(cls, Global) and cls.name == _PARAMETERS and arguments == ():
        return Parameters()
    name = cls.name if isinstance(cls, Global) else "something that is no class"
    raise _refusal(f"makes an object of {_shown(name)}", at, name=name)


def build(instance: object, state: object, at: int) -> None:
    """Set the state of a ParameterDict, once; its tensors are all that is kept of it."""
    if not isinstance(instance, Parameters):
        raise _refusal("sets the state of something that is not a ParameterDict", at)
    tensors = state.get("_parameters") if is_dict(state) else None
    if instance.tensors is not None or not is_dict(tensors):
        raise _refusal("sets a state that no ParameterDict has", at)
    instance.tensors = tensors


def is_dict(value: object) -> TypeGuard[dict[str, object]]:
    """Whether this is a dict that the file itself made."""
    return type(value) in (dict, Ordered)


def _tensor(name: str, arguments: tuple[object, ...], at: int) -> View:
    if len(arguments) != _TENSORS[name]:
        raise _refusal(f"calls {_shown(name)} with {len(arguments)} arguments", at, name=name)
    storage, offset, shape, strides, *rest = arguments
    if rest and not (type(rest[0]) is bool and _no_hooks(rest[1])):
        raise _refusal(f"calls {_shown(name)} with hooks", at, name=name)
    if not isinstance(storage, Storage):
        raise _refusal(f"calls {_shown(name)} without a storage", at, name=name)
    if not _sizes(shape) or not _sizes(strides) or len(shape) != len(strides) or not _is_size(offset):
        raise _geometry("has a shape, strides or an offset that are no sizes", at)
    view = View(storage, offset, shape)
    if not _is_row_major(shape, strides):
        raise _geometry(f"is not row-major: shape {list(shape)}, strides {list(strides)}", at)
    if offset + view.count > storage.count:
        raise _geometry(
            f"needs {view.count} numbers from {offset} on; its storage has {storage.count}",
            at,
            needed=offset + view.count,
            found=storage.count,
        )
    return view


def _parameter(arguments: tuple[object, ...], at: int) -> View:
    if len(arguments) == 3:
        tensor, grad, hooks = arguments
        if isinstance(tensor, View) and type(grad) is bool and _no_hooks(hooks):
            return tensor
    raise _refusal(f"calls {_shown(_PARAMETER)} in a way that no embedding does", at, name=_PARAMETER)


def _no_hooks(value: object) -> bool:
    return isinstance(value, Ordered) and not value


def _is_size(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < _MAX_SIZE


def _sizes(value: object) -> TypeGuard[tuple[int, ...]]:
    return type(value) is tuple and len(value) <= _MAX_RANK and all(_is_size(item) for item in value)


def _is_row_major(shape: tuple[int, ...], strides: tuple[int, ...]) -> bool:
    expected = 1
    for size, stride in zip(reversed(shape), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= max(size, 1)
    return True


def _shown(name: str) -> str:
    return name.replace(" ", ".")


def _refusal(what: str, at: int, **detail: object) -> FormatError:
    return FormatError(
        "unsafe_file", f"The pickle {what} at byte {at}.", rule="F3", detail={"at": at, **detail}
    )


def _geometry(what: str, at: int, **detail: object) -> FormatError:
    return FormatError(
        "unsafe_file", f"The tensor at byte {at} {what}.", rule="F4", detail={"at": at, **detail}
    )
