"""Which tool loads which file as it is: the table of the formats page, as data in one place.

Measured with the tools' own loaders on files of every layout; what the page says of a file follows from its
container, its suffix, its layout and the tensors stored in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from hub.formats.families import FAMILIES

YES, NO, PART = "yes", "no", "part"
TOOLS: Mapping[str, str] = {
    "a1111": "A1111",
    "forge": "Forge",
    "comfyui": "ComfyUI",
    "invokeai": "InvokeAI",
    "sdnext": "SD.Next",
    "diffusers": "diffusers",
    "sdcpp": "stable-diffusion.cpp",
    "kohya": "kohya scripts",
}
_PICKLES = ("torch-zip", "torch-legacy")
_CONVERT = "Take the canonical file instead."
_ONE_ENCODER = ("sd1", "sd2")


@dataclass(frozen=True, slots=True)
class Loading:
    """What a tool does with a file: `verdict` is `yes`, `no` or `part`, `note` why or what to do."""

    tool: str
    title: str
    verdict: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    """What decides, of a file."""

    layout: str
    container: str
    suffix: str
    family: str
    keys: frozenset[str]
    is_flat: bool
    is_new_torch: bool
    is_f32: bool
    is_paper: bool
    tokens: int

    @property
    def is_pickle(self) -> bool:
        return self.container in _PICKLES


def loads(facts: Mapping[str, Any], filename: str) -> list[Loading]:
    """What each tool does with this very file, in the order of TOOLS; `facts` are those of `inspect`.

    `stored` in the facts (dtype and shape of each tensor in the file by its name) makes the answer exact; without
    it the usual form of the layout is assumed.
    """
    if not facts.get("family"):
        return []
    file = _file(facts, filename)
    verdicts = _verdicts(file)
    answers = []
    for tool, title in TOOLS.items():
        verdict, note = verdicts.get(tool, (NO, ""))
        if verdict == NO and not note:
            note = _CONVERT if _loads_canonical(tool, file.family) else "It has no loader for this family."
        answers.append(Loading(tool, title, verdict, note))
    return answers


def prompt_word(tool: str, trigger: str) -> str:
    """The word as it is typed in a tool's prompt."""
    if tool == "comfyui":
        return f"embedding:{trigger}"
    return f"<{trigger}>" if tool == "invokeai" else trigger


def _file(facts: Mapping[str, Any], filename: str) -> _File:
    stored = facts.get("stored") or {}
    encoders = facts.get("encoders") or []
    suffix = PurePosixPath(filename.lower()).suffix
    return _File(
        layout=str(facts.get("layout")),
        container=str(facts.get("container")),
        suffix=suffix,
        family=str(facts.get("family")),
        keys=frozenset(stored),
        is_flat=bool(stored) and all(len(shape) == 1 for _dtype, shape in stored.values()),
        is_new_torch=bool(facts.get("is_new_torch")),
        is_f32=all(encoder["dtype"] == "F32" for encoder in encoders),
        is_paper=any("ParameterDict" in name for name in facts.get("pickle_names") or ()),
        tokens=max(1, len(facts.get("words") or ())),
    )


def _loads_canonical(tool: str, family: str) -> bool:
    """Whether the canonical file of this family loads in a tool."""
    if tool == "kohya":
        return family in (*_ONE_ENCODER, "sdxl")
    return TOOLS[tool] in FAMILIES[family].tools


def _verdicts(file: _File) -> dict[str, tuple[str, str]]:
    if file.container == "image":
        return dict.fromkeys(("a1111", "forge"), (YES, ""))
    rule = {
        "string_to_param": _webui,
        "token-tensor": _token_tensor,
        "emb_params": _emb_params,
        "emp_params": _emp_params,
        "slots": _slots,
        "lora-bundle": _bundle,
        "xti": _xti,
        "emb-list": lambda file: {
            "comfyui": (PART, "A list of single vectors loads, one dictionary does not.")
        },
        "bare": lambda file: {"diffusers": (PART, "With token= given.")},
    }.get(file.layout)
    return rule(file) if rule else {}


def _all(*tools: str) -> dict[str, tuple[str, str]]:
    return dict.fromkeys(tools, (YES, ""))


