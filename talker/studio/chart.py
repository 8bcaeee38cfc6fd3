"""Charts of the template's skin: points on a performer's skin from places on the template.

Places are (angle around the head, height) on the template, as in the painted texture, so that what
is painted on the skin and what is modelled above it meet on every face shape.
"""

from __future__ import annotations

import functools

import numpy as np

from talker.studio.anatomy import SKIN, anatomy
from talker.studio.texture import AXIS_DEPTH
from talker.studio.trace import Scene

CENTRE = np.array([0.0, 7.62, AXIS_DEPTH], np.float32)  # rays to the scalp start here
_SLOPES = np.linspace(np.pi / 2 - 0.02, -np.pi / 3, 120)  # elevations tried on each column


@functools.lru_cache(maxsize=2)
def _slopes(columns: bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For rays of each column and slope: corners (C, S, 3), weights (C, S, 3), template height."""
    angle = np.frombuffer(columns)
    body = anatomy()
    skin = body.triangles[body.part == SKIN]
    a, s = np.meshgrid(angle, _SLOPES, indexing="ij")
    level = np.cos(s)
    rays = np.stack([np.sin(a) * level, np.sin(s), np.cos(a) * level], -1).reshape(-1, 3)
    hit, weights = Scene(body.vertices, skin).first_hit(
        np.broadcast_to(CENTRE, rays.shape), rays.astype(np.float32)
    )
    corners = skin[hit]
    height = (body.vertices[corners, 1] * weights).sum(1)
    shape = (len(angle), len(_SLOPES))
    return corners.reshape(*shape, 3), weights.reshape(*shape, 3), height.reshape(shape)


def walk(rest: np.ndarray, angle: np.ndarray, ends: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Points (C, R, 3) on a performer's skin from the crown down to template height `ends`.

    Args:
        rest: (N, 3) the performer's vertices. angle: (C,) float64, radians from the front. ends:
            (C,) where each column ends. share: (C, R) or (R,) in 0..1: how far on the way each is.
    """
    corners, weights, height = _slopes(np.ascontiguousarray(angle).tobytes())
    column = np.arange(len(angle))
    below = height < ends[:, None]
    last = np.where(below.any(1), below.argmax(1), len(_SLOPES) - 1)
    above = np.maximum(last - 1, 0)
    step = (height[column, above] - ends) / (height[column, above] - height[column, last]).clip(
        1e-6
    )
    at = (above + step.clip(0, 1))[:, None] * np.broadcast_to(share, (len(angle), share.shape[-1]))
    low = at.astype(int).clip(0, len(_SLOPES) - 2)
    part = (at - low)[..., None]
    skin = (rest[corners] * weights[..., None]).sum(2)
    return skin[column[:, None], low] * (1 - part) + skin[column[:, None], low + 1] * part


def level(rest: np.ndarray, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Points (K, 3) on a performer's neck and shoulders at angles and heights (K,) of the template.

    Args:
        rest: (N, 3) the performer's vertices.
    """
    body = anatomy()
    skin = body.triangles[body.part == SKIN]
    origins = np.stack([np.zeros_like(height), height, np.full_like(height, AXIS_DEPTH)], 1)
    rays = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], 1)
    hit, weights = Scene(body.vertices, skin).first_hit(origins, rays)
    return (rest[skin[hit]] * weights[..., None]).sum(1)
