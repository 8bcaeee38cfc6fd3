"""What stands before the camera: a head, or the part of it that a picture needs, and its light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.anatomy import PLAIN, TEETH, TONGUE
from talker.studio.light import lamp_seen, sky_seen
from talker.studio.mesh import Mesh
from talker.studio.trace import Scene

_STILL_SKY_RAYS, _LIVE_SKY_RAYS = 48, 12


@dataclass(frozen=True)
class Subject:
    """Some of a head's triangles, and what is known of their K vertices before any frame.

    rows (K,): their places among the head's vertices; mesh; surface (K, 4) float32 as
    `talker.studio.materials` takes it; live (K,) bool: eyes and mouth, lit anew in every frame;
    lamp and sky (K,) float32 in 0..1: how much of each the rest keeps seeing, from the rest pose.
    """

    rows: np.ndarray
    mesh: Mesh
    surface: np.ndarray
    live: np.ndarray
    lamp: np.ndarray
    sky: np.ndarray

    def part(self, chosen: np.ndarray) -> Subject:
        """The subject of only the chosen triangles, a mask (M,) bool."""
        mesh, rows = self.mesh, np.flatnonzero(self.mesh.corners_of(chosen))
        renumbered = np.zeros(mesh.count, np.int32)
        renumbered[rows] = np.arange(len(rows))
        smaller = Mesh(renumbered[mesh.triangles[chosen]], mesh.part[chosen], len(rows))
        known = (self.surface, self.live, self.lamp, self.sky)
        return Subject(self.rows[rows], smaller, *(values[rows] for values in known))

    def light(
        self,
        scene: Scene,
        points: np.ndarray,
        normals: np.ndarray,
        hit: np.ndarray,
        key: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Shares (K,) of the lamp and the sky that its vertices see in one frame.

        Args:
            scene: of points (K, 3), which have unit normals (K, 3).
            hit: numbers of the triangles that the camera sees: of others the light is out of date.
            key: (3,) unit direction of the lamp.
        """
        met = np.zeros(len(self.mesh.triangles), bool)
        met[hit] = True
        at = np.flatnonzero(self.mesh.corners_of(met) & self.live)
        lamp, sky = self.lamp.copy(), self.sky.copy()
        lamp[at] = lamp_seen(scene, points[at], normals[at], key)
        sky[at] = sky_seen(scene, points[at], normals[at], _LIVE_SKY_RAYS)
        # Light scattered about in the mouth, which one bounce does not give.
        mouth = self.mesh.corners_of(np.isin(self.mesh.part, (TEETH, TONGUE)))
        lamp[mouth] = 0.5 + 0.5 * lamp[mouth]
        sky[mouth] = 0.75 + 0.25 * sky[mouth]
        return lamp, sky


def subject(
    mesh: Mesh, rest: np.ndarray, surface: np.ndarray, live: np.ndarray, key: np.ndarray
) -> Subject:
    """A whole head (N vertices), lit at rest: rest (N, 3), surface (N, 4), live (N,), key (3,)."""
    # Light is known at vertices only: shadows of thin frames and collars would be smudges.
    scene, normals = Scene(rest, mesh.triangles[mesh.part != PLAIN]), mesh.normals(rest)
    lamp = lamp_seen(scene, rest, normals, key)
    sky = sky_seen(scene, rest, normals, _STILL_SKY_RAYS)
    return Subject(np.arange(len(rest)), mesh, surface, live, lamp, sky)
