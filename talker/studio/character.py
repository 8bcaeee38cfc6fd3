"""Who somebody is and what they wear: everything drawn by chance before anything is built."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.studio.beard import Beard, draw_beard
from talker.studio.complexion import Complexion, draw_complexion
from talker.studio.glasses import Glasses, draw_glasses
from talker.studio.hairstyle import Hairstyle, style_hair
from talker.studio.makeup import Makeup, draw_makeup
from talker.studio.wardrobe import Clothes, draw_clothes

ANCESTRIES = ("african", "asian", "caucasian")


@dataclass(frozen=True)
class Character:
    """gender "female"/"male"; years of age; ancestry: weights of ANCESTRIES summing to 1; the rest
    as drawn by the modules that paint or build it. glasses: None for who wears none.
    """

    gender: str
    years: float
    ancestry: dict[str, float]
    skin: Complexion
    hair: Hairstyle
    beard: Beard
    makeup: Makeup
    glasses: Glasses | None
    clothes: Clothes

    def wears(self) -> dict[str, str]:
        """The names of what was drawn; skin is the level on Monk's scale."""
        glasses = self.glasses
        return {
            "hair": self.hair.style,
            "hair_colour": self.hair.colour_name,
            "curl": self.hair.curl,
            "beard": self.beard.kind,
            "makeup": self.makeup.kind,
            "glasses": "none" if glasses is None else f"{glasses.colour} {glasses.shape}",
            "clothes": self.clothes.garment,
            "skin": f"monk {round(self.skin.monk)}",
        }


def character(number: int, seed: int = 0) -> Character:
    """The `number`-th person of the corpus with this seed; genders alternate, ancestries rotate.

    Ages are 18 years and more, half of them under 33, none over 75 (our choice).
    """
    rng = np.random.default_rng([seed, 1, number, 0])
    gender = "female" if number % 2 == 0 else "male"
    major = ANCESTRIES[(number // 2 + number // 6) % 3]
    share = rng.dirichlet([0.35, 0.35, 0.35]) * 0.45
    ancestry = {
        name: float(w + 0.55 * (name == major)) for name, w in zip(ANCESTRIES, share, strict=True)
    }
    years = float(np.clip(rng.gamma(2.2, 8.0) + 18, 18, 75))
    return Character(
        gender=gender,
        years=years,
        ancestry=ancestry,
        skin=draw_complexion(rng, ancestry),
        hair=style_hair(rng, gender, years, ancestry),
        beard=draw_beard(rng, gender),
        makeup=draw_makeup(rng, gender),
        glasses=draw_glasses(rng, gender),
        clothes=draw_clothes(rng, gender),
    )
