"""Where each tool looks for embeddings, which of a version's files it loads, and under which name."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from hub.client.errors import local, usage
from hub.client.lockfile import LockedFile, Member

# A folder called so is taken for the place itself, whatever stands above it.
_PLACES: Final = frozenset({"embeddings", "embedding", "textualinversion", "textual_inversion"})
_CANONICAL: Final = (("canonical", "{trigger}.safetensors"),)


@dataclass(frozen=True)
class Tool:
    """A tool: the folder below its root, the layouts it takes, and where its root usually lies.

    Without an `id` it is no tool: a layout that somebody wants, whatever loads it.
    """

    id: str
    title: str
    folder: str
    layouts: tuple[tuple[str, str], ...] = _CANONICAL
    homes: tuple[str, ...] = ()
    after: str = ""


TOOLS: Final[Mapping[str, Tool]] = {
    tool.id: tool
    for tool in (
        Tool(
            "a1111", "A1111", "embeddings",
            homes=("stable-diffusion-webui", "sd-webui", "automatic1111"),
            after="Press Refresh in the tab Textual Inversion.",
        ),
        Tool(
            "forge", "Forge", "embeddings",
            homes=("stable-diffusion-webui-forge", "sd-webui-forge", "forge"),
            after="Press Refresh in the tab Textual Inversion.",
        ),
        Tool(
            "comfyui", "ComfyUI", "models/embeddings",
            homes=("ComfyUI", "comfy/ComfyUI", "Documents/ComfyUI"),
        ),
        Tool(
            "invokeai", "InvokeAI", "embeddings",
            homes=("invokeai", "InvokeAI"),
            after="Let the model manager scan this folder (Scan Folder, in place) when a word is new.",
        ),
        Tool("sdnext", "SD.Next", "models/embeddings", homes=("sdnext", "automatic", "vladmandic")),
        Tool(
            "diffusers", "diffusers", "",
            # Each file holds one tensor under the word itself, for one text encoder.
            layouts=(("diffusers", "{trigger}.safetensors"), ("diffusers-2", "{trigger}_2.safetensors")),
        ),
        Tool("sdcpp", "stable-diffusion.cpp", ""),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """A file of a member, and the name it has in the folder."""

    filename: str
    file: LockedFile
    member: Member


def tool_of(name: str | None) -> Tool | None:
    """The tool of that name; None where none was named."""
    if name is None:
        return None
    if name not in TOOLS:
        raise usage(f"There is no tool {name!r}; there are {', '.join(TOOLS)}.")
    return TOOLS[name]


def with_layout(tool: Tool | None, layout: str) -> Tool:
    """The tool, or none, but with files of this layout: each under the word, so that they lie beside each other."""
    from hub.formats import LAYOUTS

    name = LAYOUTS[layout].filename
    if "{trigger}" not in name:
        second = "_2" if layout.endswith("-2") else ""
        name = "{trigger}" + second + name[name.rindex(".") :]
    return replace(tool or Tool("", "", ""), layouts=((layout, name),))


def placed(member: Member, tool: Tool | None) -> list[Placed]:
    """The files of a member that this tool takes, by the names it wants; empty when it loads none of this family.

    The names are made of the trigger alone: what the hub says a file is called is not used.
    """
    from hub.formats import tools_for

    layouts = tool.layouts if tool else _CANONICAL
    found = []
    for layout, template in layouts:
        file = member.file(layout)
        is_loaded = tool is None or not tool.id or tool.title in tools_for(layout, member.family)
        if file is not None and is_loaded:
            found.append(Placed(template.format(trigger=member.trigger), file, member))
    return found


def place(tool: Tool | None, given: str | None, *, make: bool = True) -> Path:
    """The folder that files go into, made if it is missing.

    `given` is the tool's root, or its folder of embeddings itself; without it the usual places are looked at.
    """
    if tool is None or not tool.folder:
        folder = Path(given or ".")
    elif given is None:
        folder = _found(tool)
    else:
        root = Path(given).expanduser()
        folder = root if root.name.lower() in _PLACES else root / tool.folder
    return _made(folder) if make else folder


def _found(tool: Tool) -> Path:
    """The folder of embeddings of the one installation that can be seen from here."""
    here = Path.cwd()
    candidates = [here, *(base / home for home in tool.homes for base in (here, here.parent, Path.home()))]
    seen: list[Path] = []
    for root in candidates:
        inside = root / tool.folder
        # `embeddings` alone may be anybody's: the root has to carry the tool's name.
        known = root != here or here.name.lower() in {Path(home).name.lower() for home in tool.homes}
        if inside.is_dir() and known and inside.resolve() not in [one.resolve() for one in seen]:
            seen.append(inside)
    if len(seen) == 1:
        return seen[0]
    if not seen:
        message = f"No {tool.title} was found in the usual places. Say where it is: --dir PATH."
    else:
        message = f"There is more than one {tool.title}: {', '.join(map(str, seen))}. Say which: --dir PATH."
    raise local("no_folder", message)


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise local("no_folder", f"{folder}: {error.strerror}.") from None
    if not os.access(folder, os.W_OK):
        raise local("no_folder", f"Nothing can be written into {folder}.")
    return folder
