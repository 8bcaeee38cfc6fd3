"""Beards and moustaches: painted on the skin, and raised where they are full.

Three in five men are unshaven in some way here; shares of the kinds are our choice. Beards follow
the jaw because both the paint and the raised skin belong to the skin's own vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.texture import blob, noise, sigmoid

BEARDS = ("none", "stubble", "moustache", "goatee", "full")
_ODDS = (0.4, 0.25, 0.08, 0.1, 0.17)  # of men; women have none


@dataclass(frozen=True)
class Beard:
    """kind of BEARDS; density: opacity of the paint, 0..1; height: how far a full beard stands off
    the skin, decimetres; cheek, neck: how high and how low it grows, decimetres about the mean.
    """

    kind: str
    density: float
    height: float
    cheek: float
    neck: float


def draw_beard(rng: np.random.Generator, gender: str) -> Beard:
    """Draw somebody's beard; takes the same number of draws for everyone."""
    kind = str(rng.choice(BEARDS, p=_ODDS))
    dense, height, cheek, neck = rng.uniform(size=4)
    if gender == "female":
        kind = "none"
    thin = {"none": 0.06, "stubble": 0.25, "moustache": 0.7}.get(kind, 0.6)
    density = thin + (0.1 if kind == "none" else 0.22) * dense
    standing = 0.02 + 0.06 * height if kind == "full" else 0.0
    return Beard(kind, float(density), float(standing), 0.1 * cheek - 0.05, 0.12 * neck - 0.06)


def cover(beard: Beard, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Where the beard grows: 0..1 at each (angle, height) of the template, any shape."""
    wide = np.abs(angle)
    line = 6.56 + beard.cheek + 0.62 * wide - 0.12 * np.exp(-(((wide - 0.5) / 0.2) ** 2))
    jaw = sigmoid((line - height) * 30) * sigmoid((height - 6.06 - beard.neck) * 26)
    jaw = jaw * sigmoid((1.28 - wide) * 14)
    mouth = np.exp(-(((wide / 0.215) ** 2 + ((height - 6.605) / 0.1) ** 2) ** 2))
    below_lip = blob(angle, height, 0, 6.4, 0.1, 0.05) + 1.2 * blob(
        angle, height, 0, 6.3, 0.17, 0.12
    )
    droop = 6.768 - 0.35 * np.maximum(wide - 0.08, 0)
    moustache = np.exp(-(((height - droop) / 0.042) ** 4)) * sigmoid((0.23 - wide) * 36)
    moustache = moustache * (1 - 0.5 * blob(angle, height, 0, 6.77, 0.015, 0.06))
    corners = np.exp(-(((wide - 0.22) / 0.05) ** 2)) * sigmoid((6.74 - height) * 40)
    corners = 0.7 * corners * sigmoid((height - 6.33) * 40)
    ring = np.maximum(np.minimum(1, below_lip), corners)
    grown = {
        "moustache": moustache,
        "goatee": np.maximum(moustache, ring),
    }.get(beard.kind)
    if grown is None:
        grown = np.maximum(jaw * (1 - 0.85 * mouth), np.maximum(corners, moustache))
    return grown * (1 - np.exp(-(((wide / 0.16) ** 2 + ((height - 6.6) / 0.085) ** 2) ** 3)))


def paint_beard(rng, beard: Beard, angle, height, texture, colour) -> np.ndarray:
    """The texture (SIZE, SIZE, 3) with the beard of this colour (3,) painted on it."""
    grain = noise(rng, (2.2, 1.1))
    patches = noise(rng, 14)
    grown = cover(beard, angle, height)
    solid = beard.kind in ("moustache", "goatee", "full")
    dense = beard.density * (1 + (0.05 if solid else 0.12) * grain + 0.06 * patches)
    alpha = (grown * dense).clip(0, 0.95)[..., None]
    hairs = colour * (1.0 + 0.08 * grain[..., None]) * (0.85 if solid else 0.6)
    if colour.mean() < 0.1:  # dark hair stays darker than dark skin, though skin shines
        hairs = np.minimum(hairs, 0.5 * texture)
    return texture * (1 - alpha) + hairs.clip(0.003, 1) * alpha


def raise_skin(beard: Beard, angle, height, normals, fixed) -> np.ndarray:
    """Displacements (N, 3) of skin vertices under a beard.

    Args:
        angle, height: (N,) of the template's vertices. normals: (N, 3). fixed: (N,) bool, vertices
            that must stay: lips, the mouth's inside and the face's landmarks.
    """
    around_lips = ((angle / 0.36) ** 2 + ((height - 6.62) / 0.24) ** 2).clip(0, 4)
    amount = beard.height * cover(beard, angle, height) * (1 - np.exp(-(around_lips**2))) * ~fixed
    return (amount[:, None] * normals).astype(np.float32)
