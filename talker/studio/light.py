"""Light at the vertices: how much of the sky and of a lamp with a size each of them sees."""

from __future__ import annotations

import functools

import numpy as np

from talker.studio.trace import Scene

LAMP_RAYS = 8
_SKY_REACH = 1.6  # decimetres: what is further away takes no sky
_LAMP_RADIUS = 0.16  # sine of the angle that the lamp's edge is seen at from its centre


@functools.cache
def _cone(count: int, spread: float, seed: int) -> np.ndarray:
    """(count, 3) fixed directions around +z: cosine-weighted hemisphere for spread 1, or a cone."""
    rng = np.random.default_rng(seed)
    radius = spread * np.sqrt((np.arange(count) + rng.random(count)) / count)
    angle = np.arange(count) * 2.399963 + rng.random()
    return np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)], 1
    ).astype(np.float32)


def _around(axis: np.ndarray, directions: np.ndarray) -> np.ndarray:
    """Turn directions given around +z into ones around each unit axis (N, 3): (N, R, 3)."""
    helper = np.where(np.abs(axis[:, :1]) > 0.9, [[0.0, 1.0, 0.0]], [[1.0, 0.0, 0.0]])
    first = np.cross(helper, axis)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(axis, first)
    basis = np.stack([first, second, axis], 1).astype(np.float32)  # rows are the frame's axes
    return directions @ basis


def sky_rays(points: np.ndarray, normals: np.ndarray, rays: int) -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions, both (N * rays, 3), over the half space before each of N points."""
    directions = _around(normals, _cone(rays, 0.98, 3))
    return np.repeat(points + 0.012 * normals, rays, 0), directions.reshape(-1, 3)


def lamp_rays(
    points: np.ndarray, normals: np.ndarray, key: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions, both (N * LAMP_RAYS, 3), from N points to a lamp towards `key`."""
    lamp = _around(key[None], _cone(LAMP_RAYS, _LAMP_RADIUS, 5))[0]
    return np.repeat(points + 0.015 * normals, LAMP_RAYS, 0), np.tile(lamp, (len(points), 1))


def sky_seen(scene: Scene, points: np.ndarray, normals: np.ndarray, rays: int) -> np.ndarray:
    """Share (N,) float32 of the sky that points (N, 3) with unit normals (N, 3) see."""
    free = ~scene.blocked(*sky_rays(points, normals, rays), _SKY_REACH)
    return free.reshape(-1, rays).mean(1, dtype=np.float32)


def lamp_seen(scene: Scene, points: np.ndarray, normals: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Share (N,) float32 of the lamp in direction `key` (3,) that points (N, 3) see: soft shadows.

    Points that face away from it get none.
    """
    lit = np.zeros(len(points), np.float32)
    facing = np.flatnonzero(normals @ key > -0.25)
    blocked = scene.blocked(*lamp_rays(points[facing], normals[facing], key))
    lit[facing] = 1 - blocked.reshape(-1, LAMP_RAYS).mean(1, dtype=np.float32)
    return lit
