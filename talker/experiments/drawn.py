"""What figures of films share: rows with names, the wheel of motion, a colour for each method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from talker.experiments.held_out import OURS, REAL
from talker.metrics.motion import flow_picture
from talker.plots import BLUE, GREEN, ORANGE, PURPLE, VERMILION

FURTHER = (VERMILION, GREEN, PURPLE)  # methods beside ours
SIDE = 301  # pixels of the wheel


def film_rows(axes: Axes, picture: np.ndarray, films: Sequence[str]) -> float:
    """A picture whose rows are these films, named at their left; returns the height of a row."""
    height = len(picture) / len(films)
    axes.imshow(picture, interpolation="lanczos")
    axes.set_yticks([height * (place + 0.5) for place in range(len(films))], films)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    return height


def wheel(axes: Axes, longest: float, unit: str) -> None:
    """The reference of a motion map: its colour for a motion from the middle to any point.

    longest: the length in `flow_picture` from which on it is brightest; unit: of what, "or more".
    """
    half = np.linspace(-longest, longest, SIDE, dtype=np.float32)
    flow = np.stack(np.meshgrid(half, half), axis=-1)
    shown = flow_picture(flow, longest)
    shown[np.linalg.norm(flow, axis=-1) > longest] = 255
    axes.imshow(shown, extent=(-longest, longest, longest, -longest))
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.set_title("direction", loc="center", fontsize=8)
    axes.set_xlabel(f"rim: {longest:g} {unit}", fontsize=7)


def film_colours(films: Sequence[str], controls: dict[str, str]) -> dict[str, str]:
    """A colour for each film, those given for the controls among them."""
    known = controls | {REAL: ORANGE, OURS: BLUE}
    others = [name for name in films if name not in known]
    return known | dict(zip(others, FURTHER, strict=False))
