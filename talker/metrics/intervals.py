"""How sure a number is: bootstrap intervals over clips, or over the speakers that clips are of.

Clips of one face are no independent witnesses: where a number is said of people, people are to be
drawn, each with all of their clips (A. C. Davison, D. V. Hinkley, "Bootstrap methods and their
application", 1997, section 3.8). With few of them such an interval is still a little narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np


def bootstrap(
    values,
    statistic: Callable = np.median,
    draws: int = 2000,
    seed: int = 0,
    groups: Sequence | None = None,
) -> dict[str, float | int | None]:
    """A statistic of per-clip values with its 95 % percentile bootstrap interval.

    B. Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979. Values
    that are not finite are left out and counted.

    groups: whose each value is, such as the clip's speaker; where there are two or more, these are
    drawn and not clips.

    Returns value, low, high, clips, left_out, and the number of `groups` where these are drawn; the
    first three are None when nothing is left.
    """
    array = np.asarray(values, float)
    finite = np.isfinite(array)
    kept = array[finite]
    counts = {"clips": len(kept), "left_out": int(len(array) - len(kept))}
    if not len(kept):
        return {"value": None, "low": None, "high": None, **counts}
    rng, members = np.random.default_rng(seed), np.arange(len(kept))[:, None]
    if groups is not None:
        owners = np.asarray(groups)[finite]
        own = [np.flatnonzero(owners == owner) for owner in np.unique(owners)]
        if len(own) > 1:
            members, counts["groups"] = own, len(own)

    def draw() -> np.ndarray:
        return np.concatenate([members[n] for n in rng.integers(len(members), size=len(members))])

    # One draw at a time: all draws of a large corpus at once would take gigabytes.
    return {**_rounded(statistic(kept), [statistic(kept[draw()]) for _ in range(draws)]), **counts}


def ratio_bootstrap(
    numerators, denominators, draws: int = 2000, seed: int = 0, groups: Sequence | None = None
) -> dict[str, float | None]:
    """Sum over clips of one count divided by that of another, with its 95 % interval.

    For shares of things of which a clip has a few or none, as precision of what was found in it.
    None where the sum of the denominators is 0; draws in which it is 0 have no share and are left
    out. groups: as in `bootstrap`.
    """
    above, below = np.asarray(numerators, float), np.asarray(denominators, float)
    if not below.sum():
        return {"value": None, "low": None, "high": None}
    if groups is not None and len(set(groups)) > 1:
        _, owner = np.unique(np.asarray(groups), return_inverse=True)
        above, below = (np.bincount(owner, counted) for counted in (above, below))
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
