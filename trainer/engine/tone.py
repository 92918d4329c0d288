"""How far the colours of pictures are from those of others, whatever the pictures show."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from trainer.engine.eyes import pixels

SIDE = 32
SHARES = 101
# Linear sRGB to CIE XYZ, each row over the white of D65 (IEC 61966-2-1).
XYZ = (
    (0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505),
    (0.2126, 0.7152, 0.0722),
    (0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089),
)


def tone_distance(some: Sequence[Path], others: Sequence[Path]) -> float:
    """The distance of two sets' colours in CIE Lab: 0 for the same, about 2 can just be seen, 100 is black to white.

    Lightness and both colour axes are each compared as distributions (mean distance of their quantiles).
    """
    apart = (_quantiles(some) - _quantiles(others)).abs().mean(dim=0)
    return float(apart.square().sum().sqrt())


def lab(rgb: Tensor) -> Tensor:
    """CIE Lab [n, 3] of sRGB colours [n, 3] in 0..1."""
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    ratios = linear @ torch.tensor(XYZ).T
    x, y, z = torch.where(ratios > 216 / 24389, ratios ** (1 / 3), ratios * 841 / 108 + 4 / 29).T
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def _quantiles(paths: Sequence[Path]) -> Tensor:
    """Quantiles [101, 3] of the colours of all pictures together, small."""
    colours = torch.cat([pixels(path, SIDE)[0].flatten(1).T for path in paths])
    return lab(colours).quantile(torch.linspace(0, 1, SHARES), dim=0)
