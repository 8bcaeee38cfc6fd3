"""Make-up and the line of the lashes, painted around eyes, on cheeks and lips.

Half of the women wear some here: a fifth light, a fifth for the day, a tenth full (our choice).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from talker.studio.anatomy import anatomy
from talker.studio.landmarks import landmark_vertices
from talker.studio.texture import around, blob, linear

MAKEUPS = ("none", "light", "day", "full")
_ODDS = (0.5, 0.2, 0.2, 0.1)  # of women; men wear none
_STRENGTH = {"none": 0.0, "light": 0.35, "day": 0.65, "full": 1.0}
_LIPSTICKS = ((170, 74, 78), (150, 52, 62), (186, 92, 90), (128, 48, 58), (172, 40, 52))
_SHADOWS = ((110, 78, 66), (96, 72, 84), (78, 70, 72), (140, 96, 74), (84, 84, 104))


@dataclass(frozen=True)
class Makeup:
    """kind of MAKEUPS; strength 0..1; linear RGB (3,) of lipstick and eye shadow."""

    kind: str
    strength: float
    lipstick: np.ndarray
    shadow: np.ndarray


def draw_makeup(rng: np.random.Generator, gender: str) -> Makeup:
    """Draw somebody's make-up; takes the same number of draws for everyone."""
    kind = str(rng.choice(MAKEUPS, p=_ODDS))
    lipstick, shadow = (linear(c[rng.integers(len(c))]) for c in (_LIPSTICKS, _SHADOWS))
    if gender == "male":
        kind = "none"
    return Makeup(kind, _STRENGTH[kind], lipstick, shadow)


@functools.lru_cache(maxsize=1)
def _lids() -> list[tuple[np.ndarray, np.ndarray]]:
    """Angles and heights of the lids' landmarks: right upper and lower, left upper and lower."""
    template = anatomy().vertices[landmark_vertices()]
    place = np.stack([around(template), template[:, 1]], 1)
    rows = ((36, 37, 38, 39), (36, 41, 40, 39), (42, 43, 44, 45), (42, 47, 46, 45))
    return [tuple(place[list(row)].T) for row in rows]


def paint_eyes(makeup: Makeup, angle, height, texture, lash, woman: bool) -> np.ndarray:
    """The texture with lash lines of colour `lash` (3,), liner and eye shadow."""
    for number, (a, h) in enumerate(_lids()):
        upper = number % 2 == 0
        line = np.interp(angle, a, h) + (0.008 if upper else -0.006)
        inside = (angle > a[0] - 0.02) & (angle < a[-1] + 0.02)
        width = 0.014 + (0.006 * makeup.strength if upper else 0)
        strength = (0.62 if woman else 0.5) + 0.3 * makeup.strength
        strength = strength if upper else 0.28 * strength
        alpha = (strength * np.exp(-(((height - line) / width) ** 2)) * inside)[..., None]
        texture = texture * (1 - alpha) + lash * alpha
    if makeup.strength:
        lids = sum(
            blob(angle, height - 0.1 * np.abs(angle - s * 0.26), s * 0.27, 7.355, 0.12, 0.045)
            for s in (-1, 1)
        )
        alpha = (0.5 * makeup.strength * lids)[..., None]
        texture = texture * (1 - alpha) + makeup.shadow * texture.mean() ** 0.5 * 1.6 * alpha
    return texture


def paint_cheeks(makeup: Makeup, angle, height, texture) -> np.ndarray:
    """The texture with blush on the cheekbones."""
    blush = sum(
        blob(angle - s * 0.25 * (height - 6.95), height, s * 0.6, 6.98, 0.2, 0.12) for s in (-1, 1)
    )
    tint = 1 - 0.28 * makeup.strength * blush[..., None] * np.array([0.1, 1.0, 0.75])
    return texture * tint


def lip_colour(rng, makeup: Makeup, base: np.ndarray, monk: float) -> np.ndarray:
    """(3,) of the lips: redder than the skin `base`, browner on dark skin, or lipstick."""
    dark = np.clip((monk - 3) / 6, 0, 1)
    natural = base * np.array([0.88, 0.5 + 0.06 * dark, 0.51 + 0.12 * dark])
    natural = natural * (1 + rng.normal(0, 0.06, 3) * [1, 0.6, 0.6])
    opaque = 0.75 * makeup.strength
    return (natural * (1 - opaque) + makeup.lipstick * opaque).astype(np.float32)
