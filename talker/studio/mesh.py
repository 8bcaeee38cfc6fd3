"""A triangle mesh whose shape changes and whose topology does not: normals and interpolation."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array


class Mesh:
    """What of a mesh is the same in every frame, prepared once.

    Args:
        triangles: (M, 3) int, rows of the vertices.
        part: (M,) what each triangle is made of, one of the kinds in `talker.studio.anatomy`.
        count: N, how many vertices there are.
    """

    def __init__(self, triangles: np.ndarray, part: np.ndarray, count: int):
        self.triangles = np.ascontiguousarray(triangles, np.int32)
        self.part = part
        self.count = count
        corners = self.triangles.ravel()
        order = np.argsort(corners, kind="stable")
        ends = np.searchsorted(corners[order], np.arange(count + 1))
        ones = np.ones(len(corners), np.float32)
        self._around = csr_array((ones, order // 3, ends), shape=(count, len(self.triangles)))

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Unit normals (N, 3) float32 of vertices (N, 3): means over their triangles, by area."""
        a, b, c = (np.take(vertices, self.triangles[:, k], 0) for k in range(3))
        total = self._around @ _cross(b - a, c - a)
        length = np.sqrt(np.einsum("nk,nk->n", total, total)).clip(1e-9)
        return total / length[:, None]

    def interpolate(
        self, table: np.ndarray, triangle: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Values (R, C) float32 at R points of a table (N, C) with a row for each vertex.

        triangle: (R,) where each point lies; weights: (R, 3) its barycentric coordinates there.
        """
        corners = np.take(self.triangles, triangle, 0).ravel()
        rows = np.arange(0, len(corners) + 1, 3, dtype=np.int32)
        return csr_array((weights.ravel(), corners, rows), (len(triangle), self.count)) @ table

    def corners_of(self, chosen: np.ndarray) -> np.ndarray:
        """Mask (N,) bool of the vertices of some triangles, given by numbers or as a mask (M,)."""
        used = np.zeros(self.count, bool)
        used[self.triangles[chosen]] = True
        return used


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross products (M, 3) of rows; np.cross takes three times as long."""
    (ax, ay, az), (bx, by, bz) = a.T, b.T
    return np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], 1)
