"""The vocabularies of installed base models, for pages that say what a learned vector lies near."""

from functools import lru_cache
from pathlib import Path

from hub.formats import FAMILIES
from hub.formats.statistics import VocabularyTable, open_table
from hub.models import BaseModel

# The folder of each text encoder in a diffusers folder, by the slot of a canonical file.
_FOLDERS = {"emb_params": "text_encoder", "clip_l": "text_encoder", "clip_g": "text_encoder_2"}
_FAMILIES = frozenset({"tiny", "sd1", "sd2", "sdxl"})


def tables_of(family: str) -> tuple[str, dict[str, VocabularyTable]]:
    """Title of the base model of this family that is installed, and its vocabulary for each slot; both may be empty."""
    if family not in _FAMILIES:
        return "", {}
    base = (
        BaseModel.objects.filter(family=family, is_installed=True).exclude(folder="").order_by("pk").first()
    )
    if base is None:
        return "", {}
    found = {}
    for slot in FAMILIES[family].slots:
        table = _open(base.folder, _FOLDERS[slot], base.digest)
        if table is not None:
            found[slot] = table
    return base.title, found


@lru_cache(maxsize=8)
def _open(folder: str, encoder: str, digest: str) -> VocabularyTable | None:
    """Opened once in a process: the first look at a table goes through all of it. The digest notices a new base."""
    return open_table(Path(folder), encoder)
