"""Which hair somebody has: curl, style, colour and hairline, drawn by age, gender and ancestry.

Curl has four classes, coarser than the eight of De la Mettrie et al. 2007 (Human Biology 79:265),
who sorted hair by its shape because no shape belongs to one group of people: here too every class
occurs in every ancestry. Men recede as in Rhodes et al. 1998 (Dermatologic Surgery 24:1330): 16 %
of those of 18-29 years and 53 % of those of 40-49. Hair greys from the forties on; Panhard et al.
2012 (British Journal of Dermatology 167:865) saw some grey in 74 % of people of 45-65, and 6 to
23 % half grey at 50. The odds of curls, styles and natural colours are our choice, made so that all
occur among 60 performers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_KNOTS = np.radians([0, 22, 34, 47, 57, 63, 69, 74, 80, 100, 135, 180])
CURLS = ("straight", "wavy", "curly", "coily")
_CURL_ODDS = {
    "african": (0.02, 0.08, 0.25, 0.65),
    "asian": (0.72, 0.22, 0.05, 0.01),
    "caucasian": (0.42, 0.37, 0.18, 0.03),
}
STYLES = (
    "bald",
    "receding",
    "buzz",
    "cropped",
    "side parting",
    "swept back",
    "fringe",
    "curls",
    "afro",
    "bob",
    "bob with fringe",
    "long straight",
    "long wavy",
    "tied back",
    "braids",
)
_STYLE_ODDS = {  # gender -> curl -> style -> odds, without those who recede
    "female": {
        "straight": {
            "cropped": 0.05,
            "side parting": 0.05,
            "bob": 0.15,
            "bob with fringe": 0.15,
            "long straight": 0.4,
            "tied back": 0.2,
        },
        "wavy": {
            "cropped": 0.05,
            "side parting": 0.05,
            "bob": 0.2,
            "bob with fringe": 0.1,
            "long wavy": 0.4,
            "tied back": 0.2,
        },
        "curly": {"cropped": 0.1, "curls": 0.45, "long wavy": 0.25, "tied back": 0.2},
        "coily": {"buzz": 0.1, "afro": 0.4, "braids": 0.3, "tied back": 0.2},
    },
    "male": {
        "straight": {
            "buzz": 0.1,
            "cropped": 0.2,
            "side parting": 0.35,
            "swept back": 0.1,
            "fringe": 0.25,
        },
        "wavy": {
            "buzz": 0.1,
            "cropped": 0.15,
            "side parting": 0.35,
            "swept back": 0.25,
            "fringe": 0.1,
            "long wavy": 0.05,
        },
        "curly": {"buzz": 0.15, "cropped": 0.35, "curls": 0.4, "swept back": 0.1},
        "coily": {"buzz": 0.4, "cropped": 0.2, "afro": 0.25, "braids": 0.15},
    },
}
_COLOURS = {  # sRGB of a lit strand
    "black": (40, 35, 33),
    "dark brown": (62, 45, 36),
    "brown": (92, 65, 46),
    "light brown": (130, 97, 68),
    "blond": (196, 160, 112),
    "red": (146, 78, 44),
}
_COLOUR_ODDS = {
    "african": (0.72, 0.24, 0.04, 0.0, 0.0, 0.0),
    "asian": (0.66, 0.26, 0.08, 0.0, 0.0, 0.0),
    "caucasian": (0.08, 0.26, 0.28, 0.2, 0.12, 0.06),
}


@dataclass(frozen=True)
class Hairline:
    """front: height at the middle of the forehead; temple: how far the corners recede; peak: how
    far a widow's peak comes down; sideburn: height of its end; decimetres on the template.
    """

    front: float
    temple: float
    peak: float
    sideburn: float

    def height(self, angle: np.ndarray) -> np.ndarray:
        """Height of the lowest hair at each angle (radians from the front)."""
        side, corner = self.sideburn, self.front - 0.03 + self.temple
        heights = [
            self.front - self.peak,
            self.front + 0.3 * self.temple,
            corner,
            corner - 0.1 - 0.6 * self.temple,
            7.72 + 0.25 * self.temple,
            7.55,
            side + 0.06,
            side,
            7.42,
            7.4,
            6.95,
            6.8,
        ]
        return np.interp(np.abs(angle), _KNOTS, heights)


@dataclass(frozen=True)
class Hairstyle:
    """style of STYLES; curl of CURLS; colour by name and as linear RGB (3,); grey: share of white
    hair in 0..1; hairline; parting: side (-1 the performer's right, 1 left) of parted styles.
    """

    style: str
    curl: str
    colour_name: str
    colour: np.ndarray
    grey: float
    hairline: Hairline
    parting: int


def _mixed(odds: dict[str, tuple], ancestry: dict[str, float]) -> np.ndarray:
    mixed = sum(share * np.array(odds[name]) for name, share in ancestry.items())
    return mixed / mixed.sum()


def recession_odds(years: float) -> float:
    """Share of men of this age whose hair recedes or is gone: 0.16 at 24 years, 0.53 at 45."""
    return float(np.interp(years, [18, 24, 45, 70], [0.06, 0.16, 0.53, 0.7]))


def style_hair(
    rng: np.random.Generator, gender: str, years: float, ancestry: dict[str, float]
) -> Hairstyle:
    """Draw somebody's hair; takes the same number of draws for everyone."""
    curl = str(rng.choice(CURLS, p=_mixed(_CURL_ODDS, ancestry)))
    odds = _STYLE_ODDS[gender][curl]
    style = str(rng.choice(list(odds), p=np.array(list(odds.values())) / sum(odds.values())))
    recedes, how = rng.random() < recession_odds(years), rng.random()
    if gender == "male" and recedes:
        style = "bald" if how < 0.4 else "receding"

    names = list(_COLOURS)
    name = names[rng.choice(len(names), p=_mixed(_COLOUR_ODDS, ancestry))]
    tint = 1 + rng.normal(0, 0.06, 3) * [1, 0.5, 0.7]
    onset = rng.normal(43, 6)  # years; then from no grey to all of it within three decades
    grey = float(np.clip((years - onset) / 30, 0, 1) ** 1.3)
    pigment = (np.array(_COLOURS[name]) / 255) ** 2.2 * tint
    blend = grey**1.7  # single white hairs among dark ones look darker than their mean
    colour = pigment * (1 - blend) + blend * np.array([0.5, 0.49, 0.47])
    if grey > 0.35:
        name = "grey" if grey < 0.75 else "white"

    receding = style == "receding"
    man = gender == "male"
    line = Hairline(
        front=float(rng.normal(7.95 if man else 7.92, 0.035) + 0.16 * receding),
        temple=float(
            abs(rng.normal(0.07 if man else 0.01, 0.03)) + receding * rng.uniform(0.16, 0.3)
        ),
        peak=float(max(0.0, rng.normal(0.0, 0.03))),
        sideburn=float(rng.normal(7.02 if man else 7.2, 0.05)),
    )
    parting = int(rng.choice([-1, 1], p=[0.35, 0.65]))
    return Hairstyle(style, curl, name, colour.astype(np.float32), grey, line, parting)
