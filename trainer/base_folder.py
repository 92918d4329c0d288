"""Read what a base-model folder is, without loading it: family, size, prediction type, digest.

Pure standard library, so that the site and the command line can check a folder. A base is a local diffusers
folder whose weights are safetensors; it is never fetched, and pickles are refused.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

BUNDLED = Path(__file__).parent / "bundled" / "base"
RECORD = "glossa.json"
_ALLOWED = {".safetensors", ".json", ".txt", ".md", ".model", ""}
# What decides the pictures: weights, configs and vocabularies. Cards and licences may be reworded freely.
_DIGESTED = {".safetensors", ".json", ".txt", ".model"}
_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"}
_PARTS = ("tokenizer", "text_encoder", "unet", "vae", "scheduler")
_WIDTHS = {(128,): "tiny", (768,): "sd1", (1024,): "sd2", (768, 1280): "sdxl"}
_GUIDANCE = {"sdxl": 5.0}
_PREDICTIONS = ("epsilon", "v_prediction")
_LATENT_CHANNELS = 4


class BaseFolderError(ValueError):
    """A folder that cannot serve as a base model: a stable `code` and a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class BaseFolder:
    """Facts about a base-model folder. `record` is its own `glossa.json`, empty where it has none."""

    path: Path
    name: str
    title: str
    family: str
    encoders: tuple[int, ...]
    resolution: int
    prediction: str
    sampler: str
    guidance: float
    steps: int
    empty_is_zero: bool = False
    record: dict[str, Any] = field(default_factory=dict)


def read_base(folder: Path | str) -> BaseFolder:
    """The facts of a base-model folder. Raises BaseFolderError when it is not one that can be used."""
    path = Path(folder)
    if not (path / "model_index.json").is_file():
        raise BaseFolderError(
            "base_not_found", f"'{path.name}' is not a diffusers folder: no model_index.json in it."
        )
    for part in _PARTS:
        if not (path / part).is_dir():
            raise BaseFolderError("base_incomplete", f"The folder '{part}' is missing in '{path.name}'.")
    _refuse_foreign_files(path)
    index = _config(path / "model_index.json")
    unet = _config(path / "unet" / "config.json")
    vae = _config(path / "vae" / "config.json")
    scheduler = _config(path / "scheduler" / "scheduler_config.json")
    widths = tuple(
        int(_config(path / part / "config.json").get("hidden_size", 0))
        for part in ("text_encoder", "text_encoder_2")
        if (path / part).is_dir()
    )
    family = _WIDTHS.get(widths)
    if family is None:
        raise BaseFolderError(
            "base_family_unknown", f"Text encoders of width {widths} belong to no known family."
        )
    if family == "sdxl" and not (path / "tokenizer_2").is_dir():
        raise BaseFolderError("base_incomplete", f"The folder 'tokenizer_2' is missing in '{path.name}'.")
    prediction = str(scheduler.get("prediction_type", "epsilon"))
    _refuse_other_tasks(unet, prediction)
    record = _config(path / RECORD) if (path / RECORD).is_file() else {}
    factor = 2 ** (len(vae.get("block_out_channels", (1,))) - 1)
    name = str(record.get("name") or path.resolve().name)
    return BaseFolder(
        path=path,
        name=name,
        title=str(record.get("title") or name),
        family=family,
        encoders=widths,
        resolution=int(record.get("resolution") or int(unet.get("sample_size", 64)) * factor),
        prediction=prediction,
        # Karras sigmas do not reach the pure noise that a zero-terminal schedule starts from.
        sampler=str(
            record.get("sampler")
            or ("ddim" if scheduler.get("rescale_betas_zero_snr") else "dpmpp_2m_karras")
        ),
        guidance=float(record.get("guidance") or _GUIDANCE.get(family, 7.0)),
        steps=int(record.get("steps") or 20),
        empty_is_zero=family == "sdxl" and bool(index.get("force_zeros_for_empty_prompt", True)),
        record=record,
    )


def find_base(name: str, models_dir: Path | str | None = None) -> Path:
    """The folder of a base given as a path or an installed name; `tiny` is the bundled one.

    Raises BaseFolderError when there is none.
    """
    if "/" in name or name.startswith("."):
        candidates = [Path(name)]
    else:
        candidates = [Path(models_dir) / name] if models_dir else []
        candidates += [BUNDLED] if name == "tiny" else []
    for candidate in candidates:
        if (candidate / "model_index.json").is_file():
            return candidate
    raise BaseFolderError("base_not_found", f"No base model '{name}' is installed.")


def part_digests(folder: Path | str) -> dict[str, str]:
    """SHA-256 of every weight, config and vocabulary of a folder, by path, in order of the paths."""
    root = Path(folder)
    found = {}
    for name in sorted(p.relative_to(root).as_posix() for p in _files(root) if p.suffix in _DIGESTED):
        if name != RECORD:
            found[name] = file_digest(root / name)
    return found


def file_digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def base_digest(folder: Path | str) -> str:
    """SHA-256 over the sorted paths and SHA-256s of weights, configs and vocabularies.

    The record is left out: its prompts and title may be improved while the model stays the same.
    """
    return digest_of(part_digests(folder))


def digest_of(parts: dict[str, str]) -> str:
    """The digest of a base with these parts."""
    total = hashlib.sha256()
    for name, digest in sorted(parts.items()):
        total.update(f"{name}\0{digest}\n".encode())
    return total.hexdigest()


def _refuse_foreign_files(root: Path) -> None:
    for file in _files(root):
        name = file.relative_to(root).as_posix()
        if file.suffix.lower() in _PICKLES:
            raise BaseFolderError(
                "base_pickle", f"'{name}' is a pickle; a base must be saved as safetensors."
            )
        if file.suffix.lower() not in _ALLOWED:
            raise BaseFolderError("base_foreign_file", f"'{name}' does not belong in a base-model folder.")


def _refuse_other_tasks(unet: dict[str, Any], prediction: str) -> None:
    channels = int(unet.get("in_channels", _LATENT_CHANNELS))
    if channels != _LATENT_CHANNELS:
        raise BaseFolderError(
            "base_family_unknown",
            f"This UNet takes {channels} channels: it is made for inpainting, depth or another task. "
            "Use the text-to-image model of its family.",
        )
    if prediction not in _PREDICTIONS:
        raise BaseFolderError(
            "base_family_unknown",
            f"The scheduler says prediction type '{prediction}'; only {' and '.join(_PREDICTIONS)} can be trained.",
        )


def _files(root: Path) -> list[Path]:
    """Regular files below the folder; dot files and what lies in dot folders are not part of a model."""
    return [
        path
        for path in root.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    ]


def _config(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BaseFolderError(
            "base_incomplete", f"'{path.parent.name}/{path.name}' cannot be read."
        ) from error
    if not isinstance(values, dict):
        raise BaseFolderError("base_incomplete", f"'{path.parent.name}/{path.name}' is not a JSON object.")
    return values
