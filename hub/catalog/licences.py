"""The licences a version can have, by the ids that Hugging Face cards use."""

from collections.abc import Mapping
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
