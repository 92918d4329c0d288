"""What a file turns into: tensors as plain bytes, and an embedding with the facts read beside them.

A `Tensor` of an embedding is always F32, little-endian and row-major, so equal values are equal bytes
whatever file they came from.
"""

from dataclasses import dataclass, field

from hub.formats.families import FAMILIES


@dataclass(frozen=True, slots=True)
class Tensor:
    """A dtype id of the safetensors format, a shape, and the bytes."""

    dtype: str
    shape: tuple[int, ...]
    data: bytes

    @property
    def vectors(self) -> int:
        """How many rows: a one-dimensional tensor is a single vector."""
        return self.shape[0] if len(self.shape) > 1 else 1

    @property
    def width(self) -> int:
        """The length of one row."""
        return self.shape[-1]


@dataclass(frozen=True, slots=True)
class EncoderFacts:
    """What the file holds for one text encoder; `dtype` is the one stored in the file."""

    name: str
    vectors: int
    width: int
    dtype: str


@dataclass(frozen=True)
class EmbeddingData:
    """One embedding as read from a file.

    `tensors` maps the canonical slot names to F32 tensors in canonical order; `source_dtypes` keeps the dtype
    each slot had in the file and `stored` the dtype and shape of each tensor taken from it. `token`, `name` and
    `step` are what the file says of itself, `trigger` is the legal word suggested from it, `question` is set
    when a person has to say which base model it is for. `words` are all that a file of several holds,
    `pickle_names` the names that a pickle used; `is_new_torch` says that its zip has records which old safety
    checks do not know.
    """

    tensors: dict[str, Tensor]
    family: str
    layout: str
    container: str
    token: str | None = None
    trigger: str = ""
    step: int | None = None
    source_dtypes: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    question: str | None = None
    name: str | None = None
    words: tuple[str, ...] = ()
    stored: dict[str, tuple[str, tuple[int, ...]]] = field(default_factory=dict)
    pickle_names: tuple[str, ...] = ()
    is_new_torch: bool = False

    @property
    def vectors(self) -> int:
        """Vectors per token, as the first encoder has them."""
        return next(iter(self.tensors.values())).vectors

    @property
    def encoders(self) -> list[EncoderFacts]:
        """The text encoders that this embedding speaks to, in canonical order."""
        names = {encoder.slot: encoder.name for encoder in FAMILIES[self.family].encoders}
        return [
            EncoderFacts(
                names[slot],
                tensor.vectors,
                tensor.width,
                self.source_dtypes.get(slot, tensor.dtype),
            )
            for slot, tensor in self.tensors.items()
        ]
