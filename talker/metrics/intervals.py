"""How sure a number is: bootstrap intervals over clips."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def bootstrap(
    values, statistic: Callable = np.median, draws: int = 2000, seed: int = 0
) -> dict[str, float | int | None]:
    """A statistic of per-clip values with its 95 % percentile bootstrap interval over clips.

    B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979. Values
    that are not finite are left out and counted. Returns value, low, high, clips, left_out; the
    first three are None when nothing is left.
    """
    array = np.asarray(values, float)
    kept = array[np.isfinite(array)]
    counts = {"clips": len(kept), "left_out": int(len(array) - len(kept))}
    if not len(kept):
        return {"value": None, "low": None, "high": None, **counts}
    rng = np.random.default_rng(seed)
    # One draw at a time: all draws of a large corpus at once would take gigabytes.
    drawn = [statistic(kept[rng.integers(len(kept), size=len(kept))]) for _ in range(draws)]
    return {**_rounded(statistic(kept), drawn), **counts}


def ratio_bootstrap(
    numerators, denominators, draws: int = 2000, seed: int = 0
) -> dict[str, float | None]:
    """Sum over clips of one count divided by that of another, with its 95 % interval over clips.

    For shares of things of which a clip has a few or none, as precision of what was found in it.
    None where the sum of the denominators is 0; draws in which it is 0 have no share and are left
    out.
    """
    above, below = np.asarray(numerators, float), np.asarray(denominators, float)
    if not below.sum():
        return {"value": None, "low": None, "high": None}
    rng = np.random.default_rng(seed)
    at = rng.integers(len(above), size=(draws, len(above)))
    over, under = above[at].sum(axis=1), below[at].sum(axis=1)
    some = under > 0
    return _rounded(above.sum() / below.sum(), over[some] / under[some])


def _rounded(value: float, drawn) -> dict[str, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    return {
        "value": round(float(value), 5),
        "low": round(float(low), 5),
        "high": round(float(high), 5),
    }
