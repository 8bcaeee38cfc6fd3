"""Pixels: a performer's head, posed for one frame, traced with soft shadows and antialiasing.

Diffuse light is worked out at the vertices (shadow rays to a lamp with a size, ambient occlusion)
and interpolated; normals, colours and highlights (`talker.studio.materials`) are worked out for
every sample, four a pixel by default. The frame is the aligned crop of the canonical face, found
from the projected landmarks.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from talker.faces import CANONICAL, CANONICAL_INDICES, similarity
from talker.studio.anatomy import EYE, LASH, SKIN, TEETH, TONGUE, anatomy, target
from talker.studio.landmarks import landmark_vertices, seam
from talker.studio.materials import material
from talker.studio.mesh import Mesh
from talker.studio.performer import Performer
from talker.studio.subject import Subject, subject
from talker.studio.texture import texture_coordinates
from talker.studio.trace import Scene
from talker.studio.visibility import reached

HEIGHT, WIDTH = 128, 96
SAMPLES = 2  # per pixel and axis
_EYE_POINT = np.array([0.0, 7.1, 13.0], np.float32)  # the camera, 1.2 m in front of the face
_MARGIN = 8  # pixels around the crop that are ready to be shown too
_SKIN_WRAP, _WRAP = np.float32([0.28, 0.12, 0.08]), np.float32(0.05)  # light goes around edges
_PIVOT = np.array([0.0, 6.55, 0.0], np.float32)  # top of the neck: the head turns around it


@dataclass(frozen=True)
class Pose:
    """One frame of acting: actions, name -> weight; head (6,): pitch (up), yaw, roll in degrees,
    then x, y, z in cm; gaze (2,): yaw to the performer's left and pitch up, in degrees.
    """

    actions: dict[str, float]
    head: np.ndarray
    gaze: np.ndarray


@functools.lru_cache(maxsize=64)
def _sparse_action(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that a facial action moves, and how far (K, 3)."""
    delta = target(f"faceunits/{name}")
    moved = np.flatnonzero(np.abs(delta).max(1) > 0)
    return moved, delta[moved]


