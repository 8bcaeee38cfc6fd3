"""Meshes that a performer wears: hair, glasses, clothes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Worn:
    """A mesh that moves with head and neck and takes no part in facial actions.

    part: HAIR or PLAIN of `talker.studio.anatomy`; vertices (K, 3) float32, decimetres; triangles
    (M, 3) int32, their outside counterclockwise; surface (K, 4) float32: for hair its texel column
    and row, then two zeros; for what is PLAIN linear RGB and gloss.
    """

    part: int
    vertices: np.ndarray
    triangles: np.ndarray
    surface: np.ndarray


def grid_triangles(columns: int, rows: int, closed: bool = False) -> np.ndarray:
    """(M, 3) int32 triangles of a grid whose vertex (c, r) is number c * rows + r.

    closed: the last column joins the first. The outside is where columns run to the right while
    rows run down.
    """
    ids = np.arange(columns * rows, dtype=np.int32).reshape(columns, rows)
    if closed:
        ids = np.concatenate([ids, ids[:1]])
    a, b, c, d = ids[:-1, :-1], ids[1:, :-1], ids[1:, 1:], ids[:-1, 1:]
    halves = [np.stack(corners, -1).reshape(-1, 3) for corners in ([a, c, b], [a, d, c])]
    return np.concatenate(halves)


def tube(path: np.ndarray, width: np.ndarray, depth: np.ndarray, sides: int = 6):
    """A bar along a path: vertices (P * sides, 3) and triangles, its ends left open.

    Args:
        path: (P, 3), decimetres. width, depth: (P, 3) half axes of the cross-section at each point.
    """
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = (
        np.cos(angle)[None, :, None] * width[:, None]
        + np.sin(angle)[None, :, None] * depth[:, None]
    )
    vertices = (path[:, None] + ring).reshape(-1, 3).astype(np.float32)
    ids = np.arange(len(vertices), dtype=np.int32).reshape(len(path), sides)
    a, b = ids[:-1], np.roll(ids[:-1], -1, 1)
    d, c = ids[1:], np.roll(ids[1:], -1, 1)
    halves = [np.stack(corners, -1).reshape(-1, 3) for corners in ([a, b, c], [a, c, d])]
    if (np.cross(width, depth)[:-1] * np.diff(path, axis=0)).sum() < 0:
        halves = [half[:, ::-1] for half in halves]  # so that the outside is outside
    return vertices, np.concatenate(halves)
