"""Pixels: a performer's head, posed for one frame, traced with soft shadows and antialiasing.

Diffuse light is worked out at the vertices (shadow rays to a lamp with a size, ambient occlusion)
and interpolated; normals, colours and highlights (`talker.studio.materials`) are worked out for
every sample, four a pixel by default. The frame is the aligned crop of the canonical face, found
from the projected landmarks.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from talker.faces import CANONICAL, CANONICAL_INDICES, similarity
from talker.studio import paint
from talker.studio.anatomy import EYE, HAIR, LASH, SKIN, TEETH, TONGUE, anatomy, target
from talker.studio.landmarks import landmark_vertices, seam
from talker.studio.materials import material
from talker.studio.performer import Performer
from talker.studio.trace import Scene

HEIGHT, WIDTH = 128, 96
SAMPLES = 2  # per pixel and axis
_EYE_POINT = np.array([0.0, 7.1, 13.0], np.float32)  # the camera, 1.2 m in front of the face
_SHADOW_RAYS, _AMBIENT_RAYS = 8, 12
_PIVOT = np.array([0.0, 6.55, 0.0], np.float32)  # top of the neck: the head turns around it


@dataclass(frozen=True)
class Pose:
    """One frame of acting: actions, name -> weight; head (6,): pitch (up), yaw, roll in degrees,
    then x, y, z in cm; gaze (2,): yaw to the performer's left and pitch up, in degrees.
    """

    actions: dict[str, float]
    head: np.ndarray
    gaze: np.ndarray


def _normals(vertices: np.ndarray, triangles: np.ndarray, count: int) -> np.ndarray:
    edge = vertices[triangles]
    face = np.cross(edge[:, 1] - edge[:, 0], edge[:, 2] - edge[:, 0])
    total = np.stack(
        [np.bincount(triangles.ravel(), np.repeat(face[:, k], 3), count) for k in range(3)], 1
    )
    return (total / np.linalg.norm(total, axis=1, keepdims=True).clip(1e-9)).astype(np.float32)


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
    basis = np.stack([first, second, axis], 1)  # rows are the frame's axes
    return np.einsum("rk,nkd->nrd", directions, basis).astype(np.float32)


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
        hair = performer.hair
        triangles, part = [body.triangles], [body.part]
        self._rest = performer.rest
        if hair is not None:
            triangles.append(hair.triangles + self._own)
            part.append(np.full(len(hair.triangles), HAIR, np.int8))
            self._rest = np.concatenate([performer.rest, hair.vertices])
        self._triangles, self._part = np.concatenate(triangles), np.concatenate(part)
        facing = _normals(self._rest, self._triangles, len(self._rest))[:, 2]
        hidden = (facing[self._triangles] < -0.3).all(1) & (self._part == SKIN)
        kept = ~hidden  # the back of the head can neither be seen nor shade what is
        self._triangles, self._part = self._triangles[kept], self._part[kept]
        self._surface = self._static_surface()
        neck = ((self._rest[:, 1] - 5.7) / 0.9).clip(0, 1)
        self._turn = (neck * neck * (3 - 2 * neck))[:, None]  # the neck bends, the chest stays
        self._centres = [performer.rest[ids].mean(0) for ids in body.eyes]
        moving = np.zeros(len(self._rest), bool)
        near = np.abs(body.vertices - np.array([0, 6.55, 1.2])) < np.array([0.45, 0.4, 0.6])
        moving[: self._own] = near.all(1)
        for kind in (EYE, TEETH, TONGUE, LASH):
            moving[body.triangles[body.part == kind]] = True
        teeth_and_tongue = np.isin(body.part, (TEETH, TONGUE))
        self._mouth = np.unique(body.triangles[teeth_and_tongue])
        moving[: self._own] |= body.masks["eyelids"] > 0.05
        # What moves is lit anew in every frame; all else keeps the light of the rest pose.
        self._live = np.intersect1d(np.flatnonzero(moving), self._triangles)
        normals = _normals(self._rest, self._triangles, len(self._rest))
        everything = np.unique(self._triangles)
        scene = Scene(self._rest, self._triangles)
        self._ambient = np.zeros(len(self._rest), np.float32)
        self._lit = np.zeros(len(self._rest), np.float32)
        self._ambient[everything] = self._ambient_light(scene, self._rest, normals, everything, 48)
        self._lit[everything] = self._lamp_light(scene, self._rest, normals, everything)

    def _static_surface(self) -> np.ndarray:
        """(N, 4) float32: two texture coordinates, lips, inside of the mouth.

        Instead of texture coordinates eye vertices hold their place on the eyeball (x, y in units
        of its radius), and hair its strand.
        """
        body = anatomy()
        surface = np.zeros((len(self._rest), 4), np.float32)
        surface[: self._own, :2] = paint.texture_coordinates(body.vertices)
        surface[: self._own, 2] = body.masks["lips"]
        surface[: self._own, 3] = body.masks["mouth"]
        for ids in body.eyes:
            centre = body.vertices[ids].mean(0)
            radius = np.abs(body.vertices[ids] - centre).max()
            surface[ids, :2] = (body.vertices[ids] - centre)[:, :2] / radius
        if self.performer.hair is not None:
            surface[self._own :, :2] = self.performer.hair.strand
        return surface

    def _ambient_light(self, scene, vertices, normals, chosen, rays: int) -> np.ndarray:
        """Share (len(chosen),) of the sky that each chosen vertex sees."""
        directions = _around(normals[chosen], _cone(rays, 0.98, 3))
        origins = np.repeat(vertices[chosen] + 0.012 * normals[chosen], rays, 0)
        free = ~scene.blocked(origins, directions.reshape(-1, 3), 1.6)
        return free.reshape(-1, rays).mean(1).astype(np.float32)

    def _lamp_light(self, scene, vertices, normals, chosen) -> np.ndarray:
        """Share (len(chosen),) of the lamp that each chosen vertex sees: soft shadows."""
        key = self.performer.light.key
        lamp = _around(key[None], _cone(_SHADOW_RAYS, 0.16, 5))[0]
        lit = np.zeros(len(chosen), np.float32)
        facing = np.flatnonzero(normals[chosen] @ key > -0.25)
        at = chosen[facing]
        origins = np.repeat(vertices[at] + 0.015 * normals[at], _SHADOW_RAYS, 0)
        blocked = scene.blocked(origins, np.tile(lamp, (len(at), 1)))
        lit[facing] = 1 - blocked.reshape(-1, _SHADOW_RAYS).mean(1)
        return lit

    def posed(self, pose: Pose) -> np.ndarray:
        """Vertices (N, 3) float32 of head and hair in this pose, decimetres."""
        vertices = self._rest.copy()
        for name, weight in pose.actions.items():
            if weight and name != "tongueUp":
                moved, delta = _sparse_action(name)
                vertices[moved] += np.float32(weight) * delta
        body = anatomy()
        tongue = np.unique(body.triangles[body.part == TONGUE])
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
        offsets = (np.arange(samples * height) + 0.5) / (samples * scale) - 0.5
        columns, rows = np.meshgrid(offsets[: samples * width], offsets)
        pixels = np.stack([columns.ravel(), rows.ravel()], 1)
        plane = (pixels - film[:, 2]) @ np.linalg.inv(film[:, :2]).T
        directions = np.stack([plane[:, 0], -plane[:, 1], -np.ones(len(plane))], 1)
        directions = directions.astype(np.float32)
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        scene = Scene(vertices, self._triangles)
        origins = np.broadcast_to(_EYE_POINT, directions.shape)
        triangle, weights = scene.first_hit(origins, directions)
        hit = np.flatnonzero(triangle >= 0)
        colour = self._backdrop(rows, columns)
        colour[hit] = self._shade(scene, vertices, triangle[hit], weights[hit], directions[hit])
        grid = colour.reshape(height, samples, width, samples, 3).mean((1, 3))
        return (255 * grid.clip(0, 1) ** (1 / 2.2) + 0.5).astype(np.uint8)

    def _backdrop(self, rows, columns) -> np.ndarray:
        y = (rows.ravel() + 0.5).astype(int).clip(0, HEIGHT - 1)
        x = (columns.ravel() + 0.5).astype(int).clip(0, WIDTH - 1)
        return self.performer.background[y, x]

    def _shade(self, scene, vertices, triangle, weights, directions) -> np.ndarray:
        light = self.performer.light
        normals = _normals(vertices, self._triangles, len(vertices))
        ambient, lit = self._ambient.copy(), self._lit.copy()
        ambient[self._live] = self._ambient_light(
            scene, vertices, normals, self._live, _AMBIENT_RAYS
        )
        lit[self._live] = self._lamp_light(scene, vertices, normals, self._live)
        # Light scattered about in the mouth, which one bounce does not give.
        ambient[self._mouth] = 0.75 + 0.25 * ambient[self._mouth]
        lit[self._mouth] = 0.5 + 0.5 * lit[self._mouth]

        corner = self._triangles[triangle]
        table = np.concatenate([normals, self._surface, lit[:, None], ambient[:, None]], 1)
        value = np.einsum("rk,rkc->rc", weights, table[corner])
        normal = value[:, :3]
        normal = normal / np.linalg.norm(normal, axis=1, keepdims=True).clip(1e-6)
        kind = self._part[triangle]
        albedo, strength, sharpness = material(self.performer.look, kind, value[:, 3:7])

        lambert = normal @ light.key.astype(np.float32)
        wrap = np.where((kind == SKIN)[:, None], [[0.28, 0.12, 0.08]], 0.05).astype(np.float32)
        diffuse = ((lambert[:, None] + wrap) / (1 + wrap)).clip(0, None)
        sky = 0.72 + 0.28 * normal[:, 1:2]
        direct = diffuse * value[:, 7:8] * light.key_colour
        received = (direct + (value[:, 8:9] * sky) * light.ambient_colour).astype(np.float32)
        half = light.key - directions
        half = half / np.linalg.norm(half, axis=1, keepdims=True)
        gleam = (normal * half).sum(1).clip(0, 1) ** sharpness * strength * value[:, 7]
        return albedo * received * 0.56 + gleam[:, None] * light.key_colour.astype(np.float32) * 0.5


def _rotation(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """(3, 3) from radians: nod down, turn to the performer's left, tilt to the right shoulder."""
    cx, sx, cy, sy, cz, sz = (f(a) for a in (pitch, yaw, roll) for f in (np.cos, np.sin))
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return (z @ y @ x).astype(np.float32)
