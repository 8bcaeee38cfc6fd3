"""What a performer looks like besides shape: the painted skin and the colours of all else."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.beard import paint_beard
from talker.studio.brows import draw_brows, paint_brows
from talker.studio.character import Character
from talker.studio.complexion import paint_skin
from talker.studio.hairstyle import Hairstyle
from talker.studio.makeup import lip_colour, paint_cheeks, paint_eyes
from talker.studio.texture import canvas, linear, noise, sigmoid, texels
from talker.studio.wardrobe import paint_clothes


@dataclass(frozen=True)
class Look:
    """texture (SIZE, SIZE, 4): linear RGB of the skin, and its sheen in 0..1; other colours (3,),
    linear RGB; hair (h, w, 4): linear RGB and gloss of strands, None where it is only painted;
    gloss of the skin, about 1; pupil: its radius in units of the eyeball's.
    """

    texture: np.ndarray
    lips: np.ndarray
    iris: np.ndarray
    lash: np.ndarray
    teeth: np.ndarray
    hair: np.ndarray | None
    sclera: np.ndarray
    gloss: float
    pupil: float


_IRIS = [(70, 44, 24), (96, 62, 32), (112, 96, 54), (86, 108, 78), (88, 120, 150), (124, 142, 154)]
# Opacity of the painted scalp; everything else has a shell of hair above it.
_SHORN = {"bald": 0.16, "buzz": 0.8, "receding": 0.6}


def paint_roots(rng, hair: Hairstyle, angle, height, texture) -> np.ndarray:
    """The texture with the scalp behind the hairline in the hair's colour, its edge irregular."""
    strands, patches = noise(rng, (5, 1.1)), noise(rng, 7)
    edge = hair.hairline.height(angle) + 0.02 * strands + 0.02 * patches
    soft = 34 if hair.style in ("bald", "buzz", "receding") else 26
    cover = sigmoid((height - edge - 0.02) * soft) * (np.abs(angle) < 2.15)
    cover = cover * sigmoid((height - 6.95) * 30)
    ear = np.exp(-(((np.abs(angle) - 1.62) / 0.3) ** 4) - ((height - 7.1) / 0.34) ** 4)
    opaque = _SHORN.get(hair.style, 0.85)
    if hair.style in ("bald", "receding"):  # the top is bare, a rim is left around it
        opaque = opaque * (0.25 + 0.75 * sigmoid((np.abs(angle) - 0.95) * 9))
    alpha = (cover * (1 - ear) * opaque * (1 + 0.1 * strands)).clip(0, 0.93)[..., None]
    return texture * (1 - alpha) + hair.colour * (0.8 + 0.12 * strands[..., None]).clip(0.2) * alpha


def look(rng: np.random.Generator, who: Character) -> Look:
    """Everything painted of one performer but the strands of hair, which `hair` stays None for."""
    angle, height = canvas()
    skin, hair, woman = who.skin, who.hair, who.gender == "female"
    texture = paint_skin(rng, angle, height, skin, who.years)
    texture = paint_cheeks(who.makeup, angle, height, texture)
    lash = (linear((24, 17, 14)) + 0.08 * hair.colour).astype(np.float32)
    texture = paint_eyes(who.makeup, angle, height, texture, lash, woman)
    brow_colour = 0.45 * hair.colour.clip(0, 0.25) + 0.55 * linear((48, 34, 27))
    brows = draw_brows(rng, who.gender, who.years)
    texture = paint_brows(rng, brows, angle, height, texture, brow_colour)
    bare = texture
    texture = paint_beard(rng, who.beard, angle, height, texture, hair.colour)
    texture = paint_roots(rng, hair, angle, height, texture)
    texture = paint_clothes(rng, who.clothes, angle, height, texture)
    # Hair and cloth on the skin do not shine as it does.
    covered = np.abs(texture - bare).sum(2) / bare.sum(2)
    sheen = 1 - 0.85 * (3 * covered).clip(0, 1)
    texture = np.concatenate([texture, sheen[..., None]], 2)
    light_eyed = who.ancestry["caucasian"] > 0.55
    colour = _IRIS[rng.integers(6) if light_eyed else rng.integers(2)]
    return Look(
        texture=texture.clip(0, 1).astype(np.float32),
        lips=lip_colour(rng, who.makeup, skin.base, skin.monk).clip(0, 1),
        iris=(linear(colour) * rng.uniform(0.85, 1.3)).astype(np.float32),
        lash=lash,
        teeth=linear(np.array([250, 243, 228]) - rng.uniform(0, 20)),
        hair=None,
        sclera=linear(np.array([232, 226, 220]) - rng.uniform(0, 12)),
        gloss=float(rng.uniform(0.6, 1.2) * (1 + 0.25 * (skin.monk > 6.5))),
        pupil=float(rng.uniform(0.16, 0.22)),
    )


def skin_along(texture: np.ndarray, angle: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Colours (K, 3) of the texture at angles and heights (K,) of the template."""
    at = texels(angle, height).round().astype(int)
    return texture[at[:, 1], at[:, 0], :3]