class Camera:
    """Renders one performer; whatever does not change from frame to frame is worked out once."""

    def __init__(self, performer: Performer):
        body = anatomy()
        self.performer = performer
        self._own = len(body.vertices)
        triangles, part = [body.triangles], [body.part]
        self._rest = performer.rest
        for worn in performer.worn:
            triangles.append(worn.triangles + len(self._rest))
            part.append(np.full(len(worn.triangles), worn.part, np.int8))
            self._rest = np.concatenate([self._rest, worn.vertices])
        mesh = Mesh(np.concatenate(triangles), np.concatenate(part), len(self._rest))
        neck = ((self._rest[:, 1] - 5.7) / 0.9).clip(0, 1)
        self._turn = (neck * neck * (3 - 2 * neck))[:, None]  # the neck bends, the chest stays
        self._centres = [performer.rest[ids].mean(0) for ids in body.eyes]
        self._tongue = np.unique(body.triangles[body.part == TONGUE])
        self._backdrop = performer.background.astype(np.float32)
        key, surface = performer.light.key, self._static_surface()
        self._whole = subject(mesh, self._rest, surface, self._moving(), key)
        crop = reached(self._whole, self._extremes(), _EYE_POINT, key)
        self._crop = self._whole.part(crop)

    def _extremes(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Poses as far as nobody acts, some between; rays through a bit more than the crop."""
        y, x = np.mgrid[-_MARGIN : HEIGHT + _MARGIN : 0.5, -_MARGIN : WIDTH + _MARGIN : 0.5]
        pixels = np.stack([x.ravel(), y.ravel()], 1)
        for pitch, yaw, jaw in itertools.product(
            (-25.0, 0.0, 25.0), (-40.0, -14.0, 0.0, 14.0, 40.0), (0.0, 0.6)
        ):
            head = np.array([pitch, yaw, 0.0, 0.0, 0.0, 0.0])
            vertices = self.posed(Pose({"jawOpen": jaw}, head, np.zeros(2)))
            yield vertices, _through(self.film(self.landmarks(vertices)), pixels)

    def _moving(self) -> np.ndarray:
        """Mask (N,) bool of the vertices of mouth and eyes, whose light changes as they move."""
        body = anatomy()
        moving = np.zeros(len(self._rest), bool)
        near = np.abs(body.vertices - np.array([0, 6.55, 1.2])) < np.array([0.45, 0.4, 0.6])
        moving[: self._own] = near.all(1) | (body.masks["eyelids"] > 0.05)
        for kind in (EYE, TEETH, TONGUE, LASH):
            moving[body.triangles[body.part == kind]] = True
        return moving

    def _static_surface(self) -> np.ndarray:
        """(N, 4) float32: two texture coordinates, lips, inside of the mouth.

        Instead of texture coordinates eye vertices hold their place on the eyeball (x, y in units
        of its radius); what is worn brings its own four values.
        """
        body = anatomy()
        surface = np.zeros((len(self._rest), 4), np.float32)
        surface[: self._own, :2] = texture_coordinates(body.vertices)
        surface[: self._own, 2] = body.masks["lips"]
        surface[: self._own, 3] = body.masks["mouth"]
        for ids in body.eyes:
            centre = body.vertices[ids].mean(0)
            radius = np.abs(body.vertices[ids] - centre).max()
            surface[ids, :2] = (body.vertices[ids] - centre)[:, :2] / radius
        if self.performer.worn:
            surface[self._own :] = np.concatenate([worn.surface for worn in self.performer.worn])
        return surface

    def posed(self, pose: Pose) -> np.ndarray:
        """Vertices (N, 3) float32 of head and what it wears in this pose, decimetres."""
        vertices = self._rest.copy()
        for name, weight in pose.actions.items():
            if weight and name != "tongueUp":
                moved, delta = _sparse_action(name)
                vertices[moved] += np.float32(weight) * delta
        body = anatomy()
        tongue = self._tongue
        tip = ((body.vertices[tongue, 2] - 0.9) / 0.45).clip(0, 1)
        lower = 0.4 * pose.actions.get("jawOpen", 0.0) * (1 - pose.actions.get("tongueUp", 0.0))
        vertices[tongue, 1] += 0.3 * pose.actions.get("tongueUp", 0.0) * tip - 0.12 * lower
        vertices[tongue, 2] -= 0.08 * lower
        yaw, pitch = np.radians(pose.gaze)
        turn = _rotation(-pitch, yaw, 0.0)
        for ids, centre in zip(body.eyes, self._centres, strict=True):
            vertices[ids] = (vertices[ids] - centre) @ turn.T + centre
        pitch, yaw, roll = np.radians(pose.head[:3])
        turn = _rotation(-pitch, yaw, roll)
        moved = (vertices - _PIVOT) @ turn.T + _PIVOT + pose.head[3:].astype(np.float32) / 10
        return (vertices + self._turn * (moved - vertices)).astype(np.float32)

    def project(self, vertices: np.ndarray) -> np.ndarray:
        """(N, 3) points to (N, 2) places on the plane one unit before the camera, y down."""
        relative = vertices - _EYE_POINT
        return np.stack([relative[:, 0], -relative[:, 1]], 1) / -relative[:, 2:]

    def landmarks(self, vertices: np.ndarray) -> np.ndarray:
        """(68, 2) landmarks on the camera's plane."""
        return seam(self.project(vertices[landmark_vertices()]))

    def film(self, landmarks: np.ndarray) -> np.ndarray:
        """The similarity (2, 3) that takes the camera's plane to pixels of the aligned crop."""
        return similarity(landmarks[list(CANONICAL_INDICES)], CANONICAL)

    def render(
        self, vertices: np.ndarray, film: np.ndarray, samples: int = SAMPLES, scale: int = 1
    ) -> np.ndarray:
        """One frame, uint8 (128 * scale, 96 * scale, 3), of vertices (N, 3) through `film` (2, 3).

        samples: rays a pixel and axis.
        """
        height, width = HEIGHT * scale, WIDTH * scale
        directions = _through(film, _samples(samples, scale))
        seen = self._subject_for(film, vertices)
        vertices = vertices[seen.rows]
        scene = Scene(vertices, seen.mesh.triangles)
        origins = np.broadcast_to(_EYE_POINT, directions.shape)
        triangle, weights = scene.first_hit(origins, directions)
        hit = np.flatnonzero(triangle >= 0)
        colour = np.repeat(np.repeat(self._backdrop, samples * scale, 0), samples * scale, 1)
        colour.reshape(-1, 3)[hit] = self._shade(
            seen, scene, vertices, triangle[hit], weights[hit], directions[hit]
        )
        grid = cv2.resize(colour, (width, height), interpolation=cv2.INTER_AREA)  # means of samples
        return (255 * grid.clip(0, 1) ** np.float32(1 / 2.2) + 0.5).astype(np.uint8)

    def _subject_for(self, film: np.ndarray, vertices: np.ndarray) -> Subject:
        """The part of the head that is enough for the crop; all of it if the film shows more."""
        corners = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]]) - 0.5
        own = self.film(self.landmarks(vertices))
        place = _on_plane(film, corners) @ own[:, :2].T + own[:, 2]
        inside = (place > -_MARGIN) & (place < np.array([WIDTH, HEIGHT]) + _MARGIN - 1)
        return self._crop if inside.all() else self._whole

    def _shade(self, seen: Subject, scene, vertices, triangle, weights, directions) -> np.ndarray:
        """Linear RGB (R, 3) float32 of the points that rays in `directions` (R, 3) have met."""
        light = self.performer.light
        key, key_colour = np.float32(light.key), np.float32(light.key_colour)
        normals = seen.mesh.normals(vertices)
        lamp, sky = seen.light(scene, vertices, normals, triangle, light.key)
        table = np.concatenate([normals, seen.surface, lamp[:, None], sky[:, None]], 1)
        value = seen.mesh.interpolate(table, triangle, weights)
        kind = np.take(seen.mesh.part, triangle)
        albedo, strength, sharpness = material(self.performer.look, kind, value[:, 3:7])

        # One row for each component: numpy is several times faster along long rows.
        normal, (lamp, sky) = value[:, :3].T.copy(), value[:, 7:].T.copy()
        normal /= _length(normal).clip(1e-6)
        lambert = key @ normal
        sky *= 0.72 + 0.28 * normal[1]
        half = key[:, None] - directions.T
        gleam = (half * normal).sum(0) / _length(half)
        gleam = 0.5 * gleam.clip(0, 1) ** sharpness * strength * lamp
        skin = kind == SKIN
        colour = np.empty((len(triangle), 3), np.float32)
        for k in range(3):
            wrap = np.where(skin, _SKIN_WRAP[k], _WRAP)
            direct = ((lambert + wrap) / (1 + wrap)).clip(0) * lamp * key_colour[k]
            received = direct + sky * np.float32(light.ambient_colour[k])
            colour[:, k] = 0.56 * albedo[:, k] * received + gleam * key_colour[k]
        return colour


