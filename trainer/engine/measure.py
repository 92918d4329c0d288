"""What can be said about learned rows without another model: norms, nearest words, likeness to the start."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, normalize

from trainer.engine.base_model import BaseModel
from trainer.engine.text import Encoder

NEAREST = 5
WORD_END = "</w>"
# A small base gives words it never saw one common row. A row that so many words share says nothing about any.
SHARED = 8


def describe(base: BaseModel, rows: list[Tensor]) -> list[dict[str, Any]]:
    """Per encoder: norms beside the table's percentiles, nearest words of each row, cosines between rows."""
    return [_describe(encoder, own.to(base.device)) for encoder, own in zip(base.encoders, rows, strict=True)]


def cosine_to(rows: list[Tensor], start: list[Tensor]) -> list[list[float]]:
    """How much each row still points where it started."""
    return [
        [round(value, 4) for value in cosine_similarity(own.cpu(), first.cpu(), dim=1).tolist()]
        for own, first in zip(rows, start, strict=True)
    ]


def _describe(encoder: Encoder, rows: Tensor) -> dict[str, Any]:
    table = encoder.table.float()
    norms = table.norm(dim=1)
    distinct, places, counts = norms.unique(return_inverse=True, return_counts=True)
    percentiles = distinct.quantile(torch.tensor([0.01, 0.5, 0.99], device=distinct.device)).tolist()
    candidates = [
        number
        for number, (token, count) in enumerate(
            zip(
                encoder.tokenizer.convert_ids_to_tokens(range(len(table))),
                counts[places].tolist(),
                strict=True,
            )
        )
        if count <= SHARED and _is_word(token)
    ]
    likeness = normalize(rows, dim=1) @ normalize(rows, dim=1).T
    return {
        "slot": encoder.slot,
        "norms": [round(value, 4) for value in rows.norm(dim=1).tolist()],
        "table_norms": dict(zip(("p1", "p50", "p99"), (round(p, 4) for p in percentiles), strict=True)),
        "nearest": _nearest(encoder, table, rows, candidates),
        "between_rows": [[round(value, 4) for value in line] for line in likeness.tolist()],
    }


def _is_word(token: str) -> bool:
    """Whether a token is a whole word by itself; single letters and byte stand-ins are none."""
    word = token.removesuffix(WORD_END)
    return token.endswith(WORD_END) and len(word) > 1 and word.isascii() and word.isalpha()


def _nearest(
    encoder: Encoder, table: Tensor, rows: Tensor, candidates: list[int]
) -> list[list[dict[str, Any]]]:
    """The nearest whole words of each row, by cosine."""
    if not candidates:
        return [[] for _ in rows]
    cosines = normalize(rows, dim=1) @ normalize(table[candidates], dim=1).T
    best = cosines.topk(min(NEAREST, len(candidates)), dim=1)
    tokens = encoder.tokenizer.convert_ids_to_tokens(candidates)
    return [
        [
            {"word": tokens[place].removesuffix(WORD_END), "cosine": round(value, 4)}
            for value, place in zip(values, places, strict=True)
        ]
        for values, places in zip(best.values.tolist(), best.indices.tolist(), strict=True)
    ]
