"""Clothes: painted from the neckline down, with a modelled collar or band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.anatomy import PLAIN
from talker.studio.chart import level
from talker.studio.texture import linear, noise, sigmoid
from talker.studio.worn import Worn, grid_triangles

GARMENTS = ("crew neck", "v neck", "shirt", "roll neck", "scoop neck")
_ODDS = {  # our choice
    "female": (0.28, 0.17, 0.25, 0.12, 0.18),
    "male": (0.4, 0.13, 0.37, 0.1, 0.0),
}
_FABRICS = (  # sRGB, most of them muted
    (206, 206, 204),
    (184, 186, 190),
    (38, 40, 46),
    (30, 42, 70),
    (74, 98, 140),
    (150, 176, 204),
    (98, 36, 44),
    (62, 84, 66),
    (128, 112, 92),
    (176, 140, 124),
    (86, 88, 92),
    (132, 60, 54),
    (58, 104, 108),
    (188, 164, 104),
)
_AROUND = np.radians(np.linspace(-180, 180, 60, endpoint=False))


@dataclass(frozen=True)
class Clothes:
    """garment of GARMENTS; colour (3,) linear RGB; low: how much lower than usual the neckline is,
    decimetres; stripes: their contrast, 0 for none.
    """

    garment: str
    colour: np.ndarray
    low: float
    stripes: float

    def neckline(self, angle: np.ndarray) -> np.ndarray:
        """Height of the garment's upper edge at each angle, decimetres on the template."""
        front = {"crew neck": 5.74, "shirt": 5.76, "roll neck": 5.88}.get(self.garment, 5.62)
        rise = 5.98 - front
        edge = front + rise * np.sin(np.minimum(np.abs(angle), 1.9) / 1.9 * np.pi / 2) ** 1.2
        if self.garment == "v neck":
            edge = edge - 0.25 * np.maximum(0, 0.6 - np.abs(angle))
        if self.garment == "shirt":  # open at the first button
            edge = edge - 0.5 * np.maximum(0, 0.3 - np.abs(angle))
        return edge - self.low


def draw_clothes(rng: np.random.Generator, gender: str) -> Clothes:
    garment = str(rng.choice(GARMENTS, p=_ODDS[gender]))
    colour = linear(_FABRICS[rng.integers(len(_FABRICS))]) * rng.uniform(0.8, 1.15, 3)
    stripes = 0.35 if rng.random() < 0.15 else 0.0
    low = rng.uniform(-0.05, 0.05)
    return Clothes(garment, colour.clip(0, 0.85).astype(np.float32), float(low), stripes)


def paint_clothes(rng, clothes: Clothes, angle, height, texture) -> np.ndarray:
    """The texture (SIZE, SIZE, 3) dressed below the neckline."""
    below = clothes.neckline(angle) - height
    alpha = sigmoid(below * 90)[..., None]
    folds = 0.06 * noise(rng, (9, 5)) + 0.03 * noise(rng, 1.2)
    stripes = 1 - clothes.stripes * sigmoid(np.sin(height * 60) * 8)
    cloth = clothes.colour * ((1 + folds) * stripes)[..., None]
    near = np.exp(-((below / 0.05) ** 2)) * (below < 0)  # the shade that the edge casts
    return texture * (1 - 0.3 * near[..., None]) * (1 - alpha) + cloth.clip(0, 1) * alpha


def collar(clothes: Clothes, rest: np.ndarray) -> Worn:
    """The band, collar or roll at the neck of a performer of shape `rest` (N, 3)."""
    edge = clothes.neckline(_AROUND)
    kind = clothes.garment
    if kind == "shirt":
        gap = np.abs(_AROUND) > 0.16
        angle, edge = _AROUND[gap], edge[gap]
        order = np.argsort(angle % (2 * np.pi))  # from one point of the collar around to the other
        angle, edge = angle[order], edge[order]
        wings = np.exp(-(((np.abs(angle) - 0.3) / 0.3) ** 2))
        # Up the neck, over the fold, and down to the points.
        rise = np.stack([0 * edge, 0.13 + 0 * edge, 0.14 + 0 * edge, -0.06 - 0.14 * wings], 1)
        out = np.tile([0.02, 0.05, 0.09, 0.14], (len(angle), 1))
    elif kind == "roll neck":
        angle = _AROUND
        rise = np.tile([-0.05, 0.02, 0.1, 0.18, 0.19, 0.15], (len(angle), 1))
        out = np.tile([0.03, 0.09, 0.11, 0.09, 0.05, 0.0], (len(angle), 1))
    else:
        angle = _AROUND
        rise = np.tile([-0.06, -0.03, 0.012, 0.012, -0.02], (len(angle), 1))
        out = np.tile([0.0, 0.035, 0.03, 0.012, 0.0], (len(angle), 1))
    skin = level(rest, angle, np.maximum(edge, 5.3))
    away = skin - [0, 0, -0.1]
    away[:, 1] = 0
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    points = skin[:, None] + out[..., None] * away[:, None]
    points[..., 1] += rise
    rows = points.shape[1]
    corners = grid_triangles(len(angle), rows, closed=kind != "shirt")
    surface = np.concatenate([clothes.colour * 1.06, [0.02]]).astype(np.float32)
    return Worn(
        PLAIN,
        points.reshape(-1, 3).astype(np.float32),
        corners if kind == "shirt" else corners[:, ::-1].copy(),  # its outside is what falls
        np.tile(surface, (len(angle) * rows, 1)),
    )
