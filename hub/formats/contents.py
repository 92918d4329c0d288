"""What a container holds, taken out of it but not yet understood: the common ground of all readers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from hub.formats.data import Tensor


@dataclass(frozen=True, slots=True)
class Contents:
    """Named tensors, and what the file says beside them.

    `shapes` names every tensor; `tensor` gives one, or a FormatError when its dtype or shape is no
    embedding's. `layout` is set when the structure told it; then the names are the words, in file order.
    `body` is all tensor bytes in file order where a file has such a thing. `name` is what the file calls
    itself, `ignored` what was passed over, `pickle_names` what a pickle named, `is_new_torch` whether its zip has
    records of recent PyTorch.
    """

    shapes: Mapping[str, tuple[int, ...]]
    tensor: Callable[[str], Tensor]
    layout: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    name: str | None = None
    step: int | None = None
    ignored: tuple[str, ...] = ()
    pickle_names: tuple[str, ...] = ()
    is_new_torch: bool = False
