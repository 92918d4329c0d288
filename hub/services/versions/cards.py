"""README.md of a commit: front matter that Hugging Face tools read, how to use the word, then the owner's text."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from hub.formats import FAMILIES
from hub.models import Embedding, Version
from hub.services.versions import front_matter

_FAMILY_TAGS = {
    "sd1": ["stable-diffusion"],
    "sd2": ["stable-diffusion"],
    "sdxl": ["stable-diffusion-xl"],
    "sd3": ["stable-diffusion-3"],
    "flux": ["flux"],
}


def metadata(embedding: Embedding, version: Version | None, tags: Sequence[str]) -> dict[str, Any]:
    """The front matter as plain data; keys of our own are under `glossa`.

    What the owner pushed stands behind what the hub knows: it adds names, and changes none.
    """
    facts: dict[str, Any] = {}
    family = version.family if version else ""
    said = front_matter.kept(embedding.said) if embedding.said else {}
    waiting = {name: said.pop(name, None) for name in front_matter.WAITING}
    if waiting["license"]:
        facts["license"] = waiting["license"]
    if version:
        facts["license"] = version.licence
        if version.base_model:
            facts["base_model"] = version.base_model.name
            facts["base_model_relation"] = "adapter"
        facts["instance_prompt"] = version.trigger
    facts["library_name"] = "diffusers"
    facts["pipeline_tag"] = "text-to-image"
    own = ["textual_inversion", "diffusers", "text-to-image", *_FAMILY_TAGS.get(family, [])]
    facts["tags"] = list(dict.fromkeys([*own, *tags]))
    facts["glossa"] = {"title": embedding.title, "kind": embedding.kind}
    if version:
        facts["glossa"] |= {
            "version": version.number,
            "trigger": version.trigger,
            "family": family,
            "vectors": version.vectors,
            "tensors": version.tensor_digest,
        }
    return facts | {name: value for name, value in said.items() if name not in facts}


def readme(embedding: Embedding, version: Version | None, tags: Sequence[str]) -> bytes:
    """The whole card, UTF-8; the same facts give the same bytes."""
    parts = ["---", *_yaml(metadata(embedding, version, tags)), "---", "", f"# {embedding.title}"]
    if embedding.summary:
        parts += ["", embedding.summary]
    if version:
        parts += ["", *_use(embedding, version)]
    if embedding.card:
        parts += ["", embedding.card]
    return ("\n".join(parts) + "\n").encode()


def own_tags() -> frozenset[str]:
    """Tags that the hub writes by itself, as slugs: a card that repeats them asks for nothing."""
    family = {tag for tags in _FAMILY_TAGS.values() for tag in tags}
    return frozenset({"textual-inversion", "diffusers", "text-to-image", *family})


# The lines of `_use`, as they come back in a card that was pulled, changed and pushed.
USE = re.compile(
    r"A textual inversion embedding for [^\n]+: `[^`\n]+`, [0-9]+ vectors? per token\.\n"
    r"Write the word in the (?:negative )?prompt; tools that read a folder of embeddings take it from the file's "
    r"name\.\n?(?:\n```python\npipeline\.load_textual_inversion\([^\n]*\)\n```\n?)?"
)


def _use(embedding: Embedding, version: Version) -> Iterable[str]:
    family = FAMILIES[version.family]
    count = "1 vector" if version.vectors == 1 else f"{version.vectors} vectors"
    place = "negative prompt" if embedding.kind == "negative" else "prompt"
    yield f"A textual inversion embedding for {family.title}: `{version.trigger}`, {count} per token."
    yield f"Write the word in the {place}; tools that read a folder of embeddings take it from the file's name."
    if "diffusers" in family.tools and len(family.slots) == 1:
        yield ""
        yield "```python"
        yield f'pipeline.load_textual_inversion("{embedding.full_name}", token="{version.trigger}")'
        yield "```"


def _yaml(facts: dict[str, Any], indent: str = "") -> Iterable[str]:
    """Block YAML with every text quoted the JSON way, which YAML reads alike."""
    for key, value in facts.items():
        if isinstance(value, dict) and key == "glossa":
            yield f"{indent}{key}:"
            yield from _yaml(value, indent + "  ")
        elif isinstance(value, list) and value:
            yield f"{indent}{key}:"
            yield from (f"{indent}- {_scalar(item)}" for item in value)
        else:
            yield f"{indent}{key}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
