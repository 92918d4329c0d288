"""Ceilings on all that a stranger's file can make large. `Limits` holds the two that an operator may set."""

from dataclasses import dataclass

MIB = 1024 * 1024

MAX_HEADER_BYTES = 1 * MIB
MAX_ELEMENTS = 4_000_000
MAX_NAME_CHARS = 200
MAX_METADATA_KEYS = 256
MAX_METADATA_VALUE_BYTES = 64 * 1024
# A value this large cannot survive the trip to half precision, whose largest number is 65,504.
MAX_ABSOLUTE_VALUE = 6e4
MIN_STD, MAX_STD = 1e-6, 1e3
# A1111 and its relatives place prompts in chunks of this many tokens.
PROMPT_CHUNK = 75

# The reader of pickle data (F3): real embeddings need a few hundred opcodes and a dozen names.
MAX_OPCODES = 100_000
MAX_MEMO = 10_000
MAX_STACK = 1_000
MAX_NESTING = 100
MAX_STRING_BYTES = 1 * MIB
MAX_INT_BYTES = 16
MAX_ZIP_MEMBERS = 64
MAX_MEMBER_NAME_BYTES = 255
# Small records beside the tensors: version numbers, an id.
MAX_NOTE_BYTES = 64

# Pictures that carry an embedding (F6); previews and training sets have their own ceilings below.
MAX_CARRIER_PIXELS = 16_000_000
MAX_TEXT_CHUNKS = 64
MAX_CARRIED_BYTES = 8 * MIB
MAX_JSON_DEPTH = 16

MAX_PICTURE_BYTES = 20 * MIB
MAX_PICTURE_PIXELS = 40_000_000
MIN_PICTURE_SIDE, MAX_PICTURE_SIDE = 16, 16_384


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator may set: the size of an upload and the number of vectors of one embedding."""

    max_bytes: int = 16 * MIB
    max_vectors: int = 256


DEFAULT_LIMITS = Limits()
