"""Skin: its tone, and what time and blood do to it.

Tones are levels 1 (lightest) to 10 of the Monk Skin Tone scale (Monk 2019, "The Monk Skin Tone
scale", doi:10.31235/osf.io/pdf4c). A performer's level is normal around the mean of its ancestries
(African 9.6, Asian 4.8, European 1.9; deviation 1.2). In a corpus whose ancestries rotate all ten
occur, the middle ones most often. The colours that stand for the levels are our
choice: reflectances of skin, whereas the scale's own swatches are colours of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from talker.studio.texture import blob, linear, noise, sigmoid

_LEVEL = {"african": 9.6, "asian": 4.8, "caucasian": 1.9}
_TONES = np.array(  # sRGB of the ten levels
    [
        (238, 203, 184),
        (232, 193, 169),
        (225, 182, 154),
        (214, 168, 136),
        (196, 148, 115),
        (170, 121, 88),
        (140, 96, 70),
        (112, 76, 56),
        (88, 60, 46),
        (68, 47, 38),
    ]
)


@dataclass(frozen=True)
class Complexion:
    """monk: level in 1..10; base: mean colour (3,), linear RGB; freckled; moles; seed of the rest.

    ruddy: strength of the blood's red in cheeks and nose, about 1.
    """

    monk: float
    base: np.ndarray
    ruddy: float
    freckled: bool
    moles: int


def draw_complexion(rng: np.random.Generator, ancestry: dict[str, float]) -> Complexion:
    """Draw somebody's skin. A quarter of levels 1 to 4 are freckled; moles: 1.2 on average."""
    centre = sum(share * _LEVEL[name] for name, share in ancestry.items())
    monk = float(np.clip(rng.normal(centre, 1.2), 1, 10))
    levels = np.arange(1, 11)
    base = linear([np.interp(monk, levels, _TONES[:, k]) for k in range(3)])
    base = base * np.array([1.0, 1 + rng.normal(0, 0.025), 1 + rng.normal(0, 0.05)])
    ruddy = float(rng.uniform(0.5, 1.5))
    freckled = bool(rng.random() < 0.25) and monk < 4.5
    return Complexion(monk, base.astype(np.float32), ruddy, freckled, int(rng.poisson(1.2)))


def paint_skin(rng, angle, height, skin: Complexion, years: float) -> np.ndarray:
    """The bare skin (SIZE, SIZE, 3): blood, dark sockets, mottling, freckles, moles, lines."""
    base = skin.base
    dark = np.clip((skin.monk - 3) / 6, 0, 1)
    red = base * np.array([1.1, 0.76 + 0.14 * dark, 0.72 + 0.18 * dark])
    cheeks = sum(blob(angle, height, s * 0.5, 6.95, 0.22, 0.2) for s in (-1, 1))
    nose = blob(angle, height, 0, 6.9, 0.12, 0.12)
    chin = blob(angle, height, 0, 6.35, 0.2, 0.12)
    ears = blob(np.abs(angle), height, 1.5, 7.1, 0.25, 0.35)
    blood = (0.4 * skin.ruddy * (cheeks + 0.9 * nose + 0.3 * chin + 0.6 * ears)).clip(0, 1)
    texture = base * (1 - blood[..., None]) + red * blood[..., None]

    under = sum(blob(angle, height, s * 0.27, 7.19, 0.13, 0.055) for s in (-1, 1))
    above = sum(blob(angle, height, s * 0.26, 7.38, 0.16, 0.06) for s in (-1, 1))
    tired = rng.uniform(0.05, 0.2) + 0.08 * np.clip((years - 40) / 30, 0, 1)
    shade = (tired * under + (0.04 + 0.03 * dark) * above)[..., None]
    texture = texture * (1 - shade * np.array([0.8, 1.0, 0.95]))
    if dark > 0.3:  # forehead and the jaw's edge are darker than the middle of the face
        middle = blob(angle, height, 0, 6.95, 0.65, 0.5)[..., None]
        texture = texture * (1 + 0.1 * dark * (middle - 0.5))
    mottled = 0.035 * noise(rng, 10) + 0.03 * noise(rng, 3)
    texture = texture * (1 + mottled * (1 + np.clip((years - 45) / 30, 0, 1)))[..., None]

    spots, wrinkles = noise(rng, 0.9), noise(rng, 30)
    if skin.freckled:
        seen = sigmoid((spots - 1.5) * 6) * (0.25 + cheeks + nose).clip(0, 1)
        texture = texture * (1 - 0.24 * seen[..., None] * np.array([0.6, 1.0, 1.15]))
    for _ in range(skin.moles):
        a, h = rng.uniform(-0.9, 0.9), rng.uniform(6.3, 7.9)
        if abs(a) > 0.3 or not 6.4 < h < 7.4:  # clear of eyes, nose and mouth
            mole = blob(angle, height, a, h, 0.016, 0.015)[..., None]
            texture = texture * (1 - 0.6 * mole)
    return texture * (1 - _lines(angle, height, years, wrinkles)[..., None])


def _lines(angle, height, years: float, wander) -> np.ndarray:
    """Darkening (SIZE, SIZE) in 0..1: lines of forehead, eye corners, nose to mouth, under eyes."""
    age = float(np.clip((years - 32) / 33, 0, 1))
    forehead = sigmoid((np.sin((height - 7.75) * 58 + 0.9 * wander) - 0.8) * 12)
    forehead = forehead * blob(angle, height, 0, 7.83, 0.42, 0.15)
    crow = 0.0
    for s in (-1, 1):
        fan = np.arctan2(height - 7.28, s * angle - 0.34)
        ring = np.exp(-(((np.hypot(height - 7.28, s * angle - 0.36) - 0.12) / 0.05) ** 2))
        crow = crow + sigmoid((np.cos(fan * 11) - 0.7) * 9) * ring * (np.abs(fan) < 0.8)
    folds = sum(
        blob(angle - s * (0.25 + 0.4 * (6.85 - height)), height, 0, 6.74, 0.02, 0.14)
        for s in (-1, 1)
    )
    bags = sum(
        blob(angle, height - 0.9 * (angle - s * 0.27) ** 2, s * 0.27, 7.13, 0.12, 0.013)
        for s in (-1, 1)
    )
    depth = 0.3 * forehead + 0.24 * crow + 0.3 * bags
    return age * gaussian_filter(depth, 0.7) + (0.06 + 0.2 * age) * folds
