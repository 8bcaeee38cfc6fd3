"""Glasses: a thin frame around each eye, bridge and temples, and a sliver of reflection.

A fifth of the performers wear them, which is our choice: fewer than in life, as on recordings that
are made to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.anatomy import PLAIN, SKIN, anatomy
from talker.studio.landmarks import landmark_vertices
from talker.studio.texture import linear
from talker.studio.worn import Worn, tube

SHARE = 0.2
# Half width and half height of a lens, roundness (2 an ellipse, more a box), lift of its outer
# corner, all in decimetres.
_SHAPES = {
    "round": (0.225, 0.21, 2.0, 0.0),
    "oval": (0.25, 0.17, 2.2, 0.0),
    "rectangular": (0.26, 0.16, 4.5, 0.0),
    "square": (0.25, 0.19, 3.6, 0.01),
    "cat eye": (0.26, 0.17, 2.8, 0.055),
    "aviator": (0.26, 0.2, 2.6, -0.05),
}
_COLOURS = {
    "black": (30, 30, 33),
    "tortoise": (98, 60, 36),
    "gold": (176, 146, 86),
    "silver": (150, 152, 156),
    "navy": (40, 52, 88),
    "wine": (104, 40, 52),
    "clear": (196, 184, 172),
}
_POINTS = 26


@dataclass(frozen=True)
class Glasses:
    """shape and colour by name; rim: half thickness of the frame, decimetres; size, about 1."""

    shape: str
    colour: str
    rim: float
    size: float


def draw_glasses(rng: np.random.Generator, gender: str) -> Glasses | None:
    """Draw somebody's glasses, or None; takes the same number of draws for everyone."""
    wears = rng.random() < SHARE
    shapes = [s for s in _SHAPES if s != ("cat eye" if gender == "male" else "aviator")]
    shape = shapes[rng.integers(len(shapes))]
    colour = list(_COLOURS)[rng.choice(len(_COLOURS), p=[0.32, 0.2, 0.12, 0.12, 0.1, 0.06, 0.08])]
    thin, thick, size = rng.uniform(0.009, 0.012), rng.uniform(0.014, 0.021), rng.normal(1, 0.05)
    rim = thin if colour in ("gold", "silver") or shape == "aviator" else thick
    return Glasses(shape, colour, float(rim), float(np.clip(size, 0.9, 1.1))) if wears else None


def _outline(glasses: Glasses, side: int, centre: np.ndarray) -> np.ndarray:
    """(_POINTS, 2) x and y of one lens's edge, counterclockwise for the viewer."""
    wide, high, power, lift = _SHAPES[glasses.shape]
    turn = np.arange(_POINTS) * 2 * np.pi / _POINTS
    c, s = np.cos(turn), np.sin(turn)
    radius = glasses.size / (np.abs(c) ** power + np.abs(s) ** power) ** (1 / power)
    x, y = wide * radius * c, high * radius * s
    outer = (side * x / wide).clip(-1, 1)  # -1 at the nose, 1 at the temple
    y = y + lift * outer * (1 if lift > 0 else -1) * (y > 0) if lift else y
    if glasses.shape == "aviator":  # a drop that narrows towards the nose's side below
        x = x * (1 - 0.1 * (y < 0)) + side * 0.02 * (y < 0)
    return centre[:2] + np.stack([x, y], 1)


def make_glasses(glasses: Glasses, rest: np.ndarray) -> Worn:
    """The mesh on a face of shape `rest` (N, 3); it stands clear of lashes, lids and brows."""
    body = anatomy()
    eyes = [rest[ids].mean(0) for ids in body.eyes]
    marks = rest[landmark_vertices()]
    skin = rest[np.unique(body.triangles[body.part == SKIN])]
    near = (np.abs(skin[:, 1] - eyes[0][1]) < 0.2) & (np.abs(np.abs(skin[:, 0]) - 0.34) < 0.16)
    front = max(skin[near, 2].max() + 0.05, marks[28, 2] - 0.06)

    def on_face(flat: np.ndarray) -> np.ndarray:  # the frame's front is bent around the face
        return np.concatenate([flat, (front - 0.22 * flat[:, :1] ** 2)], 1)

    pieces = []
    rim, forward = glasses.rim, np.array([0.0, 0.0, 1.0])
    middle = (eyes[0] + eyes[1]) / 2 - [0, 0.03, 0]
    reach = {}
    for side, eye in zip((1, -1), eyes, strict=True):
        at = np.array([side * max(abs(eye[0] - middle[0]), _SHAPES[glasses.shape][0] + 0.06), 0])
        edge = _outline(glasses, side, at + middle[:2])
        loop = on_face(edge)
        away = loop - loop.mean(0)
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        closed, away = np.concatenate([loop, loop[:1]]), np.concatenate([away, away[:1]])
        pieces.append(
            (tube(closed, rim * away, 0.8 * rim * np.tile(forward, (len(away), 1)), 4), 1)
        )
        glint = on_face((edge[3:8] if side > 0 else edge[6:11]) * 0.84 + (at + middle[:2]) * 0.16)
        thin = np.tile([0.004, 0.006, 0], (len(glint), 1))
        pieces.append((tube(glint, thin, 0.002 * np.tile(forward, (len(glint), 1)), 4), 0))
        inner, outer = edge[(side * edge[:, 0]).argmin()], edge[(side * edge[:, 0]).argmax()]
        reach[side] = inner
        ear = np.abs(rest[body.masks["ears"] > 0.5, 0]).max()
        hinge = np.array([outer[0] + side * (rim + 0.03), middle[1] + 0.09])
        start = on_face(hinge[None])[0] - [0, 0, 0.02]
        depth = np.array([start[2], start[2] - 0.12, 0.6, 0.1, -0.1])
        width = np.array([abs(start[0]), abs(start[0]) + 0.035, ear - 0.1, ear - 0.06, ear - 0.06])
        rise = np.array([0, 0, -0.01, 0.0, -0.1])
        path = np.stack([side * width, start[1] + rise, depth], 1)
        tall = np.tile([0.0, max(rim, 0.016), 0.0], (5, 1))
        pieces.append((tube(path, np.tile([side * 0.01, 0, 0], (5, 1)), tall, 4), 1))
    t = np.linspace(0, 1, 7)[:, None]
    flat = reach[-1] * (1 - t) + reach[1] * t + [0, 0.05]
    flat[:, 1] += 0.035 * np.sin(np.pi * t[:, 0])
    bridge = on_face(flat)
    bridge[:, 2] += 0.03 * np.sin(np.pi * t[:, 0])
    up = np.tile([0.0, rim, 0.0], (7, 1))
    pieces.append((tube(bridge, up, 0.8 * rim * np.tile(forward, (7, 1)), 4), 1))

    vertices, triangles, surface, first = [], [], [], 0
    frame = np.append(linear(_COLOURS[glasses.colour]), 0.35)
    glint_colour = np.array([0.75, 0.78, 0.8, 0.4])
    for (points, corners), is_frame in pieces:
        vertices.append(points)
        triangles.append(corners + first)
        surface.append(np.tile(frame if is_frame else glint_colour, (len(points), 1)))
        first += len(points)
    return Worn(
        PLAIN,
        np.concatenate(vertices),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(surface).astype(np.float32),
    )
