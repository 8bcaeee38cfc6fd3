"""What the parts of a head are made of: the colour and the gloss of every point that a ray hits."""

from __future__ import annotations

import cv2
import numpy as np

from talker.studio.anatomy import EYE, HAIR, LASH, SKIN, TEETH, TONGUE
from talker.studio.paint import Look

_ACROSS = 256


def material(
    look: Look, kind: np.ndarray, surface: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Albedo (R, 3) in linear RGB, strength and sharpness (R,) of the highlight, for each hit.

    Args:
        look: the performer's colours.
        kind: (R,) of SKIN..HAIR.
        surface: (R, 4): two coordinates on the part (texels for skin, units of the eyeball's radius
            for eyes, strand and way down for hair), share of lips, share of the mouth's inside.
    """
    albedo = np.empty((len(kind), 3), np.float32)
    strength = np.full(len(kind), 0.05 * look.gloss, np.float32)
    sharpness = np.full(len(kind), 18.0, np.float32)

    at = np.flatnonzero(kind == SKIN)
    skin = _bilinear(look.texture, surface[at, 0], surface[at, 1])
    lips, inside = surface[at, 2:3].clip(0, 1), surface[at, 3:4].clip(0, 1)
    skin = skin * (1 - lips) + look.lips * lips
    albedo[at] = skin * (1 - inside) + np.float32([0.16, 0.035, 0.03]) * inside
    strength[at] += 0.10 * lips[:, 0]
    sharpness[at] += 30 * lips[:, 0]

    at = np.flatnonzero(kind == EYE)
    albedo[at] = _eye(look, surface[at, :2])
    strength[at], sharpness[at] = 0.9, 220.0

    at = np.flatnonzero(kind == TEETH)
    albedo[at] = look.teeth
    strength[at], sharpness[at] = 0.12, 60.0
    at = np.flatnonzero(kind == TONGUE)
    albedo[at] = np.float32([0.42, 0.12, 0.11])
    strength[at], sharpness[at] = 0.1, 30.0
    at = np.flatnonzero(kind == LASH)
    albedo[at], strength[at] = look.lash, 0.0

    at = np.flatnonzero(kind == HAIR)
    angle, way = surface[at, 0], surface[at, 1]
    streak = np.sin(angle * 611 + 3 * np.sin(way * 7)) + np.sin(angle * 1607 + 2 * np.sin(way * 5))
    albedo[at] = look.hair * (1 + 0.22 * streak[:, None]).clip(0.3, None)
    strength[at], sharpness[at] = 0.11 * look.hair.clip(0.05, 0.4).mean() ** 0.5, 9.0
    return albedo, strength, sharpness


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
    """Texels (R, 3) float32 at R places between them."""
    # cv2.remap takes no column of 32768 or longer, so they are laid out as a picture.
    shape = (1 + len(column) // _ACROSS, _ACROSS)
    places = np.resize(column, shape), np.resize(row, shape)
    sampled = cv2.remap(texture, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return sampled.reshape(-1, 3)[: len(column)]
