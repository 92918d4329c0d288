"""Generators as a function of (seed, stream, number): none lives from one step to the next."""

import hashlib

import torch


def generator(seed: int, stream: str, number: int = 0) -> torch.Generator:
    """A CPU generator for one purpose and step; different streams never share numbers."""
    digest = hashlib.sha256(f"{seed}/{stream}/{number}".encode()).digest()
    return torch.Generator("cpu").manual_seed(int.from_bytes(digest[:8], "big") >> 1)
