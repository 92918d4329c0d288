"""DOOR: the Civitai protocol, as far as its clients read: browse, look up by hash, download, sidecars."""
