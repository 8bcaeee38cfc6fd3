"""A triangle scene that rays are shot at: Embree, through the `embreex` wheel."""

from __future__ import annotations

import numpy as np

from talker.errors import INSTALL, TalkerError


class Scene:
    """Triangles ready to be traced.

    Args:
        vertices: (N, 3) float. triangles: (M, 3) int.

    Raises:
        TalkerError: embreex is not installed.
    """

    def __init__(self, vertices: np.ndarray, triangles: np.ndarray):
        try:
            from embreex.mesh_construction import TriangleMesh
            from embreex.rtcore_scene import EmbreeScene
        except ImportError as error:
            raise TalkerError(
                f"The package embreex is missing, and rendering needs it: {INSTALL}."
            ) from error
        self._scene = EmbreeScene()
        self._mesh = TriangleMesh(
            self._scene,
            np.ascontiguousarray(vertices, np.float32),
            np.ascontiguousarray(triangles, np.int32),
        )

    def first_hit(self, origins: np.ndarray, directions: np.ndarray):
        """Nearest triangle (R,) int (-1: none) and its barycentric weights (R, 3) float32."""
        hit = self._scene.run(
            np.ascontiguousarray(origins, np.float32),
            np.ascontiguousarray(directions, np.float32),
            output=True,
        )
        weights = np.stack([1 - hit["u"] - hit["v"], hit["u"], hit["v"]], 1)
        return hit["primID"], weights

    def distance(self, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
        """Distance (R,) float32 along each ray to the nearest triangle, very large without one."""
        return self._scene.run(
            np.ascontiguousarray(origins, np.float32),
            np.ascontiguousarray(directions, np.float32),
            query="DISTANCE",
        )

    def blocked(
        self, origins: np.ndarray, directions: np.ndarray, reach: float = 1e9
    ) -> np.ndarray:
        """Whether (R,) bool anything lies along each ray within `reach`."""
        limits = np.full(len(origins), reach, np.float32)
        return (
            self._scene.run(
                np.ascontiguousarray(origins, np.float32),
                np.ascontiguousarray(directions, np.float32),
                dists=limits,
                query="OCCLUDED",
            )
            >= 0
        )
