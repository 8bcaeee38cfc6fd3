"""Who is in front of the camera: face shape, skin, eyes, hair, light and background from one seed.

Shapes mix MakeHuman's targets (gender, age, ancestry, weight, then local ones); what a person looks
like besides shape is painted (`talker.studio.paint`) or modelled (`talker.studio.hair`).
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass

import numpy as np

from talker.studio import hair, paint
from talker.studio.anatomy import LASH, SKIN, TEETH, anatomy, target

ANCESTRIES = ("african", "asian", "caucasian")
# Local shape targets drawn for everyone, as (decreasing end, increasing end, standard deviation).
_SYMMETRIC = [
    ("head/head-scale-horiz-decr", "head/head-scale-horiz-incr", 0.35),
    ("head/head-fat-decr", "head/head-fat-incr", 0.3),
    ("head/head-angle-in", "head/head-angle-out", 0.25),
    ("chin/chin-width-decr", "chin/chin-width-incr", 0.45),
    ("chin/chin-height-decr", "chin/chin-height-incr", 0.4),
    ("chin/chin-prominent-decr", "chin/chin-prominent-incr", 0.4),
    ("chin/chin-bones-decr", "chin/chin-bones-incr", 0.4),
    ("nose/nose-scale-horiz-decr", "nose/nose-scale-horiz-incr", 0.4),
    ("nose/nose-scale-vert-decr", "nose/nose-scale-vert-incr", 0.3),
    ("nose/nose-scale-depth-decr", "nose/nose-scale-depth-incr", 0.4),
    ("nose/nose-hump-decr", "nose/nose-hump-incr", 0.5),
    ("nose/nose-point-down", "nose/nose-point-up", 0.5),
    ("nose/nose-nostrils-width-decr", "nose/nose-nostrils-width-incr", 0.4),
    ("nose/nose-width1-decr", "nose/nose-width1-incr", 0.4),
    ("mouth/mouth-scale-horiz-decr", "mouth/mouth-scale-horiz-incr", 0.35),
    ("mouth/mouth-lowerlip-height-decr", "mouth/mouth-lowerlip-height-incr", 0.5),
    ("mouth/mouth-upperlip-height-decr", "mouth/mouth-upperlip-height-incr", 0.5),
    ("mouth/mouth-lowerlip-volume-decr", "mouth/mouth-lowerlip-volume-incr", 0.4),
    ("mouth/mouth-upperlip-volume-decr", "mouth/mouth-upperlip-volume-incr", 0.4),
    ("mouth/mouth-cupidsbow-decr", "mouth/mouth-cupidsbow-incr", 0.4),
    ("mouth/mouth-angles-down", "mouth/mouth-angles-up", 0.2),
    ("mouth/mouth-trans-down", "mouth/mouth-trans-up", 0.2),
    ("eyebrows/eyebrows-trans-down", "eyebrows/eyebrows-trans-up", 0.4),
    ("eyebrows/eyebrows-angle-down", "eyebrows/eyebrows-angle-up", 0.25),
    ("forehead/forehead-scale-vert-decr", "forehead/forehead-scale-vert-incr", 0.4),
    ("forehead/forehead-temple-decr", "forehead/forehead-temple-incr", 0.4),
]
_PAIRED = [  # one target a side: mostly symmetric, with a little asymmetry
    ("cheek/{}-cheek-bones-decr", "cheek/{}-cheek-bones-incr", 0.45),
    ("cheek/{}-cheek-volume-decr", "cheek/{}-cheek-volume-incr", 0.45),
    ("eyes/{}-eye-height2-decr", "eyes/{}-eye-height2-incr", 0.3),
    ("eyes/{}-eye-corner1-down", "eyes/{}-eye-corner1-up", 0.4),
    ("eyes/{}-eye-corner2-down", "eyes/{}-eye-corner2-up", 0.4),
    ("eyes/{}-eye-trans-in", "eyes/{}-eye-trans-out", 0.3),
    ("eyes/{}-eye-eyefold-down", "eyes/{}-eye-eyefold-up", 0.4),
    ("eyes/{}-eye-bag-decr", "eyes/{}-eye-bag-incr", 0.3),
    ("ears/{}-ear-scale-decr", "ears/{}-ear-scale-incr", 0.4),
]
# The actions' two ends of this mesh part the lips slightly at rest; these weights seal them.
_SEAL = {
    "mouthClose": 0.07,
    "mouthPressLeft": 0.1,
    "mouthPressRight": 0.1,
    "mouthSmileLeft": 0.1,
    "mouthSmileRight": 0.1,
}


@dataclass(frozen=True)
class Light:
    """Direction (3,) of the lamp, unit length, and linear RGB (3,) of key and ambient light."""

    key: np.ndarray
    key_colour: np.ndarray
    ambient_colour: np.ndarray


@dataclass(frozen=True)
class Performer:
    """One rendered person.

    name; gender "female"/"male"; age in years; ancestry: weights summing to 1; rest (N, 3) float32,
    the shape without any action, decimetres; look: colours and texture; hair: None for the bald;
    light; background (128, 96, 3) linear RGB.
    """

    name: str
    gender: str
    age: float
    ancestry: dict[str, float]
    rest: np.ndarray
    look: paint.Look
    hair: hair.HairMesh | None
    light: Light
    background: np.ndarray


def macro_weights(gender: float, age: float, weight: float, ancestry: dict) -> dict[str, float]:
    """MakeHuman's macro targets as a product of linear interpolations.

    Args:
        gender: 0 female .. 1 male. age: 0 young (25 years) .. 1 old. weight: 0 thin .. 1 heavy.
        ancestry: weights of ANCESTRIES, summing to 1.

    Returns:
        Target name -> weight; those of body shape sum to 1, and so do those of ancestry.
    """
    genders = {"female": 1 - gender, "male": gender}
    ages = {"young": 1 - age, "old": age}
    weights = {
        "minweight": max(0.0, 1 - 2 * weight),
        "averageweight": 1 - abs(2 * weight - 1),
        "maxweight": max(0.0, 2 * weight - 1),
    }
    mix = {}
    for (g, wg), (a, wa), (w, ww) in itertools.product(
        genders.items(), ages.items(), weights.items()
    ):
        mix[f"macrodetails/universal-{g}-{a}-averagemuscle-{w}"] = wg * wa * ww
    for (r, wr), (g, wg), (a, wa) in itertools.product(
        ancestry.items(), genders.items(), ages.items()
    ):
        mix[f"macrodetails/{r}-{g}-{a}"] = wr * wg * wa
    return {name: value for name, value in mix.items() if value > 1e-3}


def _local_weights(rng: np.random.Generator) -> dict[str, float]:
    mix: dict[str, float] = {}

    def add(low: str, high: str, value: float) -> None:
        value = float(np.clip(value, -0.75, 0.75))
        mix[low if value < 0 else high] = abs(value)

    for low, high, deviation in _SYMMETRIC:
        add(low, high, rng.normal(0, deviation))
    for low, high, deviation in _PAIRED:
        both = rng.normal(0, deviation)
        for side in "lr":
            add(low.format(side), high.format(side), both + rng.normal(0, 0.12))
    shapes = ["oval", "round", "square", "rectangular", "diamond", "invertedtriangular"]
    mix[f"head/head-{rng.choice(shapes)}"] = float(rng.uniform(0.1, 0.6))
    return mix


@functools.lru_cache(maxsize=1)
def _lash_roots() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lash vertices, for each the nearest skin vertex (where it grows), and whether it is upper."""
    body = anatomy()
    lash = np.unique(body.triangles[body.part == LASH])
    skin = np.unique(body.triangles[body.part == SKIN])
    distance = np.linalg.norm(body.vertices[lash][:, None] - body.vertices[skin][None], axis=2)
    upper = body.vertices[lash, 1] > _eye_middle(body.vertices)[1]
    return lash, skin[distance.argmin(1)], upper


