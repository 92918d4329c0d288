"""How to use an embedding in each tool that loads it: which file, where it goes, and lines that can be copied."""

from dataclasses import dataclass
from typing import Final

from hub import formats
from hub.models.registry import Kind

_PIPELINES: Final = {
    "tiny": "StableDiffusionPipeline",
    "sd1": "StableDiffusionPipeline",
    "sd2": "StableDiffusionPipeline",
    "sdxl": "StableDiffusionXLPipeline",
    "flux": "FluxPipeline",
}
_TWO_ENCODERS: Final = frozenset({"sdxl", "flux"})
_EXAMPLES: Final = {
    Kind.STYLE.value: "a picture in the style of {}",
    Kind.OBJECT.value: "a photo of a {}",
    Kind.SUBJECT.value: "a photo of {}",
    Kind.NEGATIVE.value: "{}",
}


@dataclass(frozen=True)
class Usage:
    """One tab: the tool, what to do first, the prompt line, code if the tool is a library."""

    id: str
    title: str
    place: str
    prompt: str = ""
    code: str = ""
    note: str = ""


@dataclass(frozen=True)
class Subject:
    """What is to be used: names, family, kind, the address of the hub."""

    owner: str
    name: str
    trigger: str
    family: str
    kind: str
    revision: str
    hub: str
    is_private: bool = False
    example: str = ""

    @property
    def is_negative(self) -> bool:
        """Whether the word belongs into the negative prompt."""
        return self.kind == Kind.NEGATIVE.value

    def prompt(self, word: str) -> str:
        """A prompt line with the word written the tool's way."""
        if self.example and self.trigger in self.example:
            return self.example.replace(self.trigger, word)
        return _EXAMPLES[self.kind].format(word)

    def example_of(self, prompt: str) -> "Subject":
        """The same, with a prompt that is known to work on its base."""
        return Subject(**{**self.__dict__, "example": prompt})


def usages(subject: Subject) -> list[Usage]:
    """A tab for each tool that loads this family, and one for plain HTTP."""
    known = formats.FAMILIES.get(subject.family)
    tools = known.tools if known else ()
    tabs = [_diffusers(subject)] if "diffusers" in tools and subject.family in _PIPELINES else []
    if "A1111" in tools or "Forge" in tools:
        tabs.append(_webui(subject, [tool for tool in ("A1111", "Forge") if tool in tools]))
    if "ComfyUI" in tools:
        tabs.append(_comfy(subject))
    if "InvokeAI" in tools:
        tabs.append(_invoke(subject))
    if "SD.Next" in tools:
        tabs.append(_sdnext(subject))
    if "stable-diffusion.cpp" in tools:
        tabs.append(_sdcpp(subject))
    if formats.tools_for("onetrainer", subject.family):
        tabs.append(_onetrainer(subject))
    return [*tabs, _terminal(subject)]


def _where(subject: Subject) -> str:
    return "in the negative prompt" if subject.is_negative else "in the prompt"


def _diffusers(subject: Subject) -> Usage:
    pipeline = _PIPELINES[subject.family]
    repository = f'"{subject.owner}/{subject.name}"'
    revision = f'revision="{subject.revision}"'
    if subject.family in _TWO_ENCODERS:
        token = f'token="{subject.trigger}"'
        loading = (
            f"pipe.load_textual_inversion({repository}, {revision}, {token},\n"
            "                            text_encoder=pipe.text_encoder, tokenizer=pipe.tokenizer)\n"
            f'pipe.load_textual_inversion({repository}, {revision}, weight_name="learned_embeds_2.safetensors",\n'
            f"                            {token},\n"
            "                            text_encoder=pipe.text_encoder_2, tokenizer=pipe.tokenizer_2)"
        )
    else:
        loading = f"pipe.load_textual_inversion({repository}, {revision})"
    if subject.is_negative:
        call = f'"a photo of a house by a lake", negative_prompt="{subject.prompt(subject.trigger)}"'
    else:
        call = f'"{subject.prompt(subject.trigger)}"'
    token_line = (
        'os.environ["HF_TOKEN"] = "…"  # an access token with the scope read\n' if subject.is_private else ""
    )
    code = (
        "import os\n\n"
        f'os.environ["HF_ENDPOINT"] = "{subject.hub}"  # before diffusers is imported\n{token_line}\n'
        f"from diffusers import {pipeline}\n\n"
        f'pipe = {pipeline}.from_pretrained("folder/of/your/base/model")\n'
        f"{loading}\n"
        f"image = pipe({call}).images[0]\n"
    )
    note = (
        "While HF_ENDPOINT points here, names of base models are looked up here too, so give the base model as "
        f"a folder. {subject.revision} stays the same bytes for ever; main moves to the newest version."
    )
    return Usage("diffusers", "diffusers", "", subject.prompt(subject.trigger), code, note)


