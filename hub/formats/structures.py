"""Objects as pickles and pictures hold them, unfolded into named tensors: dicts, lists of dicts, a bare tensor."""

from collections.abc import Iterator, Mapping

from hub.formats.contents import Contents
from hub.formats.data import Tensor
from hub.formats.errors import FormatError
from hub.formats.limits import MAX_NESTING
from hub.formats.names import check_name, shown

BARE = "tensor"
_PAIR = ("emb", "emb2")
_NOTES = ("sd_checkpoint", "sd_checkpoint_name")
_WRAPPERS = ("state_dict", "model_state_dict")
_MAX_TEXT = 1_000
_MAX_TENSORS = 10_000


def unfold(root: object) -> Contents:
    """What this object holds. FormatError (`not_an_embedding`, U6) when it is nothing that holds tensors."""
    if isinstance(root, Tensor):
        return _contents({BARE: root}, "bare")
    if isinstance(root, list):
        return _contents(_joined(root), "emb-list")
    if not isinstance(root, dict):
        raise _refusal(f"The file holds {_kind(root)}, not an embedding.")
    if "string_to_param" in root:
        return _words(root)
    if root and set(root) <= set(_PAIR):
        return _contents(_joined([root]), "emb-list")
    return _flat(root)


def _words(root: Mapping[str, object]) -> Contents:
    """The dict of the WebUI and of the paper: vectors under `string_to_param`, facts beside them."""
    words = root["string_to_param"]
    if not isinstance(words, dict) or not words:
        raise _refusal("string_to_param holds no vectors.")
    for word, tensor in words.items():
        if not isinstance(tensor, Tensor):
            raise _refusal(f"string_to_param holds {_kind(tensor)} for {shown(word)}, not vectors.")
    metadata = {key: value[:_MAX_TEXT] for key in _NOTES if isinstance(value := root.get(key), str) and value}
    name, step = root.get("name"), root.get("step")
    return _contents(
        words,
        "string_to_param",
        metadata=metadata,
        name=name[:_MAX_TEXT] if isinstance(name, str) and name else None,
        step=step if type(step) is int and 0 <= step < 10**9 else None,
    )


def _joined(parts: list[object]) -> dict[str, Tensor]:
    """One dict of `emb` and `emb2` for each vector, as one tensor for each of the two."""
    columns: dict[str, list[Tensor]] = {key: [] for key in _PAIR}
    for part in parts:
        if not isinstance(part, dict) or set(part) != set(_PAIR):
            raise _refusal("The file is a list, but not one of emb and emb2 for each vector.")
        for key in _PAIR:
            tensor = part[key]
            if not isinstance(tensor, Tensor) or tensor.vectors != 1 or not tensor.shape:
                raise _refusal(f"The file holds {_kind(tensor)} for {key}, not one vector.")
            columns[key].append(tensor)
    joined = {}
    for key, tensors in columns.items():
        if len({(tensor.dtype, tensor.width) for tensor in tensors}) != 1:
            raise _refusal(f"The vectors of {key} have different widths or dtypes, or there are none.")
        first = tensors[0]
        data = b"".join(tensor.data for tensor in tensors)
        joined[key] = Tensor(first.dtype, (len(tensors), first.width), data)
    return joined


def _flat(root: Mapping[str, object]) -> Contents:
    """A dict of tensors; what else lies in it is passed over if it is a mere fact, else shown as a name."""
    for key in _WRAPPERS:
        inner = root.get(key)
        if isinstance(inner, dict):
            root = inner
    tensors: dict[str, Tensor] = {}
    ignored: list[str] = []
    for count, (name, value) in enumerate(_walk(root)):
        if count >= _MAX_TENSORS:
            raise _refusal(f"The file holds over {_MAX_TENSORS} things; an embedding holds a few.")
        if isinstance(value, Tensor):
            tensors[name] = value
        elif isinstance(value, list) and any(isinstance(item, (Tensor, dict, list)) for item in value):
            raise _refusal(f"The file holds {_kind(value)} for {shown(name)}: no layout of an embedding.")
        elif not isinstance(value, dict):
            ignored.append(shown(name))
    if not tensors:
        raise _refusal("The file holds no tensors.")
    return _contents(tensors, None, ignored=tuple(ignored))


def _walk(root: Mapping[str, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """Every entry of a dict and of the dicts in it, under its full name. One dict may stand in many places."""
    for key, value in root.items():
        name = f"{prefix}.{key}" if prefix else key
        yield name, value
        if isinstance(value, dict) and depth < MAX_NESTING:
            yield from _walk(value, name[:_MAX_TEXT], depth + 1)


def _contents(
    tensors: Mapping[str, Tensor],
    layout: str | None,
    *,
    metadata: Mapping[str, str] | None = None,
    name: str | None = None,
    step: int | None = None,
    ignored: tuple[str, ...] = (),
) -> Contents:
    for key in tensors:
        check_name(key)

    def tensor(key: str) -> Tensor:
        return checked(key, tensors[key])

    return Contents(
        shapes={key: value.shape for key, value in tensors.items()},
        tensor=tensor,
        layout=layout,
        metadata=metadata or {},
        name=name,
        step=step,
        ignored=ignored,
    )


def checked(name: str, tensor: Tensor) -> Tensor:
    """The tensor itself. FormatError (F4, U6) when its rank, sizes or dtype are no embedding's."""
    if not 1 <= len(tensor.shape) <= 2:
        raise FormatError(
            "unsafe_file",
            f"The tensor {shown(name)} has shape {list(tensor.shape)}; an embedding has [width] or "
            "[vectors, width].",
            rule="F4",
            detail={"shape": list(tensor.shape)},
        )
    if 0 in tensor.shape or tensor.dtype == "I64":
        what = "holds whole numbers" if tensor.dtype == "I64" else "is empty"
        raise FormatError(
            "invalid_embedding",
            f"The tensor {shown(name)} {what}; an embedding holds F16, BF16, F32 or F64.",
            rule="U6",
            detail={"dtype": tensor.dtype, "shape": list(tensor.shape)},
        )
    return tensor


def _kind(value: object) -> str:
    kinds = {dict: "a dict", list: "a list", str: "text", bytes: "bytes", Tensor: "a tensor"}
    return kinds.get(type(value), "nothing" if value is None else "a number")


def _refusal(message: str) -> FormatError:
    return FormatError("not_an_embedding", message, rule="U6")
