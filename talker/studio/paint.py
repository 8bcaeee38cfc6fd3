"""Colours of skin, lips, brows, beard, iris, background; a texture around the head like a label.

The texture is addressed by (angle around the vertical axis, height) on the *template* head, so that
one painting fits every face shape and moves with the skin. All colours are linear RGB in 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

SIZE = 1024  # texels on a side: 0.35 mm a texel in height
_ANGLE = 2.2  # the texture spans +-2.2 rad around the front
_LOW, _HIGH = 4.9, 8.6  # and these heights, decimetres
AXIS_DEPTH = 0.2  # depth of the vertical axis that angles are measured around
BACKGROUND_SHAPE = (128, 96)


@dataclass(frozen=True)
class Look:
    """texture (SIZE, SIZE, 3) and the other colours (3,), linear RGB; gloss of the skin, about 1;
    pupil: its radius in units of the eyeball's.
    """

    texture: np.ndarray
    lips: np.ndarray
    iris: np.ndarray
    lash: np.ndarray
    teeth: np.ndarray
    hair: np.ndarray
    sclera: np.ndarray
    gloss: float
    pupil: float


def linear(srgb) -> np.ndarray:
    """sRGB 0..255 to linear 0..1 (IEC 61966-2-1, as a plain 2.2 power)."""
    return (np.asarray(srgb, np.float32) / 255) ** 2.2


def texture_coordinates(template: np.ndarray) -> np.ndarray:
    """(N, 3) template positions to (N, 2) texel coordinates (column, row) in 0..SIZE-1."""
    angle = np.arctan2(template[:, 0], template[:, 2] - AXIS_DEPTH)
    column = (angle / _ANGLE * 0.5 + 0.5) * (SIZE - 1)
    row = (_HIGH - template[:, 1]) / (_HIGH - _LOW) * (SIZE - 1)
    return np.stack([column, row], 1).clip(0, SIZE - 1).astype(np.float32)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Angle and height of every texel."""
    angle = np.linspace(-_ANGLE, _ANGLE, SIZE, dtype=np.float32)
    height = np.linspace(_HIGH, _LOW, SIZE, dtype=np.float32)
    return np.meshgrid(angle, height)


def noise(rng: np.random.Generator, blur: float | tuple) -> np.ndarray:
    """(SIZE, SIZE) smooth noise, zero mean, unit deviation."""
    field = gaussian_filter(rng.standard_normal((SIZE, SIZE), dtype=np.float32), blur, mode="wrap")
    return field / field.std()


def blob(angle, height, a0: float, h0: float, da: float, dh: float) -> np.ndarray:
    """A soft elliptic spot around (a0, h0)."""
    return np.exp(-(((angle - a0) / da) ** 2) - ((height - h0) / dh) ** 2)


_SKIN = {  # mean sRGB of lit skin, and the melanin direction is taken between them
    "african": (106, 70, 50),
    "asian": (214, 168, 132),
    "caucasian": (226, 178, 152),
}
_HAIR = [
    (42, 36, 33),
    (56, 43, 34),
    (84, 58, 40),
    (116, 80, 50),
    (164, 126, 82),
    (205, 168, 116),
    (142, 76, 44),
]
_IRIS = [(62, 38, 20), (92, 58, 28), (108, 92, 48), (82, 106, 74), (84, 118, 148), (120, 140, 152)]


def hair_colour(rng: np.random.Generator, years: float, ancestry: dict) -> np.ndarray:
    """Linear RGB; dark for most ancestries, any for Europeans, grey with age."""
    if ancestry["caucasian"] > 0.5:
        colour = linear(_HAIR[rng.choice(7, p=[0.06, 0.18, 0.24, 0.2, 0.14, 0.1, 0.08])])
    else:
        colour = linear(_HAIR[rng.choice(3, p=[0.6, 0.3, 0.1])])
    grey = np.clip((years - 42) / 25 + rng.normal(0, 0.25), 0, 1) * (years > 38)
    return colour * (1 - grey) + grey * linear(rng.uniform(135, 205) * np.array([1, 0.99, 0.97]))


