"""What a generated picture says of its own making: A1111's text, ComfyUI's graph, InvokeAI's record.

Only the text that the writer left beside the pixels is read (`picture_texts`); nothing is decoded. All of it is a
stranger's word: bounded, cleaned, and never used as a path or an address.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from hub.formats.picture_texts import texts_of

MAX_REFERENCES = 64
MAX_TEXT = 20_000
_MAX_NODES = 100_000
_MAX_SETTINGS = 60
_COMFY = re.compile(r"embedding:([^\s(),:;\"'{}\[\]]{1,200})")
_ANGLE = re.compile(r"<([A-Za-z0-9][A-Za-z0-9._ -]{0,99})>")
_HEX = re.compile(r"(?:0x)?([0-9a-fA-F]{4,64})")
_SUFFIXES = (".safetensors", ".pt", ".bin", ".png", ".webp")
_NEGATIVE = "Negative prompt:"
# How the settings of other writers are called in A1111's text, which people know best.
_INVOKE = {
    "steps": "Steps",
    "scheduler": "Sampler",
    "seed": "Seed",
    "cfg_scale": "CFG scale",
    "width": "Width",
    "height": "Height",
}
_COMFY_SETTINGS = {
    "steps": "Steps",
    "sampler_name": "Sampler",
    "scheduler": "Schedule type",
    "seed": "Seed",
    "noise_seed": "Seed",
    "cfg": "CFG scale",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """An embedding that a picture names. `digest` is the beginning of its file's SHA-256, or empty."""

    name: str
    digest: str
    where: str


@dataclass(slots=True)
class Generation:
    """How a picture was made, as far as it says; `settings` keeps the writer's order."""

    writer: str
    prompt: str = ""
    negative_prompt: str = ""
    settings: dict[str, str] = field(default_factory=dict)
    references: list[Reference] = field(default_factory=list)

    def refer(self, name: str, digest: str, where: str) -> None:
        """Keep a reference once; one with a digest takes the place of one without."""
        name = _name(name)
        if not name or len(self.references) >= MAX_REFERENCES:
            return
        for place, known in enumerate(self.references):
            if known.name.lower() == name.lower() and (not digest or not known.digest):
                if digest:
                    self.references[place] = Reference(name, digest, where)
                return
        self.references.append(Reference(name, digest, where))


def read_generation(data: bytes) -> Generation | None:
    """What a PNG, JPEG or WebP picture says of its making; None when it says nothing that is known here."""
    texts = texts_of(data)
    found = _a1111(texts) or _invoke(texts) or _comfy(texts)
    if found is not None:
        found.prompt, found.negative_prompt = _clean(found.prompt), _clean(found.negative_prompt)
        found.settings = {_clean(key, 80): _clean(value, 400) for key, value in found.settings.items()}
    return found


def read_descriptor(descriptor: int, *, max_bytes: int) -> tuple[dict[str, object], bytes]:
    """The sandbox child's reader: an open picture in, `{"generation": … or None}` out."""
    data = bytearray()
    while len(data) <= max_bytes and (block := os.read(descriptor, 1 << 20)):
        data += block
    found = read_generation(bytes(data[:max_bytes]))
    return {"generation": asdict(found) if found else None}, b""


def generation_of(said: Mapping[str, Any] | None) -> Generation | None:
    """A Generation from the child's answer, every field held to its type again."""
    if not isinstance(said, Mapping):
        return None
    generation = Generation(
        _clean(str(said.get("writer", "")), 40),
        _clean(str(said.get("prompt", ""))),
        _clean(str(said.get("negative_prompt", ""))),
    )
    settings = said.get("settings")
    if isinstance(settings, dict):
        pairs = list(settings.items())[:_MAX_SETTINGS]
        generation.settings = {_clean(str(key), 80): _clean(str(value), 400) for key, value in pairs}
    references = said.get("references")
    for row in references if isinstance(references, list) else []:
        if isinstance(row, dict):
            digest = _digest(str(row.get("digest", "")))
            generation.refer(str(row.get("name", "")), digest, _clean(str(row.get("where", "")), 40))
    return generation


def _a1111(texts: Mapping[str, str]) -> Generation | None:
    """`parameters`: the prompt, `Negative prompt: …`, and a last line of `Key: value` pairs."""
    text = texts.get("parameters") or texts.get("UserComment") or ""
    text = text[:200_000]
    lines = text.strip().split("\n")
    settings = dict(_pairs(lines[-1][:32_000])) if lines else {}
    if "Steps" not in settings:
        return None
    positive, _, negative = "\n".join(lines[:-1]).partition(_NEGATIVE)
    found = Generation("A1111", positive.strip(), negative.strip())
    hashes = settings.pop("Hashes", "")
    ti_hashes = settings.pop("TI hashes", "")
    used = settings.pop("Used embeddings", "")
    for part in ti_hashes.split(","):
        name, _, digest = part.rpartition(":")
        found.refer(name, _digest(digest), "TI hashes")
    for key, digest in _json_pairs(hashes):
        if key.startswith("embed:"):
            found.refer(key.removeprefix("embed:"), _digest(digest), "Hashes")
    for part in used.split(","):
        # The number in brackets is a checksum of old versions over the values, no digest of a file.
        found.refer(part.split("[")[0], "", "Used embeddings")
    for text_part in (positive, negative):
        for name in _COMFY.findall(text_part):
            found.refer(name, "", "prompt")
    found.settings = dict(list(settings.items())[:_MAX_SETTINGS])
    return found


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    """`Key: value, Key: "quoted, value", Key: {…}` as pairs."""
    at = 0
    while at < len(line):
        colon = line.find(":", at)
        if colon < 0:
            return
        key = line[at:colon].strip()
        start = colon + 1
        while start < len(line) and line[start] == " ":
            start += 1
        end = _value_end(line, start)
        value = line[start:end].strip()
        if value[:1] == '"' and value[-1:] == '"' and len(value) > 1:
            value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
        yield key, value
        at = end + 1


