"""F5: names that cannot be shown or stored, in every place where a stranger's name becomes that of a tensor."""

from collections.abc import Iterator
from typing import Any

from tests.hostile.assemble import dictionary, legacy_file, legacy_storage, pickle, tensor, torch_zip, word
from tests.hostile.pictures import carrying, root
from tests.hostile.sample import Hostile, hostile
from tests.samples import floats, packed, raw_file

_BODY = packed("F32", floats(256))
_ENTRY: dict[str, Any] = {"dtype": "F32", "shape": [2, 128], "data_offsets": [0, 1024]}
# What is refused, and beside it what is only strange: data, never a path.
NAMES = (
    ("empty", "", "a"),
    ("nul", "moss\0dragon", "moss dragon"),
    ("control", "moss\x1b[31m", "moss[31m"),
    ("newline", "moss\ndragon", "moss/../dragon"),
    ("carriage-return", "moss\r\nSet-Cookie: a=b", "Set-Cookie: a=b"),
    ("delete", "moss\x7f", "{{ 7*7 }}{% debug %}"),
    ("c1-control", "moss\x85dragon", "moss<script>alert(1)</script>"),
    ("bidi-override", "moss\u202edragon", "'; DROP TABLE files;--"),
    ("bidi-isolate", "moss\u2066dragon", "苔の龍"),
    ("bidi-mark", "moss\u200fdragon", "../../etc/passwd"),
    ("lone-surrogate", "moss\ud800", "moss🐉"),
    ("too-long", "x" * 201, "x" * 200),
    ("five-thousand", "x" * 5_000, "C:\\windows\\win.ini"),
)


@hostile
def of_safetensors() -> Iterator[Hostile]:
    """F5: keys of a safetensors header."""
    for label, name, control in NAMES:
        yield Hostile(
            f"name-{label}", "F5", raw_file({name: _ENTRY}, _BODY), raw_file({control: _ENTRY}, _BODY)
        )


@hostile
def of_pickles() -> Iterator[Hostile]:
    """F5: keys of a pickled dict, in both of PyTorch's containers, and words of the WebUI."""
    for label, name, control in NAMES:
        yield Hostile(
            f"pickled-name-{label}",
            "F5",
            torch_zip(word(key=name)),
            torch_zip(word(key=control)),
            "moss-dragon.bin",
        )
        files = [legacy_file(word(tensor(source=legacy_storage()), key=key)) for key in (name, control)]
        yield Hostile(f"legacy-name-{label}", "F5", *files, "moss-dragon.pt")
        words = [
            torch_zip(pickle(dictionary({"string_to_param": dictionary({key: tensor()})})))
            for key in (name, control)
        ]
        yield Hostile(f"word-{label}", "F5", *words, "moss-dragon.pt")


@hostile
def of_pictures() -> Iterator[Hostile]:
    """F5: words of an embedding in a picture."""
    for label, name, control in NAMES:
        rows = {"TORCHTENSOR": [floats(768)]}
        files = [carrying(root(string_to_param={key: rows})) for key in (name, control)]
        yield Hostile(f"image-word-{label}", "F5", *files, "moss-dragon.png")
