"""The licences a version can have, by the ids that Hugging Face cards use."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

LICENCES: Mapping[str, str] = MappingProxyType(
    {
        "cc0-1.0": "CC0 1.0 (public domain)",
        "cc-by-4.0": "CC BY 4.0",
        "cc-by-sa-4.0": "CC BY-SA 4.0",
        "cc-by-nc-4.0": "CC BY-NC 4.0",
        "cc-by-nc-sa-4.0": "CC BY-NC-SA 4.0",
        "cc-by-nd-4.0": "CC BY-ND 4.0",
        "creativeml-openrail-m": "CreativeML OpenRAIL-M",
        "openrail": "OpenRAIL",
        "openrail++": "OpenRAIL++",
        "apache-2.0": "Apache 2.0",
        "mit": "MIT",
        "other": "Other (said in the description)",
        "unknown": "Unknown",
    }
)


@dataclass(frozen=True)
class Permissions:
    """What a licence lets people do, in the four questions that other sites ask of it."""

    no_credit: bool
    commercial: bool
    derivatives: bool
    other_terms: bool


_NOTHING = Permissions(no_credit=False, commercial=False, derivatives=False, other_terms=False)
# `other` and `unknown` promise nothing: whoever wants more reads the description, or asks.
PERMISSIONS: Mapping[str, Permissions] = MappingProxyType(
    {
        "cc0-1.0": Permissions(no_credit=True, commercial=True, derivatives=True, other_terms=True),
        "cc-by-4.0": Permissions(no_credit=False, commercial=True, derivatives=True, other_terms=True),
        "cc-by-sa-4.0": Permissions(no_credit=False, commercial=True, derivatives=True, other_terms=False),
        "cc-by-nc-4.0": Permissions(no_credit=False, commercial=False, derivatives=True, other_terms=True),
        "cc-by-nc-sa-4.0": Permissions(
            no_credit=False, commercial=False, derivatives=True, other_terms=False
        ),
        "cc-by-nd-4.0": Permissions(no_credit=False, commercial=True, derivatives=False, other_terms=False),
        "creativeml-openrail-m": Permissions(
            no_credit=True, commercial=True, derivatives=True, other_terms=False
        ),
        "openrail": Permissions(no_credit=True, commercial=True, derivatives=True, other_terms=False),
        "openrail++": Permissions(no_credit=True, commercial=True, derivatives=True, other_terms=False),
        "apache-2.0": Permissions(no_credit=False, commercial=True, derivatives=True, other_terms=True),
        "mit": Permissions(no_credit=False, commercial=True, derivatives=True, other_terms=True),
        "other": _NOTHING,
        "unknown": _NOTHING,
    }
)
