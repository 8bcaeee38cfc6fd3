"""The studio: a backdrop of paper and the light on the face."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.texture import linear

SHAPE = (128, 96)
# Name -> share and the sRGB range it is drawn from. Shares are our choice.
BACKDROPS = {
    "blue": (0.2, (56, 84, 138), (92, 126, 184)),  # as in the GRID corpus
    "grey": (0.3, (92, 94, 98), (168, 168, 168)),
    "white": (0.18, (196, 197, 200), (228, 226, 222)),
    "dark": (0.1, (34, 36, 40), (62, 62, 64)),
    "sand": (0.08, (150, 138, 120), (198, 186, 166)),
    "sage": (0.07, (98, 112, 100), (140, 154, 140)),
    "slate": (0.05, (70, 84, 100), (104, 120, 138)),
    "colour": (0.02, (40, 40, 40), (210, 210, 210)),
}


@dataclass(frozen=True)
class Light:
    """Direction (3,) of the lamp, unit length, and linear RGB (3,) of key and ambient light."""

    key: np.ndarray
    key_colour: np.ndarray
    ambient_colour: np.ndarray


def draw_light(rng: np.random.Generator, tone: float) -> Light:
    """A large key lamp from a side above, and fill from everywhere, each with its own tint.

    Exposure follows the sitter as a photographer's does: skin of reflectance `tone` (0..1) below a
    quarter gets more light, by the power -0.35 of the ratio, at most twice.
    """
    azimuth = np.radians(rng.uniform(18, 48) * rng.choice([-1, 1]))
    elevation = np.radians(rng.uniform(18, 42))
    level = np.cos(elevation)
    key = np.array([np.sin(azimuth) * level, np.sin(elevation), np.cos(azimuth) * level])
    warmth, ratio = rng.normal(0.01, 0.035), rng.uniform(0.32, 0.62)
    exposure = rng.uniform(0.92, 1.1) * np.clip((0.25 / tone) ** 0.35, 0.8, 2)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    total = 2.55 * exposure
    return Light(key, total * (1 - 0.45 * ratio) * tint, total * 0.62 * ratio * (2 - tint))


def draw_backdrop(rng: np.random.Generator) -> tuple[str, np.ndarray]:
    """Its name and (128, 96, 3) linear RGB: one colour, a gradient, a soft spot of light."""
    names = list(BACKDROPS)
    name = names[rng.choice(len(names), p=[BACKDROPS[n][0] for n in names])]
    _, low, high = BACKDROPS[name]
    share = rng.random(3) if name == "colour" else np.full(3, rng.random())
    colour = linear(np.array(low) + share * (np.array(high) - low) + rng.normal(0, 3, 3))
    rows, columns = np.mgrid[0 : 1 : SHAPE[0] * 1j, 0 : 1 : SHAPE[1] * 1j]
    shade = 1 + rng.normal(0, 0.1) * (rows - 0.5) * 2 + rng.normal(0, 0.1) * (columns - 0.5) * 2
    top, left = rng.uniform(0.1, 0.6), rng.uniform(0.2, 0.8)
    spot = np.exp(-(((rows - top) / 0.55) ** 2) - ((columns - left) / 0.6) ** 2)
    paper = colour * (shade * 0.9 + rng.uniform(0, 0.3) * spot)[..., None]
    return name, paper.clip(0, 1).astype(np.float32)
