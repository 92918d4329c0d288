"""The word as each tool takes it, ready to copy (formats spec, section 4)."""

from hub.catalog.shapes import Usage
from hub.formats import FAMILIES, layouts_for
from hub.models import Embedding, Version

_WHERE = {
    "A1111": "embeddings/",
    "Forge": "embeddings/",
    "ComfyUI": "models/embeddings/",
    "InvokeAI": "Model Manager, or autoimport/embedding/",
    "SD.Next": "models/embeddings/",
}


def prompt(embedding: Embedding, word: str) -> str:
    """A prompt line for the kind of the embedding, with the word written as `word`."""
    if embedding.kind == "negative":
        return word
    if embedding.kind == "style":
        return f"a picture in the style of {word}"
    return f"a photo of {word}"


def lines(embedding: Embedding, version: Version) -> tuple[Usage, ...]:
    """One line for each tool that loads this family, diffusers first."""
    family = FAMILIES.get(version.family)
    if family is None:
        return ()
    names = dict(layouts_for(version.family, version.trigger))
    found = [_diffusers(embedding, version)] if "diffusers" in family.tools and "diffusers" in names else []
    for tool, where in _WHERE.items():
        if tool in family.tools:
            text = prompt(embedding, _word(tool, version.trigger))
            found.append(Usage(tool, names["canonical"], where, text))
    return tuple(found)


def _word(tool: str, trigger: str) -> str:
    if tool == "ComfyUI":
        return f"embedding:{trigger}"
    if tool == "InvokeAI":
        return f"<{trigger}>"
    return trigger


def _diffusers(embedding: Embedding, version: Version) -> Usage:
    """The calls that load it by name, one for each text encoder, and a prompt."""
    load = f'pipeline.load_textual_inversion("{embedding.full_name}", token="{version.trigger}"'
    calls = [load + ")"]
    if len(FAMILIES[version.family].slots) > 1:
        second = "text_encoder=pipeline.text_encoder_2, tokenizer=pipeline.tokenizer_2"
        calls.append(f'{load}, weight_name="learned_embeds_2.safetensors", {second})')
    place = "negative_prompt" if embedding.kind == "negative" else "prompt"
    text = "\n".join([*calls, f'pipeline({place}="{prompt(embedding, version.trigger)}")'])
    return Usage("diffusers", "learned_embeds.safetensors", "by name, with HF_ENDPOINT set to this hub", text)
