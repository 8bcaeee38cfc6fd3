"""The canvas of the painted skin: a texture around the head like a label on a jar.

It is addressed by (angle around the vertical axis, height) on the *template* head, so that one
painting fits every face shape and moves with the skin. All colours are linear RGB in 0..1.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy.ndimage import gaussian_filter

SIZE = 512  # texels on a side: 0.7 mm a texel, less than half a pixel of a frame
_ANGLE = 2.2  # the texture spans +-2.2 rad around the front
_LOW, _HIGH = 4.9, 8.6  # and these heights, decimetres
AXIS_DEPTH = 0.2  # depth of the vertical axis that angles are measured around


def linear(srgb) -> np.ndarray:
    """sRGB 0..255 to linear 0..1 (IEC 61966-2-1, as a plain 2.2 power)."""
    return (np.asarray(srgb, np.float32) / 255) ** 2.2


def around(template: np.ndarray) -> np.ndarray:
    """(N, 3) template positions to (N,) angles around the axis, radians from the front."""
    return np.arctan2(template[:, 0], template[:, 2] - AXIS_DEPTH)


def texture_coordinates(template: np.ndarray) -> np.ndarray:
    """(N, 3) template positions to (N, 2) texel coordinates (column, row) in 0..SIZE-1."""
    return texels(around(template), template[:, 1])


def texels(angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Angles and heights (N,) to (N, 2) texel coordinates (column, row) in 0..SIZE-1."""
    column = (angle / _ANGLE * 0.5 + 0.5) * (SIZE - 1)
    row = (_HIGH - height) / (_HIGH - _LOW) * (SIZE - 1)
    return np.stack([column, row], 1).clip(0, SIZE - 1).astype(np.float32)


@functools.lru_cache(maxsize=1)
def canvas() -> tuple[np.ndarray, np.ndarray]:
    """Angle and height of every texel, both (SIZE, SIZE)."""
    angle = np.linspace(-_ANGLE, _ANGLE, SIZE, dtype=np.float32)
    height = np.linspace(_HIGH, _LOW, SIZE, dtype=np.float32)
    return np.meshgrid(angle, height)


def noise(rng: np.random.Generator, blur: float | tuple) -> np.ndarray:
    """(SIZE, SIZE) smooth noise, zero mean, unit deviation; blur in texels (down, across)."""
    field = gaussian_filter(rng.standard_normal((SIZE, SIZE), dtype=np.float32), blur, mode="wrap")
    return field / field.std()


def blob(angle, height, a0: float, h0: float, da: float, dh: float) -> np.ndarray:
    """A soft elliptic spot around (a0, h0), 1 at its middle."""
    return np.exp(-(((angle - a0) / da) ** 2) - ((height - h0) / dh) ** 2)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))
