"""Which triangles of a head can matter to its crop: seen there, or shading what is seen.

Chest, scalp under the hair, or the far half of a head of hair never do, and a scene without them
is built and traced in half the time.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from talker.studio.light import lamp_rays, sky_rays
from talker.studio.subject import Subject
from talker.studio.trace import Scene

_SKY_RAYS = 24


def reached(
    whole: Subject,
    views: Iterable[tuple[np.ndarray, np.ndarray]],
    eye: np.ndarray,
    key: np.ndarray,
) -> np.ndarray:
    """Mask (M,) bool of the triangles that rays meet in some of the views, and their neighbours.

    Args:
        views: vertices (N, 3) of the head in an extreme pose, and directions (R, 3) of the
            camera's rays, denser than in a picture.
        eye: (3,) where they come from.
        key: (3,) unit direction of the lamp.
    """
    mesh = whole.mesh
    seen = np.zeros(len(mesh.triangles), bool)
    shading = seen.copy()
    for vertices, directions in views:
        scene = Scene(vertices, mesh.triangles)
        now = _hit(scene, np.broadcast_to(eye, directions.shape), directions)
        seen[now] = True
        at = np.flatnonzero(mesh.corners_of(now) & whole.live)
        normals = mesh.normals(vertices)[at]
        shading[_hit(scene, *lamp_rays(vertices[at], normals, key))] = True
        shading[_hit(scene, *sky_rays(vertices[at], normals, _SKY_RAYS))] = True
    beside = mesh.corners_of(seen)[mesh.triangles].any(1)  # for what lies between two rays
    # Lids and lips hide small things, and the inside of the cheeks, in all of these poses.
    hidden = whole.live | (whole.surface[:, 3] > 0)
    return beside | shading | hidden[mesh.triangles].any(1)


def _hit(scene: Scene, origins: np.ndarray, directions: np.ndarray) -> np.ndarray:
    triangle, _ = scene.first_hit(origins, directions)
    return np.unique(triangle[triangle >= 0])