def _brows(rng, angle, height, gender: str) -> np.ndarray:
    """Coverage (SIZE, SIZE) in 0..1 of the two eyebrows, as many short strokes."""
    thick = rng.uniform(0.028, 0.045) if gender == "female" else rng.uniform(0.042, 0.068)
    arch, lift = rng.uniform(0.015, 0.05), rng.uniform(-0.02, 0.015)
    inner, outer = rng.uniform(0.10, 0.14), rng.uniform(0.44, 0.5)
    strokes = noise(rng, (2.2, 0.8))
    cover = np.zeros_like(angle)
    for side in (-1, 1):
        along = (side * angle - inner) / (outer - inner)
        centre = (
            7.555
            + lift
            + arch * np.sin(np.pi * along.clip(0, 1) ** 1.3)
            - 0.07 * along.clip(0, 1) ** 3
        )
        taper = thick * (1 - 0.65 * along.clip(0, 1) ** 1.5)
        edge = np.exp(-(((height - centre) / taper) ** 4))
        ends = (
            1
            / (1 + np.exp(-np.clip(along * 22, -30, 30)))
            / (1 + np.exp(np.clip((along - 1) * 25, -30, 30)))
        )
        cover += edge * ends
    return (cover * (0.85 + 0.18 * strokes)).clip(0, 0.96)


def _skin(rng, angle, height, years: float, ancestry: dict) -> tuple[np.ndarray, np.ndarray]:
    """Mean colour (3,) and texture (SIZE, SIZE, 3): blush, dark sockets, mottling, spots, lines."""
    base = sum(w * linear(_SKIN[name]) for name, w in ancestry.items())
    base = (
        base
        * np.exp(rng.normal(0, 0.16))
        * np.array([1.0, 1.0 + rng.normal(0, 0.025), 1.0 + rng.normal(0, 0.05)])
    )
    base = base.clip(0.02, 0.75)
    redness = base * np.array([1.12, 0.74, 0.7])

    blush = sum(blob(angle, height, s * 0.5, 6.95, 0.22, 0.22) for s in (-1, 1))
    blush = (
        blush
        + 0.9 * blob(angle, height, 0, 6.98, 0.12, 0.14)
        + 0.25 * blob(angle, height, 0, 6.4, 0.2, 0.12)
    )
    sockets = sum(blob(angle, height, s * 0.33, 7.2, 0.2, 0.13) for s in (-1, 1))
    tone = (0.35 * rng.uniform(0.4, 1.3) * blush).clip(0, 1)[..., None]
    texture = base * (1 - tone) + redness * tone
    texture = texture * (1 - 0.16 * rng.uniform(0.5, 1.6) * sockets[..., None])
    texture = texture * (1 + 0.035 * noise(rng, 14) + 0.03 * noise(rng, 2))[..., None]
    if ancestry["caucasian"] > 0.5 and rng.random() < 0.3:
        spots = (noise(rng, 1.6) > 2.1) * (blush > 0.15)
        texture = texture * (1 - 0.3 * gaussian_filter(spots.astype(np.float32), 0.8))[..., None]
    if years > 45:  # lines of the forehead and from nose to mouth
        lines = np.sin((height - 7.75) * 55 + 1.5 * noise(rng, 60)) > 0.86
        creases = gaussian_filter(
            (lines * blob(angle, height, 0, 7.85, 0.5, 0.16)).astype(np.float32), 1.5
        )
        folds = sum(
            blob(angle - s * (0.30 + 0.35 * (6.95 - height)), height, 0, 6.78, 0.018, 0.2)
            for s in (-1, 1)
        )
        texture = (
            texture * (1 - (0.28 * creases + 0.18 * folds) * min(1, (years - 45) / 20))[..., None]
        )
    return base, texture


