"""Hair as a shell over the scalp: columns from the crown to the hairline, over it, or hanging.

A style says how thick the shell is, where it ends, how it waves and what its strands look like. Its
texture holds strands and their gloss; towards a hairline that lies on the skin the strands thin out
into the colour of the painted roots, so that no edge shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from talker.studio.anatomy import HAIR, anatomy
from talker.studio.chart import walk
from talker.studio.hairstyle import Hairstyle
from talker.studio.worn import Worn, grid_triangles

TEXTURE = (128, 768)  # texels: way down, around the head
# Columns are dense where the camera sees them; short hair at the back hides behind ears and neck.
_AROUND = np.radians(
    np.concatenate(
        [np.arange(-180, -105, 12.5), np.arange(-105, 105, 2.5), np.arange(105, 180, 12.5)]
    )
)
_SIDES = _AROUND[np.abs(_AROUND) < np.radians(92)]
_ROWS = 26


@dataclass(frozen=True)
class Cut:
    """How one style is cut, all lengths in decimetres.

    thick: of the shell at its fullest; rise: share of the way from the edge to that; over: how far
    hair falls over the front hairline; length: height at which hanging hair ends (None: none
    hangs); back_of: angle in degrees from which on it hangs; wave, bump: size of waves along
    strands and of curls across them; strands: blur of the texture's strands along and across.
    """

    thick: float
    rise: float = 0.4
    over: float = 0.0
    length: float | None = None
    back_of: float = 66.0
    wave: float = 0.0
    bump: float = 0.0
    strands: tuple[float, float] = (14.0, 0.9)


_CUTS = {
    "receding": Cut(0.045, strands=(3, 1.2)),
    "cropped": Cut(0.075, rise=0.3, bump=0.012, strands=(4, 1.4)),
    "side parting": Cut(0.15, rise=0.2),
    "swept back": Cut(0.17, rise=0.12),
    "fringe": Cut(0.15, over=0.2, bump=0.006),
    "curls": Cut(0.26, rise=0.12, over=0.07, bump=0.05, strands=(3, 3)),
    "afro": Cut(0.5, rise=0.18, bump=0.035, strands=(1.6, 1.6)),
    "bob": Cut(0.15, length=6.45, over=0.02),
    "bob with fringe": Cut(0.15, length=6.4, over=0.22),
    "long straight": Cut(0.11, length=5.0),
    "long wavy": Cut(0.16, length=5.1, wave=0.045, bump=0.01),
    "tied back": Cut(0.05, rise=0.6, strands=(20, 0.9)),
    "braids": Cut(0.1, length=5.1, bump=0.0, strands=(2, 0.8)),
}


def _smooth(value, low: float, high: float):
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _clumps(rng: np.random.Generator, shape: tuple, blur: tuple) -> np.ndarray:
    field = gaussian_filter(rng.standard_normal(shape), blur, mode=("wrap", "nearest"))
    return field / field.std()


def grow(
    rng: np.random.Generator, hair: Hairstyle, rest: np.ndarray
) -> tuple[Worn, Callable[[np.ndarray], np.ndarray]] | None:
    """The shell on a head of shape `rest` (N, 3), and where it lies close to the skin.

    Returns:
        The mesh, and a function that gives at angles the share in 0..1 of hair that ends on the
        skin; where it is 0 hair hangs free. None for hair so short that it is only painted.
    """
    cut = _CUTS.get(hair.style)
    if cut is None:
        return None
    angle = _SIDES if cut.length is None else _AROUND
    degrees = np.abs(np.degrees(angle))
    side = hair.parting * np.degrees(angle)  # positive on the side of the parting
    size = rng.uniform(0.85, 1.2)
    line = hair.hairline.height(angle)
    ragged = np.interp(angle, np.radians(np.arange(-180, 181, 3.0)), rng.normal(0, 1, 121))

    over = cut.over * (1 - _smooth(degrees, 30, 52))
    if hair.style == "side parting":  # falls to the other side, over the corner of the forehead
        over = over + 0.1 * np.exp(-(((side + 34) / 20) ** 2))
    elif hair.style in ("long straight", "long wavy", "bob"):  # frames the forehead
        over = over + 0.16 * _smooth(degrees, 25, 58) * (degrees < 70)
    free = _smooth(over, 0.03, 0.07)
    over = over + free * (0.022 * ragged + 0.02 * np.sin(angle * 23 + rng.uniform(0, 6)))
    edge = np.maximum(line - over, np.where(degrees < 40, 7.72, 0)) + 0.01 * ragged
    edge = edge + 0.03 * (1 - free)  # the painted roots go a little further down

    share = 1 - (1 - np.linspace(0, 1, _ROWS)) ** 1.5
    hangs = np.zeros(len(angle), bool)
    down = np.zeros(_ROWS)
    if cut.length is not None:
        start = cut.back_of + rng.uniform(-6, 8)
        hangs = degrees > start
        edge = np.where(hangs, np.maximum(7.3, line), edge)
        down = ((np.linspace(0, 1, _ROWS) - 0.36) / 0.64).clip(0)
    ways = np.where(hangs[:, None], np.minimum(np.linspace(0, 1, _ROWS) / 0.36, 1), share)
    points = walk(rest, angle, edge, ways)
    out = points - [0, 7.35, 0.2]
    out[..., 1] *= 0.7
    out /= np.linalg.norm(out, axis=2, keepdims=True)

    ramp = np.minimum(1, (1 - share) / cut.rise) ** 0.6
    floor = np.maximum(free, hangs)[:, None] * 0.6
    thick = cut.thick * size * (floor + (1 - floor) * ramp) + 0.006
    thick = thick * (1 + 0.12 * _clumps(rng, thick.shape, (2.5, 3)))
    if hair.style == "side parting":
        gap = np.exp(-(((side - 26) / 5) ** 2))[:, None]
        thick = thick * (1 - 0.75 * gap) * (1 + 0.35 * _smooth(-side, -26, 10)[:, None])
    elif cut.length is not None and cut.over < 0.1:
        thick = thick * (1 - 0.6 * np.exp(-(((side - 6) / 5) ** 2))[:, None])
    if hair.style in ("cropped", "swept back"):  # fuller on top than at the sides
        thick = thick * (0.35 + 0.65 * (1 - _smooth(degrees, 38, 70)))[:, None] + 0.004
    if cut.bump:
        curls = np.abs(_clumps(rng, thick.shape, (1.0, 0.9)))
        thick = thick + cut.bump * (curls - 0.8) * np.minimum(1, thick / (2 * cut.bump))
    if hair.style == "afro":
        thick = thick * (0.75 + 0.25 * _smooth(points[..., 1], 7.0, 7.8))
    thick[:, -1] -= 0.02 * (1 - np.maximum(free, hangs))  # the edge goes into the skin: no gap
    points = points + thick[..., None] * out

    if hangs.any():
        points = _hang(rng, points, angle, hangs, down, cut, rest)
    surface = np.zeros((len(angle) * _ROWS, 4), np.float32)
    around = np.interp(angle, (-np.pi, np.pi), (0, TEXTURE[1] - 1))
    surface[:, 0] = np.repeat(around, _ROWS)
    surface[:, 1] = (share * (TEXTURE[0] - 1))[None].repeat(len(angle), 0).ravel()
    mesh = Worn(
        HAIR,
        points.reshape(-1, 3).astype(np.float32),
        grid_triangles(len(angle), _ROWS, closed=bool(hangs.any())),
        surface,
    )
    close = np.where(hangs, 0.0, 1 - free)
    return mesh, lambda at: np.interp(at, angle, close)


def _hang(rng, points, angle, hangs, down, cut: Cut, rest) -> np.ndarray:
    """Let the columns that hang fall straight from the head's widest to the cut's length."""
    ears = np.abs(rest[anatomy().masks["ears"] > 0.5, 0]).max() + 0.02
    length = cut.length + rng.uniform(-0.15, 0.15)
    tips = length + 0.03 * rng.standard_normal(len(angle))
    fallen = points.copy()
    drop = down[None] * (points[:, -1:, 1] - tips[:, None])
    fallen[..., 1] -= drop
    # Wide enough for the ears, closer again below them.
    beside = np.exp(-(((np.degrees(np.abs(angle)) - 92) / 26) ** 2))[:, None]
    below = _smooth(7.5 - fallen[..., 1], 0.0, 0.35)
    wide = np.maximum(np.abs(fallen[..., 0]), ears * beside * below)
    narrow = 1 - 0.13 * _smooth(6.9 - fallen[..., 1], 0.0, 1.0)
    fallen[..., 0] = np.sign(points[..., 0]) * wide * narrow
    phase = rng.uniform(0, 6) + 2.2 * np.sin(3 * angle + rng.uniform(0, 6))
    ripple = np.sin(phase[:, None] + drop * 7.5)
    swing = cut.wave * np.minimum(1, drop / 0.3)
    fallen[..., 0] += np.sign(points[..., 0]) * swing * ripple
    fallen[..., 2] += swing * np.cos(phase[:, None] * 1.3 + drop * 7.5)
    if cut.length > 6:  # a bob turns in under the jaw
        fallen[..., 0] *= 1 - 0.1 * down[None] ** 3
    return np.where(hangs[:, None, None], fallen, points)


def paint_strands(
    rng: np.random.Generator,
    hair: Hairstyle,
    close: Callable[[np.ndarray], np.ndarray],
    skin_row: np.ndarray,
) -> np.ndarray:
    """(128, 768, 4) float32: linear RGB of the strands in 0..1, and their gloss, about 1.

    Args:
        close: as `grow` returns it. skin_row: (768, 3) the painted skin along the hairline.
    """
    cut = _CUTS[hair.style]
    strands = gaussian_filter(rng.standard_normal(TEXTURE), cut.strands, mode="wrap")
    locks = gaussian_filter(
        rng.standard_normal(TEXTURE), (cut.strands[0] * 2, cut.strands[1] * 5), mode="wrap"
    )
    strands, locks = strands / strands.std(), locks / locks.std()
    v, u = np.mgrid[0 : 1 : TEXTURE[0] * 1j, -np.pi : np.pi : TEXTURE[1] * 1j]
    if cut.strands[0] > 5:  # strands lean to the side they are combed to
        lean = {"side parting": 60.0 * hair.parting, "swept back": 0.0}.get(hair.style, 12.0)
        v_at, u_at = np.meshgrid(*(np.arange(n) for n in TEXTURE), indexing="ij")
        at = [v_at, (u_at + lean * v**2) % TEXTURE[1]]
        strands, locks = (map_coordinates(x, at, order=1, mode="wrap") for x in (strands, locks))
    if hair.style == "braids":
        plait = np.abs(np.sin(u * 26)) ** 0.6
        strands = 2.5 * (plait - 0.75) + 0.6 * np.sin(v * 150 + 3 * np.sign(np.sin(u * 26)))
    tone = np.exp(0.26 * strands + 0.16 * locks)[..., None]
    white = (_smooth(strands, 0.2, 1.6) * np.sqrt(hair.grey) * (1 - hair.grey))[..., None]
    colour = hair.colour * tone * (1 - white) + 0.4 * white
    gloss = np.exp(0.5 * strands + 0.3 * locks)
    if cut.bump > 0.03:
        gloss = 0.4 * gloss
    fade = _smooth(v + 0.006 * strands, 0.97, 0.998) * close(u[0])
    colour = colour * (1 - fade[..., None]) + skin_row[None] * fade[..., None]
    gloss = gloss * (1 - fade)
    return np.concatenate([colour.clip(0.002, 1), gloss[..., None]], 2).astype(np.float32)
