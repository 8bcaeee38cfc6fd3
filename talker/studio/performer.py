"""Who is in front of the camera: face shape, skin, eyes, hair, light and background from one seed.

Shapes mix MakeHuman's targets (gender, age, ancestry, weight, then local ones); what a person looks
like besides shape is painted (`talker.studio.paint`) or modelled (`talker.studio.hair`).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from dataclasses import dataclass

import numpy as np

from talker.studio import paint
from talker.studio.anatomy import LASH, SKIN, TEETH, anatomy, target
from talker.studio.backdrop import Light, draw_backdrop, draw_light
from talker.studio.beard import Beard, raise_skin
from talker.studio.character import character
from talker.studio.glasses import make_glasses
from talker.studio.hair import TEXTURE, grow, paint_strands
from talker.studio.landmarks import landmark_vertices
from talker.studio.texture import around
from talker.studio.wardrobe import collar
from talker.studio.worn import Worn

# Local shape targets drawn for everyone: decreasing end, increasing end, mean, standard deviation.
# The means bring the proportions of dlib's landmarks to those of six speakers of the GRID corpus.
_SYMMETRIC = [
    ("head/head-scale-horiz-decr", "head/head-scale-horiz-incr", 0, 0.35),
    ("head/head-fat-decr", "head/head-fat-incr", 0, 0.3),
    ("head/head-angle-in", "head/head-angle-out", -0.15, 0.25),
    ("chin/chin-width-decr", "chin/chin-width-incr", -0.25, 0.36),
    ("chin/chin-height-decr", "chin/chin-height-incr", 0.08, 0.32),
    ("chin/chin-prominent-decr", "chin/chin-prominent-incr", 0, 0.32),
    ("chin/chin-bones-decr", "chin/chin-bones-incr", 0, 0.32),
    ("nose/nose-scale-horiz-decr", "nose/nose-scale-horiz-incr", 0, 0.3),
    ("nose/nose-scale-vert-decr", "nose/nose-scale-vert-incr", 0, 0.22),
    ("nose/nose-scale-depth-decr", "nose/nose-scale-depth-incr", 0, 0.22),
    ("nose/nose-hump-decr", "nose/nose-hump-incr", 0, 0.28),
    ("nose/nose-point-down", "nose/nose-point-up", 0.1, 0.22),
    ("nose/nose-nostrils-width-decr", "nose/nose-nostrils-width-incr", 0, 0.3),
    ("nose/nose-width1-decr", "nose/nose-width1-incr", 0, 0.3),
    ("mouth/mouth-scale-horiz-decr", "mouth/mouth-scale-horiz-incr", 0.12, 0.35),
    ("mouth/mouth-lowerlip-height-decr", "mouth/mouth-lowerlip-height-incr", 0, 0.5),
    ("mouth/mouth-upperlip-height-decr", "mouth/mouth-upperlip-height-incr", 0, 0.5),
    ("mouth/mouth-lowerlip-volume-decr", "mouth/mouth-lowerlip-volume-incr", 0, 0.4),
    ("mouth/mouth-upperlip-volume-decr", "mouth/mouth-upperlip-volume-incr", 0, 0.4),
    ("mouth/mouth-cupidsbow-decr", "mouth/mouth-cupidsbow-incr", 0, 0.4),
    ("mouth/mouth-angles-down", "mouth/mouth-angles-up", 0.12, 0.15),
    ("mouth/mouth-trans-down", "mouth/mouth-trans-up", -0.2, 0.2),
    ("eyebrows/eyebrows-trans-down", "eyebrows/eyebrows-trans-up", 0.35, 0.35),
    ("eyebrows/eyebrows-angle-down", "eyebrows/eyebrows-angle-up", 0, 0.25),
    ("forehead/forehead-scale-vert-decr", "forehead/forehead-scale-vert-incr", 0, 0.4),
    ("forehead/forehead-temple-decr", "forehead/forehead-temple-incr", 0, 0.4),
    ("head/head-scale-vert-decr", "head/head-scale-vert-incr", 0.22, 0.15),
    ("mouth/mouth-scale-vert-decr", "mouth/mouth-scale-vert-incr", 0.22, 0.15),
    ("nose/nose-trans-down", "nose/nose-trans-up", 0.2, 0.15),
]
_PAIRED = [  # one target a side: mostly symmetric, with a little asymmetry
    ("cheek/{}-cheek-bones-decr", "cheek/{}-cheek-bones-incr", 0.45),
    ("cheek/{}-cheek-volume-decr", "cheek/{}-cheek-volume-incr", 0.45),
    ("eyes/{}-eye-height2-decr", "eyes/{}-eye-height2-incr", 0.2),
    ("eyes/{}-eye-corner1-down", "eyes/{}-eye-corner1-up", 0.4),
    ("eyes/{}-eye-corner2-down", "eyes/{}-eye-corner2-up", 0.4),
    ("eyes/{}-eye-trans-in", "eyes/{}-eye-trans-out", 0.3),
    ("eyes/{}-eye-eyefold-down", "eyes/{}-eye-eyefold-up", 0.25),
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
class Performer:
    """One rendered person.

    name; gender "female"/"male"; age in years; ancestry: weights summing to 1; rest (N, 3) float32,
    the shape without any action, decimetres; look: colours and texture; worn: meshes of hair,
    clothes and glasses; light; background (128, 96, 3) linear RGB; wears: the names of what was
    drawn: hair, hair_colour, curl, beard, makeup, glasses, clothes, backdrop, and skin, the level
    on Monk's scale.
    """

    name: str
    gender: str
    age: float
    ancestry: dict[str, float]
    rest: np.ndarray
    look: paint.Look
    worn: tuple[Worn, ...]
    light: Light
    background: np.ndarray
    wears: dict[str, str]


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

    for low, high, mean, deviation in _SYMMETRIC:
        add(low, high, rng.normal(mean, deviation))
    for low, high, deviation in _PAIRED:
        both = rng.normal(0, deviation)
        for side in "lr":
            add(low.format(side), high.format(side), both + rng.normal(0, 0.12))
    shapes = ["oval", "round", "square", "rectangular", "diamond", "invertedtriangular"]
    mix[f"head/head-{rng.choice(shapes)}"] = float(rng.uniform(0.05, 0.4))
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


def _shape(
    rng: np.random.Generator, gender: str, years: float, ancestry: dict[str, float]
) -> np.ndarray:
    """Vertices (N, 3) float32 of a face at rest."""
    age = float(np.clip((years - 25) / 50, 0, 1))
    masculine = float(np.clip(rng.normal(0.12 if gender == "female" else 0.88, 0.08), 0, 1))
    heavy = float(np.clip(rng.normal(0.42, 0.15), 0.1, 0.75))
    mix = macro_weights(masculine, age, heavy, ancestry) | _local_weights(rng)
    mix |= {f"faceunits/{name}": value for name, value in _SEAL.items()}
    rest = anatomy().vertices.copy()
    for name, value in mix.items():
        rest += np.float32(value) * target(name)
    rest = _narrowed(rest, rng.normal(0.83, 0.06))
    rest += _eye_middle(anatomy().vertices) - _eye_middle(rest)  # same seat for short and tall
    rest[_upper_teeth()] -= np.float32([0, 0.05, 0])  # shown as much as when people speak
    teeth = np.unique(anatomy().triangles[anatomy().part == TEETH])
    rest[teeth] = rest[teeth] * np.float32([0.93, 1, 1]) - np.float32([0, 0, 0.03])  # behind lips
    lash, root, upper = _lash_roots()
    length = np.where(upper, 0.42 if gender == "female" else 0.28, 0.05)
    rest[lash] = rest[root] + length[:, None].astype(np.float32) * (rest[lash] - rest[root])
    rest[lash[~upper], 2] += 0.012  # so short that the skin would show through as dashes
    return rest


def _narrowed(vertices: np.ndarray, share: float) -> np.ndarray:
    """Vertices (N, 3) whose sides, beyond the eyes' outer corners, keep `share` of their width."""
    side = np.abs(vertices[:, 0]) - 0.45
    head = ((vertices[:, 1] - 5.5) / 0.5).clip(0, 1)  # the shoulders stay
    moved = vertices.copy()
    moved[:, 0] -= np.sign(vertices[:, 0]) * (1 - share) * side.clip(0) * head
    return moved