def look(rng: np.random.Generator, gender: str, years: float, ancestry: dict) -> Look:
    """Everything painted of one performer; the numbers are drawn from `rng` in a fixed order."""
    angle, height = _grid()
    base, texture = _skin(rng, angle, height, years, ancestry)

    hair = hair_colour(rng, years, ancestry)
    brow = _brows(rng, angle, height, gender)[..., None]
    brow_colour = hair.clip(0, 0.1) * 0.6 + 0.4 * linear((44, 31, 23))
    texture = texture * (1 - brow * 0.88) + brow_colour * brow * 0.88
    if gender == "male" and rng.random() < 0.6:
        beard = _beard(rng, angle, height)[..., None] * rng.uniform(0.25, 0.85)
        texture = texture * (1 - beard) + (hair * 0.8 + 0.02) * beard
    cloth = linear(rng.uniform(25, 235, 3) * 0.8)
    collar = 5.72 + 0.05 * np.cos(angle * 2) + rng.uniform(-0.15, 0.1)
    worn = (1 / (1 + np.exp(np.clip((height - collar) * 90, -30, 30))))[..., None]
    weave = (1 + 0.06 * noise(rng, 1.0))[..., None]
    texture = texture * (1 - worn) + cloth * weave * worn

    lip = base * np.array([0.86, 0.52, 0.53])
    if gender == "female" and rng.random() < 0.5:
        lip = 0.5 * lip + 0.5 * linear(
            ((168, 44, 58), (150, 62, 70), (190, 84, 88))[rng.integers(3)]
        )
    dark_eyes = ancestry["caucasian"] < 0.55
    iris = linear(_IRIS[rng.integers(2) if dark_eyes else rng.integers(6)]) * rng.uniform(0.8, 1.25)
    return Look(
        texture=texture.clip(0, 1).astype(np.float32),
        lips=lip.astype(np.float32),
        iris=iris.astype(np.float32),
        lash=linear((22, 15, 12)) + 0.1 * hair.astype(np.float32),
        teeth=linear(np.array([248, 240, 224]) - rng.uniform(0, 22)),
        hair=hair.astype(np.float32),
        sclera=linear((228, 222, 216)),
        gloss=float(rng.uniform(0.5, 1.2)),
        pupil=float(rng.uniform(0.16, 0.23)),
    )


def _beard(rng: np.random.Generator, angle, height) -> np.ndarray:
    """Stubble or beard on jaw, chin and upper lip: coverage (SIZE, SIZE) in 0..1."""
    jaw = 1 / (1 + np.exp(np.clip((height - 6.5 - 0.75 * np.abs(angle)) * 16, -30, 30)))
    neck = 1 / (1 + np.exp(np.clip((6.12 - height) * 18, -30, 30)))
    moustache = blob(angle, height, 0, 6.79, 0.24, 0.05)
    mouth = blob(angle, height, 0, 6.63, 0.2, 0.09)
    sides = 1 / (1 + np.exp(np.clip((np.abs(angle) - 1.35) * 12, -30, 30)))
    grain = 0.75 + 0.3 * noise(rng, 0.9)
    return ((jaw * neck * sides * (1 - mouth) + 0.9 * moustache) * grain).clip(0, 1)


def background(rng: np.random.Generator) -> np.ndarray:
    """A studio backdrop (128, 96, 3), linear RGB: one colour, a gradient, a soft spot of light."""
    rows, columns = np.mgrid[0:1:128j, 0:1:96j]
    value = rng.uniform(40, 215)
    colour = linear((value + rng.normal(0, 26, 3)).clip(8, 245))
    shade = 1 + rng.normal(0, 0.18) * (rows - 0.5) * 2 + rng.normal(0, 0.15) * (columns - 0.5) * 2
    spot = np.exp(
        -(((rows - rng.uniform(0, 0.7)) / 0.5) ** 2) - ((columns - rng.uniform(0, 1)) / 0.5) ** 2
    )
    return (colour * (shade + rng.uniform(0, 0.5) * spot)[..., None]).clip(0, 1).astype(np.float32)