@functools.lru_cache(maxsize=1)
def _upper_teeth() -> np.ndarray:
    body = anatomy()
    teeth = np.unique(body.triangles[body.part == TEETH])
    return teeth[target("faceunits/jawOpen")[teeth, 1] == 0]  # the jaw carries the lower ones


def _eye_middle(vertices: np.ndarray) -> np.ndarray:
    """The point (3,) halfway between the eyeballs' centres."""
    left, right = anatomy().eyes
    return (vertices[left].mean(0) + vertices[right].mean(0)) / 2


def _light(rng: np.random.Generator) -> Light:
    azimuth, elevation = np.radians(rng.uniform(-50, 50)), np.radians(rng.uniform(15, 45))
    key = np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )
    warmth = rng.uniform(-0.08, 0.1)
    power, ambient = rng.uniform(1.5, 2.1), rng.uniform(0.6, 0.95)
    tint = np.array([1 + warmth, 1.0, 1 - warmth])
    return Light(key, power * tint, ambient * (2 - tint))


@functools.lru_cache(maxsize=256)
def performer(number: int, seed: int = 0) -> Performer:
    """The `number`-th performer of the corpus with this seed; genders alternate, ancestries rotate.

    The same arguments give the same person on every machine.
    """
    rng = np.random.default_rng([seed, 1, number])
    gender = "female" if number % 2 == 0 else "male"
    major = ANCESTRIES[(number // 2 + number // 6) % 3]
    share = rng.dirichlet([0.35, 0.35, 0.35]) * 0.45
    ancestry = {
        name: float(w + 0.55 * (name == major)) for name, w in zip(ANCESTRIES, share, strict=True)
    }
    years = float(np.clip(rng.gamma(2.2, 8.0) + 18, 18, 75))
    age = float(np.clip((years - 25) / 50, 0, 1))
    masculine = float(np.clip(rng.normal(0.12 if gender == "female" else 0.88, 0.08), 0, 1))
    heavy = float(np.clip(rng.normal(0.5, 0.2), 0.1, 0.95))

    mix = macro_weights(masculine, age, heavy, ancestry) | _local_weights(rng)
    mix |= {f"faceunits/{name}": value for name, value in _SEAL.items()}
    rest = anatomy().vertices.copy()
    for name, value in mix.items():
        rest += np.float32(value) * target(name)
    rest += _eye_middle(anatomy().vertices) - _eye_middle(rest)  # same seat for short and tall
    rest[_upper_teeth()] -= np.float32([0, 0.05, 0])  # shown as much as when people speak
    lash, root, upper = _lash_roots()
    length = np.where(upper, *((0.42, 0.2) if gender == "female" else (0.26, 0.12)))
    rest[lash] = rest[root] + length[:, None].astype(np.float32) * (rest[lash] - rest[root])

    look = paint.look(rng, gender, years, ancestry)
    return Performer(
        name=f"p{number:03d}",
        gender=gender,
        age=years,
        ancestry=ancestry,
        rest=rest,
        look=look,
        hair=hair.grow(rng, rest, gender, years, major),
        light=_light(rng),
        background=paint.background(rng),
    )