def _webui(subject: Subject, tools: list[str]) -> Usage:
    place = f"Put {subject.trigger}.safetensors into the folder embeddings, then write the word {_where(subject)}."
    note = f"Weaker or stronger: ({subject.trigger}:0.8), ({subject.trigger}:1.2)."
    if formats.tools_for("webui-image", subject.family):
        note += (
            f" {subject.trigger}.png, under Files, is the same embedding inside a picture; it goes there too."
        )
    if subject.family == "sd3":
        note = "The T5 part of the file is passed over. " + note
    return Usage("webui", " and ".join(tools), place, subject.prompt(subject.trigger), note=note)


def _comfy(subject: Subject) -> Usage:
    place = (
        f"Put {subject.trigger}.safetensors into models/embeddings, then write embedding: and the word "
        f"{_where(subject)}. A space ends the name."
    )
    return Usage("comfyui", "ComfyUI", place, subject.prompt(f"embedding:{subject.trigger}"))


def _invoke(subject: Subject) -> Usage:
    place = (
        f"Add {subject.trigger}.safetensors in the model manager, then write the word in angle brackets "
        f"{_where(subject)}."
    )
    return Usage("invokeai", "InvokeAI", place, subject.prompt(f"<{subject.trigger}>"))


def _sdnext(subject: Subject) -> Usage:
    place = (
        f"Put {subject.trigger}.safetensors into models/embeddings, then write the word {_where(subject)}. "
        "Its vectors take as many tokens of the prompt as there are."
    )
    return Usage("sdnext", "SD.Next", place, subject.prompt(subject.trigger))


def _sdcpp(subject: Subject) -> Usage:
    place = f"Put {subject.trigger}.safetensors into the folder that --embd-dir names, then write the word."
    option = "-n" if subject.is_negative else "-p"
    code = f'sd-cli -m your-base-model.safetensors --embd-dir embeddings {option} "{subject.prompt(subject.trigger)}"\n'
    return Usage("sdcpp", "stable-diffusion.cpp", place, subject.prompt(subject.trigger), code)


def _onetrainer(subject: Subject) -> Usage:
    place = (
        "To go on training: take the file for OneTrainer under Files, and give it as the base embedding. "
        "Its tensors have the names that OneTrainer looks for."
    )
    return Usage("onetrainer", "OneTrainer", place)


def _terminal(subject: Subject) -> Usage:
    """The canonical file over plain HTTP, and the whole tree with the hf command."""
    address = f"{subject.hub}/{subject.owner}/{subject.name}/resolve/{subject.revision}/{subject.trigger}.safetensors"
    header = '-H "Authorization: Bearer $GLOSSA_TOKEN" ' if subject.is_private else ""
    layouts = "".join(
        f"curl -fLOJ {header}'{subject.hub}/{subject.owner}/{subject.name}/versions/{subject.revision[1:]}"
        f"?layout={layout.id}'\n"
        for layout in formats.served_layouts(subject.family)
        if layout.id not in formats.STORED_LAYOUTS
    )
    code = (
        f"curl -fLO {header}{address}\n{layouts}\n"
        f"HF_ENDPOINT={subject.hub} hf download {subject.owner}/{subject.name} --revision {subject.revision}\n"
    )
    return Usage("terminal", "Terminal", "One file with curl, or all of them with the hf command.", code=code)