@functools.lru_cache(maxsize=4)
def _samples(samples: int, scale: int) -> np.ndarray:
    """Where rays go through the frame: (R, 2) float64 in pixels of the 96x128 crop, row by row."""
    offsets = (np.arange(samples * scale * HEIGHT) + 0.5) / (samples * scale) - 0.5
    columns, rows = np.meshgrid(offsets[: samples * scale * WIDTH], offsets)
    return np.stack([columns.ravel(), rows.ravel()], 1)


def _on_plane(film: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Pixels (R, 2) of a frame to the camera's plane: the inverse of `film`."""
    return (pixels - film[:, 2]) @ np.linalg.inv(film[:, :2]).T


def _through(film: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Unit directions (R, 3) float32 from the camera through pixels (R, 2) of a frame."""
    plane = _on_plane(film, pixels).T
    directions = np.empty((len(pixels), 3), np.float32)
    directions[:, 0], directions[:, 1], directions[:, 2] = plane[0], -plane[1], -1
    directions /= _length(directions.T)[:, None]
    return directions


def _length(rows: np.ndarray) -> np.ndarray:
    """Lengths (R,) of vectors (3, R)."""
    x, y, z = rows
    return np.sqrt(x * x + y * y + z * z)


def _rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """(3, 3) from radians: nod down, turn to the performer's left, tilt to the right shoulder."""
    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return (z @ y @ x).astype(np.float32)
