"""Blinks from the eye aspect ratio (section 5, Eq. 8): a sharp dip, peak to peak.

The paper counts a dip by fixed thresholds; here they are relative to the eye's own open state (the
clip's median EAR), because people and detectors differ in how open an open eye measures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks

DEPTH = 0.25  # a dip counts when EAR falls by this share of the clip's median
LONGEST = 1.0  # seconds: a longer dip is a closed or lowered eye, not a blink


@dataclass(frozen=True)
class Blink:
    """start, lowest, end: frames; depth: fall of EAR as a share of the clip's median."""

    start: int
    lowest: int
    end: int
    depth: float


def find_blinks(ear: np.ndarray, fps: float) -> list[Blink]:
    """Blinks in an EAR trace (T,), in order; none in a trace of fewer than three frames.

    The start is the last frame before the dip, and the end the first after it, at which the eye is
    within a tenth of the dip's depth of its open state, as the peaks on either side are.
    """
    ear = np.asarray(ear, float)
    if len(ear) < 3:
        return []
    opened = float(np.median(ear))
    padded = np.concatenate([[opened], ear, [opened]])  # so that a dip may touch either end
    dips, _ = find_peaks(-padded, prominence=DEPTH * opened, distance=max(1, round(0.2 * fps)))
    found = []
    for dip in dips - 1:
        depth = (opened - ear[dip]) / opened
        if depth < DEPTH:
            continue
        recovered = np.flatnonzero(ear >= opened * (1 - 0.1 * depth))
        before, after = recovered[recovered < dip], recovered[recovered > dip]
        start = int(before[-1]) if len(before) else 0
        end = int(after[0]) if len(after) else len(ear) - 1
        if (end - start) / fps <= LONGEST and (not found or start >= found[-1].lowest):
            found.append(Blink(start, int(dip), end, float(depth)))
    return found
