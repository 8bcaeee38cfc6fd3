"""Hair as one shell over the scalp: from the crown down to a hairline, or hanging to a length.

A grid of (angle around the head) x (way down from the crown) is laid on the scalp by ray casting
from inside the head, then lifted by the hair's thickness; long hair leaves the head at its widest
and hangs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.anatomy import SKIN, anatomy
from talker.studio.trace import Scene

COLUMNS, ROWS = 120, 32
_CENTRE = np.array([0.0, 7.62, 0.12], np.float32)


@dataclass(frozen=True)
class HairMesh:
    """vertices (K, 3) decimetres; triangles (M, 3); strand (K, 2) in 0..1: angle and way down, for
    the streaks.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    strand: np.ndarray


def _hairline(angle: np.ndarray, front: float, temple: float, nape: float) -> np.ndarray:
    """Height of the hair's lower edge at each angle (radians from the front), decimetres."""
    knots = np.radians([0, 25, 48, 66, 82, 97, 112, 135, 180])
    heights = [front, front - 0.01, front - 0.07 - temple, 7.62, 7.18, 7.3, 7.0, nape + 0.1, nape]
    return np.interp(np.abs(angle), knots, heights)


def grow(
    rng: np.random.Generator, rest: np.ndarray, gender: str, years: float, ancestry: str
) -> HairMesh | None:
    """Hair for a head of this shape (N, 3), or None for the bald."""
    styles = ["cropped", "short", "full", "bob", "long"]
    odds = [0.05, 0.1, 0.2, 0.3, 0.35] if gender == "female" else [0.33, 0.42, 0.25, 0.0, 0.0]
    style = str(rng.choice(styles, p=odds))
    receding = max(0.0, rng.normal(0.0, 0.06)) + (0.1 * (years > 45) if gender == "male" else 0)
    if gender == "male" and years > 35 and rng.random() < 0.2:
        return None
    thickness = {"cropped": 0.045, "short": 0.11, "full": 0.24, "bob": 0.17, "long": 0.14}[style]
    thickness *= rng.uniform(0.85, 1.3) * (1.35 if ancestry == "african" and style == "full" else 1)
    front = 8.02 + rng.uniform(-0.04, 0.06) + 0.5 * receding
    parting = rng.uniform(-0.5, 0.5)
    length = {"bob": rng.uniform(6.1, 6.5), "long": rng.uniform(4.6, 5.5)}.get(style)

    angle = np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False)
    edge = _hairline(angle, front, receding, 6.75)
    lift = rest[np.argmax(anatomy().vertices[:, 1]), 1] - anatomy().vertices[:, 1].max()
    edge = edge + lift  # the line follows the height of this performer's skull
    centre = _CENTRE + np.array([0, lift, 0], np.float32)
    edge = edge + 0.01 * np.sin(angle * 13 + rng.uniform(0, 6)) + rng.normal(0, 0.012, COLUMNS)

    slope = np.linspace(np.pi / 2 - 0.02, -np.pi / 3, 160)  # elevations tried on each column
    grid_angle, grid_slope = np.meshgrid(angle, slope, indexing="ij")
    level = np.cos(grid_slope)
    direction = np.stack(
        [np.sin(grid_angle) * level, np.sin(grid_slope), np.cos(grid_angle) * level], -1
    ).astype(np.float32)
    body = anatomy()
    skin = Scene(rest, body.triangles[body.part == SKIN])
    flat = direction.reshape(-1, 3)
    distance = skin.distance(np.broadcast_to(centre, flat.shape), flat).reshape(COLUMNS, -1)
    on_scalp = centre + direction * distance[..., None]

    way = np.linspace(0, 1, ROWS)
    points = np.empty((COLUMNS, ROWS, 3), np.float32)
    for c in range(COLUMNS):
        column, heights = on_scalp[c], on_scalp[c][:, 1]
        hanging = length is not None and abs(angle[c]) > np.radians(62)
        stop = max(edge[c], 7.25 + lift) if hanging else edge[c]
        last = max(8, int(np.argmax(heights < stop)) or len(slope) - 1)
        at = way / 0.55 * last if hanging else way * last
        walk = np.minimum(at, last)
        tried = np.arange(len(slope))
        points[c] = np.stack([np.interp(walk, tried, column[:, k]) for k in range(3)], 1)
        out = direction[c][np.minimum(walk.astype(int), len(slope) - 1)]
        ramp = np.minimum(1, ((1 - way) / 0.4) ** 0.7 + 0.04) if not hanging else np.ones(ROWS)
        part = 1 - 0.5 * np.exp(-(((angle[c] - parting) / 0.09) ** 2)) * (way < 0.9)
        points[c] += (thickness * ramp * part)[:, None] * out
        if hanging:
            drop = np.clip((way - 0.55) / 0.45, 0, 1)
            points[c, :, 1] -= drop * (points[c, -1, 1] - length)
            flare = 1 + 0.05 * np.sin(drop * 3) + 0.02 * np.sin(9 * angle[c] + 7 * drop)
            points[c, :, 0] *= flare
            points[c, :, 2] -= 0.12 * drop * np.cos(angle[c])
    ids = np.arange(COLUMNS * ROWS).reshape(COLUMNS, ROWS)
    a, b = ids[:, :-1], np.roll(ids, -1, 0)[:, :-1]
    c, d = np.roll(ids, -1, 0)[:, 1:], ids[:, 1:]
    halves = [np.stack(corners, -1).reshape(-1, 3) for corners in ([a, c, b], [a, d, c])]
    triangles = np.concatenate(halves).astype(np.int32)
    strand = np.stack(np.broadcast_arrays(angle[:, None] / (2 * np.pi) + 0.5, way[None]), -1)
    return HairMesh(points.reshape(-1, 3), triangles, strand.reshape(-1, 2).astype(np.float32))
