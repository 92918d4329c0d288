"""The `glossa` command line: finds, pulls, pins and publishes embeddings of a hub over HTTP.

PURE: standard library and `hub.formats`; a plain `pip install` can run it. `cli` is the entry, `commands` holds a
module for each word that can be typed, and everything else is what they stand on.
"""

from typing import Final

COMMANDS: Final = frozenset(
    {"login", "logout", "whoami", "search", "pull", "push", "lock", "sync", "verify", "train"}
)
