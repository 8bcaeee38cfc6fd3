"""Eyebrows: painted strokes along the brow's landmarks, so that they move with the skin.

Thickness, arch, length, tilt, spacing and density are drawn; the ranges are our choice, women's
brows thinner and more arched on average.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.texture import noise, sigmoid


@dataclass(frozen=True)
class Brows:
    """thick: half thickness; arch, lift, fall: heights of the arch, the whole and the outer end;
    inner, outer: angles of the ends; density 0..1; asymmetry: lift of the left over the right.
    """

    thick: float
    arch: float
    lift: float
    fall: float
    inner: float
    outer: float
    density: float
    asymmetry: float


def draw_brows(rng: np.random.Generator, gender: str, years: float) -> Brows:
    woman = gender == "female"
    thick = rng.uniform(0.022, 0.042) if woman else rng.uniform(0.034, 0.06)
    return Brows(
        thick=float(thick),
        arch=float(rng.uniform(0.02, 0.06) if woman else rng.uniform(0.0, 0.04)),
        lift=float(rng.normal(-0.005, 0.012)),
        fall=float(rng.uniform(0.03, 0.09)),
        inner=float(rng.uniform(0.085, 0.135)),
        outer=float(rng.uniform(0.47, 0.56)),
        density=float(rng.uniform(0.55, 0.92) - 0.15 * np.clip((years - 55) / 20, 0, 1)),
        asymmetry=float(rng.normal(0, 0.006)),
    )


def paint_brows(rng, brows: Brows, angle, height, texture, colour) -> np.ndarray:
    """The texture (SIZE, SIZE, 3) with eyebrows of this colour (3,) painted on it."""
    strokes = noise(rng, (1.5, 0.7))
    cover = np.zeros_like(angle)
    for side in (-1, 1):
        along = (side * angle - brows.inner) / (brows.outer - brows.inner)
        t = along.clip(0, 1)
        centre = 7.475 + brows.lift + 0.5 * side * brows.asymmetry
        centre = centre + brows.arch * np.sin(np.pi * t**1.35) - brows.fall * t**2.6
        taper = brows.thick * (1 - 0.68 * t**1.6) * (0.8 + 0.2 * np.minimum(1, t / 0.2))
        edge = np.exp(-(np.abs((height - centre) / taper) ** 3))
        cover += edge * sigmoid(along * 14 - 0.6) * sigmoid((1 - along) * 22)
    alpha = (cover * brows.density * (1 + 0.16 * strokes)).clip(0, 0.94)[..., None]
    return texture * (1 - alpha) + colour * (1 + 0.15 * strokes[..., None]).clip(0.4) * alpha
