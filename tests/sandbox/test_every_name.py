"""No callable of Python or of any installed package may be named by a pickle, the readers' own list excepted."""

import importlib
import re
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from hub.formats import FormatError
from hub.formats.rebuild import ALLOWED_NAMES
from hub.formats.unpickle import unpickle

# What stands at a module's left edge and can be fetched from it: functions, classes, and other names for them.
_DEFINED = re.compile(r"^(?:def|class|async def)\s+(\w+)|^(\w+)\s*=", re.MULTILINE)
_IMPORTED = re.compile(r"^from\s+\S+\s+import\s+\(?([\w\s,]+)", re.MULTILINE)
_FEWEST = 100_000


def of_files() -> Iterator[tuple[str, str]]:
    """Module and name, for every module of the standard library and of the installed packages, unloaded."""
    for key in ("stdlib", "purelib"):
        root = Path(sysconfig.get_path(key))
        for path in root.rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            if parts[0] in ("site-packages", "test") or "tests" in parts:
                continue
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8", "replace")
            for function, other in _DEFINED.findall(text):
                yield module, function or other
            for names in _IMPORTED.findall(text):
                for name in names.split(","):
                    yield module, name.split()[-1] if name.split() else ""


def of_builtins() -> Iterator[tuple[str, str]]:
    """The same for modules that are part of the interpreter, whatever they are called, and of old Pythons."""
    for module in sys.builtin_module_names:
        for name in dir(importlib.import_module(module)):
            yield module, name
            if module == "builtins":
                yield "__builtin__", name
                yield "__builtins__", name


def is_refused(data: bytes) -> bool:
    """Whether the machine stops at this name."""
    try:
        unpickle(data)
    except FormatError as error:
        return error.rule == "F3"
    return False


def test_every_callable_there_is_is_refused() -> None:
    names = {*of_files(), *of_builtins()}
    passed = {
        f"{module} {name}"
        for module, name in names
        if not is_refused(b"\x80\x02c" + f"{module}\n{name}\n".encode("utf-8", "replace") + b".")
    }
    assert len(names) > _FEWEST
    assert passed <= ALLOWED_NAMES
    assert {"collections OrderedDict", "builtins set", "torch._utils _rebuild_tensor_v2"} <= passed


def test_every_callable_of_the_standard_library_is_refused_from_the_stack_too() -> None:
    names = set(of_builtins())
    passed = set()
    for module, name in names:
        texts = b"".join(b"\x8c" + bytes([len(part)]) + part for part in (module.encode(), name.encode()))
        if not is_refused(b"\x80\x04" + texts + b"\x93."):
            passed.add(f"{module} {name}")
    assert passed <= ALLOWED_NAMES