def _value_end(line: str, start: int) -> int:
    """Where a value ends: the comma outside quotes and braces."""
    quoted, depth, at = False, 0, start
    while at < len(line):
        char = line[at]
        if char == "\\" and quoted:
            at += 1
        elif char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char == "{") - (char == "}")
            if char == "," and depth <= 0:
                break
        at += 1
    return min(at, len(line))


def _invoke(texts: Mapping[str, str]) -> Generation | None:
    """`invokeai_metadata`, or `sd-metadata` of its first years."""
    said = _object(texts.get("invokeai_metadata", ""))
    if not said:
        old = _object(texts.get("sd-metadata", ""))
        image = old.get("image")
        if not isinstance(image, dict):
            return None
        said = {**image, "scheduler": image.get("sampler")}
        prompt = image.get("prompt")
        if isinstance(prompt, list) and prompt and isinstance(prompt[0], dict):
            prompt = prompt[0].get("prompt")
        said["positive_prompt"] = prompt
    found = Generation("InvokeAI", _text(said.get("positive_prompt")), _text(said.get("negative_prompt")))
    for key, title in _INVOKE.items():
        if isinstance(said.get(key), str | int | float):
            found.settings[title] = str(said[key])
    model = said.get("model")
    if isinstance(model, dict):
        found.settings["Model"] = _text(model.get("name") or model.get("model_name"))
    for where, text in (("prompt", found.prompt), ("negative prompt", found.negative_prompt)):
        for name in _ANGLE.findall(text):
            found.refer(name, "", where)
    return found


def _comfy(texts: Mapping[str, str]) -> Generation | None:
    """`prompt`, the graph that ran; `workflow`, the graph as drawn, says which embeddings where the first is gone."""
    graph, workflow = _object(texts.get("prompt", "")), _object(texts.get("workflow", ""))
    if not graph and not workflow:
        return None
    found = Generation("ComfyUI")
    for node in graph.values():
        inputs = node.get("inputs") if isinstance(node, dict) else None
        if isinstance(inputs, dict) and "KSampler" in str(node.get("class_type", "")):
            for key, title in _COMFY_SETTINGS.items():
                if isinstance(inputs.get(key), str | int | float):
                    found.settings.setdefault(title, str(inputs[key]))
            found.prompt = found.prompt or _linked_text(graph, inputs.get("positive"))
            found.negative_prompt = found.negative_prompt or _linked_text(graph, inputs.get("negative"))
    for where, tree in (("graph", graph), ("workflow", workflow)):
        for text in _strings(tree):
            for name in _COMFY.findall(text):
                found.refer(name, "", where)
    return found


def _linked_text(graph: Mapping[str, Any], link: object) -> str:
    """The text of the node that an input is linked to, at most a few nodes away."""
    for _ in range(6):
        if not (isinstance(link, list) and link and isinstance(link[0], str)):
            return ""
        node = graph.get(link[0])
        inputs = node.get("inputs") if isinstance(node, dict) else None
        if not isinstance(inputs, dict):
            return ""
        if isinstance(inputs.get("text"), str):
            return str(inputs["text"])
        link = inputs.get("text") or inputs.get("conditioning") or inputs.get("conditioning_1")
    return ""


def _strings(tree: object) -> Iterator[str]:
    """All strings in a JSON value, without recursion."""
    stack, seen = [tree], 0
    while stack and seen < _MAX_NODES:
        value = stack.pop()
        seen += 1
        if isinstance(value, str):
            yield value[:MAX_TEXT]
        elif isinstance(value, dict):
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def _json_pairs(text: str) -> list[tuple[str, str]]:
    return [(str(key), str(value)) for key, value in _object(text).items()]


def _object(text: str) -> dict[str, Any]:
    """The JSON object in this text, empty for anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _digest(text: str) -> str:
    match = _HEX.fullmatch(text.strip())
    return match[1].lower() if match else ""


def _name(text: str) -> str:
    """The stem that the file had: no folders, no suffix."""
    name = _clean(text, 200).replace("\\", "/").rsplit("/", 1)[-1].strip()
    for suffix in _SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return name


def _clean(text: str, most: int = MAX_TEXT) -> str:
    """Text without control characters and broken surrogates."""
    return "".join(
        char
        if char in "\t\n" or not (char < " " or "\x7f" <= char < "\xa0" or "\ud800" <= char < "\ue000")
        else "\ufffd"
        for char in text[:most]
    )