def _beard_relief(beard: Beard, rest: np.ndarray) -> np.ndarray:
    """Displacements (N, 3) float32 that make a full beard stand off the skin."""
    body = anatomy()
    skin = body.triangles[body.part == SKIN]
    edge = rest[skin]
    face = np.cross(edge[:, 1] - edge[:, 0], edge[:, 2] - edge[:, 0])
    normals = np.stack(
        [np.bincount(skin.ravel(), np.repeat(face[:, k], 3), len(rest)) for k in range(3)], 1
    )
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
    fixed = np.ones(len(rest), bool)
    fixed[np.unique(skin)] = False
    fixed |= (body.masks["lips"] > 0) | (body.masks["mouth"] > 0)
    fixed[landmark_vertices()[17:]] = True
    return raise_skin(beard, around(body.vertices), body.vertices[:, 1], normals, fixed)


@functools.lru_cache(maxsize=256)
def performer(number: int, seed: int = 0) -> Performer:
    """The `number`-th performer of the corpus with this seed.

    The same arguments give the same person on every machine.
    """
    who = character(number, seed)
    shape, face, head, studio = (np.random.default_rng([seed, 1, number, k]) for k in range(1, 5))
    rest = _shape(shape, who.gender, who.years, who.ancestry)
    rest = rest + _beard_relief(who.beard, rest)
    look = paint.look(face, who)
    worn = [collar(who.clothes, rest)]
    shell = grow(head, who.hair, rest)
    if shell is not None:
        mesh, close = shell
        circle = np.linspace(-np.pi, np.pi, TEXTURE[1])
        row = paint.skin_along(look.texture, circle, who.hair.hairline.height(circle))
        look = dataclasses.replace(look, hair=paint_strands(head, who.hair, close, row))
        worn.append(mesh)
    if who.glasses is not None:
        worn.append(make_glasses(who.glasses, rest))
    backdrop, background = draw_backdrop(studio)
    return Performer(
        name=f"p{number:03d}",
        gender=who.gender,
        age=who.years,
        ancestry=who.ancestry,
        rest=rest,
        look=look,
        worn=tuple(worn),
        light=draw_light(studio, float(who.skin.base.mean())),
        background=background,
        wears=who.wears() | {"backdrop": backdrop},
    )
