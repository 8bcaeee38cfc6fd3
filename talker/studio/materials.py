"""What the parts of a head are made of: the colour and the gloss of every point that a ray hits."""

from __future__ import annotations

import cv2
import numpy as np

from talker.studio.anatomy import EYE, HAIR, LASH, PLAIN, SKIN, TEETH, TONGUE
from talker.studio.paint import Look
from talker.studio.texture import SIZE

_ACROSS = 256
_HAIR_GLOSS = 0.05
_SEAM = 0.5392  # where the closed lips meet, as a share of the texture's rows
_MOLARS = 17.0  # the row of teeth that shows is 2 / 17 of the texture wide


def material(
    look: Look, kind: np.ndarray, surface: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Albedo (R, 3) in linear RGB, strength and sharpness (R,) of the highlight, for each hit.

    Args:
        look: the performer's colours.
        kind: (R,) of SKIN..PLAIN.
        surface: (R, 4): two coordinates on the part (texels for skin, units of the eyeball's radius
            for eyes, texels of the strands for hair), share of lips, share of the mouth's inside;
            for what is PLAIN linear RGB and gloss.
    """
    albedo = np.empty((len(kind), 3), np.float32)
    strength = np.full(len(kind), 0.05 * look.gloss, np.float32)
    sharpness = np.full(len(kind), 18.0, np.float32)

    at = np.flatnonzero(kind == SKIN)
    skin = _bilinear(look.texture, surface[at, 0], surface[at, 1])
    lips, inside = surface[at, 2:3].clip(0, 1), surface[at, 3:4].clip(0, 1)
    strength[at] *= skin[:, 3]
    skin = skin[:, :3] * (1 - lips) + look.lips * _lips(surface[at, 1]) * lips
    albedo[at] = skin * (1 - inside) + np.float32([0.16, 0.035, 0.03]) * inside
    strength[at] += 0.06 * lips[:, 0]
    sharpness[at] += 30 * lips[:, 0]

    at = np.flatnonzero(kind == EYE)
    albedo[at] = _eye(look, surface[at, :2])
    strength[at], sharpness[at] = 0.9, 90.0

    at = np.flatnonzero(kind == TEETH)
    albedo[at] = look.teeth * _teeth(surface[at, 0])[:, None]
    strength[at], sharpness[at] = 0.12, 60.0
    at = np.flatnonzero(kind == TONGUE)
    albedo[at] = np.float32([0.42, 0.12, 0.11])
    strength[at], sharpness[at] = 0.1, 30.0
    at = np.flatnonzero(kind == LASH)
    albedo[at], strength[at] = look.lash, 0.0

    at = np.flatnonzero(kind == HAIR)
    if len(at):
        strands = _bilinear(look.hair, surface[at, 0], surface[at, 1])
        albedo[at], strength[at] = strands[:, :3], _HAIR_GLOSS * strands[:, 3]
        sharpness[at] = 14.0
    at = np.flatnonzero(kind == PLAIN)
    albedo[at], strength[at], sharpness[at] = surface[at, :3], surface[at, 3], 40.0
    return albedo, strength, sharpness


def _lips(row: np.ndarray) -> np.ndarray:
    """Brightness (R, 1) of the lips at texel rows: dark where they meet, the upper one darker."""
    below = row / (SIZE - 1) - _SEAM
    seam = 0.45 * np.exp(-((below / 0.005) ** 2))
    return (0.8 + 0.2 * _step(below, -0.004, 0.006) - seam)[:, None].astype(np.float32)


def _teeth(column: np.ndarray) -> np.ndarray:
    """Brightness (R,) of teeth at texel columns: gaps between them, darker towards the molars."""
    aside = np.abs(column / (SIZE - 1) - 0.5) * _MOLARS
    gaps = 1 - 0.22 * np.exp(-(((aside * 3.5 + 0.5) % 1 - 0.5) ** 2) / 0.006)
    return gaps * (1 - 0.9 * _step(aside, 0.35, 0.8))


def _eye(look: Look, place: np.ndarray) -> np.ndarray:
    """Albedo (R, 3) of the eyeball at (x, y) in units of its radius: white, iris, pupil."""
    radius = np.hypot(place[:, 0], place[:, 1])
    angle = np.arctan2(place[:, 1], place[:, 0])
    fibre = 1 + 0.16 * np.sin(angle * 23) * np.sin(angle * 7 + 1) + 0.25 * (radius / 0.44 - 0.5)
    ring = 1 - 0.55 * _step(radius, 0.38, 0.45)
    iris = look.iris * (fibre * ring)[:, None]
    pupil = _step(radius, look.pupil - 0.02, look.pupil + 0.02)[:, None]
    iris = iris * pupil + 0.006 * (1 - pupil)
    white = look.sclera * (1 - 0.25 * _step(radius, 0.6, 1.0))[:, None]
    outside = _step(radius, 0.43, 0.48)[:, None]
    return iris * (1 - outside) + white * outside


def _step(value: np.ndarray, low: float, high: float) -> np.ndarray:
    """Smoothstep from 0 below `low` to 1 above `high`."""
    t = ((value - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _bilinear(texture: np.ndarray, column: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Texels (R, C) float32 at R places between them."""
    # cv2.remap takes no column of 32768 or longer, so they are laid out as a picture.
    shape = (1 + len(column) // _ACROSS, _ACROSS)
    places = np.resize(column, shape), np.resize(row, shape)
    sampled = cv2.remap(texture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return sampled.reshape(-1, texture.shape[2])[: len(column)]