def _webui(file: _File) -> dict[str, tuple[str, str]]:
    """2.1 and 2.2."""
    if file.tokens > 1:
        first = (PART, "Only the first of its tokens.")
        return {"comfyui": first, "invokeai": first, "sdnext": first, "diffusers": first, "kohya": first}
    if file.is_paper:
        return {
            "comfyui": (PART, "By reading the raw archive; right for F32 values 768 wide."),
            "a1111": (NO, "Only with old versions of torch."),
        }
    found = _all("comfyui", "a1111", "forge", "invokeai", "diffusers", "sdcpp", "kohya", "sdnext")
    if file.suffix == ".bin":
        found["sdnext"] = (NO, "It does not list .bin files.")
        found["sdcpp"] = (NO, "It does not read .bin files.")
    if file.is_new_torch and file.container == "torch-zip":
        found["a1111"] = (NO, "Its safety check does not know the records that new torch writes.")
    return found


def _token_tensor(file: _File) -> dict[str, tuple[str, str]]:
    """2.3 and 2.4: one tensor under the token."""
    if file.family not in (*_ONE_ENCODER, "tiny"):
        half = (PART, "One encoder alone.")
        return {"diffusers": (YES, "With the other file, in two calls."), "comfyui": half, "sdcpp": half}
    found = _all("comfyui", "a1111", "forge", "diffusers", "sdcpp", "kohya", "sdnext", "invokeai")
    if file.is_pickle or file.suffix == ".bin":
        found["sdnext"] = (NO, "It lists such files only as safetensors.")
    if file.suffix == ".bin":
        found["sdcpp"] = (NO, "It does not read .bin files.")
    if not file.is_flat:
        found["invokeai"] = (NO, "It reads the number of vectors of such a tensor as the width.")
    if file.family == "tiny":
        return {"diffusers": (YES, "")}
    return found


def _emb_params(file: _File) -> dict[str, tuple[str, str]]:
    """2.5, and our canonical file of families with one encoder."""
    if file.family == "tiny":
        return {"diffusers": (YES, "")}
    found = _all("comfyui", "a1111", "forge", "invokeai", "diffusers", "kohya", "sdnext", "sdcpp")
    if file.is_pickle:
        found["sdnext"] = (NO, "It reads such pickles only in A1111's layout.")
    elif not file.is_f32:
        found["sdcpp"] = (NO, "It copies the bytes as if they were F32.")
    return found


def _emp_params(file: _File) -> dict[str, tuple[str, str]]:
    """2.9, OneTrainer."""
    found = _all("comfyui", "a1111", "forge", "sdnext", "diffusers", "sdcpp", "kohya")
    found["invokeai"] = (NO, "It knows such a tensor only by the name emb_params.")
    return found


def _slots(file: _File) -> dict[str, tuple[str, str]]:
    """2.6 to 2.8 and 2.10: one tensor for each text encoder."""
    if "text_encoders_0" in file.keys:
        return {
            "comfyui": (PART, "CLIP-L alone, with half the effect."),
            "sdnext": (YES, ""),
            "diffusers": (YES, "In two calls, with the tensors taken out of the file."),
            "sdcpp": (YES, ""),
        }
    two_calls = (YES, "In two calls, one for each text encoder.")
    if file.family == "sdxl":
        found = _all("comfyui", "a1111", "forge", "invokeai", "kohya", "sdnext", "sdcpp")
        found["diffusers"] = two_calls
        if file.is_pickle:
            found["sdnext"] = (NO, "It reads such pickles only in A1111's layout.")
            found["sdcpp"] = (PART, "By luck of the order.")
        elif not file.is_f32:
            found["sdcpp"] = (NO, "It copies the bytes as if they were F32.")
        return found
    if file.family == "flux":
        comfy = (
            (PART, "It looks for t5xxl, not t5: that half is ignored.") if "t5" in file.keys else (YES, "")
        )
        return {"comfyui": comfy, "diffusers": two_calls}
    if file.family == "sd3":
        comfy = (
            (PART, "It looks for t5xxl, not t5: that part is ignored.") if "t5" in file.keys else (YES, "")
        )
        return {"comfyui": comfy, "a1111": (PART, "The T5 part is ignored.")}
    if file.family in ("t5", "clip_g"):  # a single tensor may have any name
        return {"comfyui": (YES, "")}
    return {}


def _bundle(_file: _File) -> dict[str, tuple[str, str]]:
    """2.11, inside a LoRA."""
    return {
        "comfyui": (YES, "From the folder of embeddings; the LoRA beside it is another matter."),
        "a1111": (PART, "Through its LoRA loader."),
        "sdnext": (PART, "Through its LoRA loader."),
    }


def _xti(_file: _File) -> dict[str, tuple[str, str]]:
    """2.12, one set of vectors for each layer."""
    nowhere = (NO, "No generation tool loads one set of vectors for each layer.")
    return {
        **dict.fromkeys(TOOLS, nowhere),
        "comfyui": (PART, "The first layer only, which is not what it was made for."),
        "sdcpp": (PART, "The last layer only."),
    }
