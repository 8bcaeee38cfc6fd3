"""How well detected blinks fit true ones, and the detectors that are compared.

A blink counts as found when the lowest point of a detected one lies within it, each only once.
Accuracy is found / (found + missed + wrong), the only reading with which the paper's 80 % follow
from its precision of 100 % and recall of 80 %.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.signal import find_peaks

from talker.metrics.blinks import Blink, filled_in, find_blinks
from talker.metrics.intervals import bootstrap, ratio_bootstrap
from talker.store import FPS

AUTHORS = {"below": 0.4, "fall": 0.144, "frames_apart": 4}  # on the scale of Eq. 8
PAPER = {"accuracy": 0.80, "precision": 1.0, "recall": 0.80, "mae_start": 1.4, "mae_end": 2.1}


@dataclass
class Scored:
    """Detected blinks of one clip against the true ones; errors in frames, positive when late."""

    found: int = 0
    missed: int = 0
    wrong: int = 0
    start_errors: list[int] = field(default_factory=list)
    end_errors: list[int] = field(default_factory=list)


def score(detected: list[Blink], true: list[tuple[int, int]]) -> Scored:
    """true: (start, end) of each blink, the last frame before it and the first after it."""
    scored, left = Scored(), list(true)
    for blink in detected:
        mine = next((span for span in left if span[0] <= blink.lowest <= span[1]), None)
        if mine is None:
            scored.wrong += 1
            continue
        left.remove(mine)
        scored.found += 1
        scored.start_errors.append(blink.start - mine[0])
        scored.end_errors.append(blink.end - mine[1])
    scored.missed = len(left)
    return scored


def summary(rows: list[Scored], seed: int = 0) -> dict:
    """Accuracy, precision, recall and mean absolute errors in frames, with 95 % intervals over
    clips, and the counts behind them.
    """
    found, missed, wrong = (
        np.array([getattr(row, name) for row in rows]) for name in ("found", "missed", "wrong")
    )
    values = {
        "accuracy": ratio_bootstrap(found, found + missed + wrong, seed=seed),
        "precision": ratio_bootstrap(found, found + wrong, seed=seed),
        "recall": ratio_bootstrap(found, found + missed, seed=seed),
    }
    for name in ("start", "end"):
        errors = [getattr(row, f"{name}_errors") for row in rows]
        sizes = [np.abs(each).sum() for each in errors]
        values[f"mae_{name}"] = ratio_bootstrap(sizes, found, seed=seed)
        values[f"bias_{name}"] = bootstrap(sum(errors, []), np.mean, seed=seed)["value"]
    counts = {"found": found, "missed": missed, "wrong": wrong}
    return values | {name: int(each.sum()) for name, each in counts.items()} | {"clips": len(rows)}


def by_fixed_thresholds(ear: np.ndarray, fps: float = FPS) -> list[Blink]:
    """The authors' rule: dips below an EAR of 0.4 that are 0.144 deep, 4 frames apart.

    Start and end are "the peaks on either side". How deep a dip is, is read as its prominence.
    """
    ear = filled_in(ear)
    peaks = find_peaks(ear)[0]
    found = []
    for dip in find_peaks(
        -ear,
        height=-AUTHORS["below"],
        prominence=AUTHORS["fall"],
        distance=AUTHORS["frames_apart"],
    )[0].tolist():
        start, end = (
            int(side[at]) if len(side) else otherwise
            for side, at, otherwise in (
                (peaks[peaks < dip], -1, 0),
                (peaks[peaks > dip], 0, len(ear) - 1),
            )
        )
        opened = float(np.median(ear))
        found.append(Blink(start, dip, end, float((opened - ear[dip]) / opened)))
    return found


Detector = Callable[[np.ndarray, float], list[Blink]]
DETECTORS: dict[str, Detector] = {
    "ours": find_blinks,
    "without the rule for shut eyes": functools.partial(find_blinks, jump=np.inf),
    "authors' rule": by_fixed_thresholds,
}
