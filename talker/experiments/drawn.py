"""What figures of films share: rows of pictures with names, and a colour for each method."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from talker.experiments.held_out import OURS, REAL
from talker.plots import BLUE, GREEN, ORANGE, PURPLE, VERMILION

FURTHER = (VERMILION, GREEN, PURPLE)  # methods beside ours


def film_rows(axes: Axes, picture: np.ndarray, films: Sequence[str]) -> float:
    """A picture whose rows are these films, named at their left; returns the height of a row."""
    height = len(picture) / len(films)
    axes.imshow(picture, interpolation="lanczos")
    axes.set_yticks([height * (place + 0.5) for place in range(len(films))], films)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    return height


def film_colours(films: Sequence[str], controls: dict[str, str]) -> dict[str, str]:
    """A colour for each film, those given for the controls among them."""
    known = controls | {REAL: ORANGE, OURS: BLUE}
    others = [name for name in films if name not in known]
    return known | dict(zip(others, FURTHER, strict=False))
