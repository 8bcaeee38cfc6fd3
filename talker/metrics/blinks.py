"""Blinks from the eye aspect ratio (section 5, Eq. 8): a sharp dip, from peak to peak.

The paper counts a dip by fixed thresholds. The authors' code, which halves Eq. 8, asks for EAR
below 0.2, 0.072 lower than around, dips 4 frames apart; on the scale of Eq. 8 that is 0.4 and
0.144. Here the depth is relative to the eye's own open state (the clip's median EAR), because
people and detectors differ in how open an open eye measures: 0.25 of an EAR of 0.6 is 0.15.
Two more rules tell lids from landmarks that jump; the authors' code has neither.

`talker.experiments.blink_validation` measures how well this does, and what it would do without the
second of these rules, and what the authors' does.

A mirrored film should have the same blinks, but landmarks of a mirrored face are not quite the
mirrored landmarks: in some clips a blink more or less is found, both ways. The
row "mirrored" of `talker.experiments.corruptions` has the size of it, which chapter 16 prints. The
mean over both directions would be free of it and take twice as long: looking for landmarks is most
of what all metrics do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from talker.metrics.extra import installed

with installed():
    from scipy.signal import find_peaks

DEPTH = 0.25  # a dip counts when EAR falls by this share of the clip's median
APART = 0.2  # seconds between two dips: a lid that has just begun to rise may tremble
LONGEST = 1.0  # seconds: a longer dip is a closed or lowered eye, not a blink
SHORTEST = 0.15  # seconds: in less no lid shuts and opens, but landmarks may jump there and back
# Landmarks of a shut eye may jump to the crease above it, as if it were open. A lid takes longer.
SUDDEN, JUMP = 0.35, 0.6  # seconds between dips; share of the rise between them in one 1/25 s
_NEAR = 0.1  # of the dip's depth: as near to a peak the eye counts as open


@dataclass(frozen=True)
class Blink:
    """start, lowest, end: frames; depth: fall of EAR as a share of the clip's median."""

    start: int
    lowest: int
    end: int
    depth: float


def find_blinks(ear: np.ndarray, fps: float, jump: float = JUMP) -> list[Blink]:
    """Blinks in an EAR trace (T,), in order; none in fewer than three frames, or without a face.

    jump: see `JUMP`; infinite for a detector without that rule.

    Frames without a face (NaN) are filled in from those around. Start and end are the frames,
    before and after the dip, at which the eye last was and first is open again: within a tenth of
    the way down from the highest EAR between this dip and the next on that side. An eye that is
    about to close again may be open only in part, so two blinks in a row are two.
    """
    ear = filled_in(ear)
    if len(ear) < 3:
        return []
    opened = float(np.median(ear))
    padded = np.concatenate([[opened], ear, [opened]])  # so that a dip may touch either end
    apart = max(1, round(APART * fps))
    dips = find_peaks(-padded, prominence=DEPTH * opened, distance=apart)[0] - 1
    spans = _shut(ear, dips[opened - ear[dips] >= DEPTH * opened].tolist(), fps, jump)
    found = []
    for number, (first, last) in enumerate(spans):
        earliest = spans[number - 1][1] if number else 0
        latest = spans[number + 1][0] if number + 1 < len(spans) else len(ear) - 1
        before, after = ear[earliest : first + 1], ear[last : latest + 1]
        start = earliest + int(np.flatnonzero(before >= _open(before, ear[first], opened))[-1])
        end = last + int(np.flatnonzero(after >= _open(after, ear[last], opened))[0])
        if SHORTEST <= (end - start) / fps <= LONGEST:
            lowest = first if ear[first] <= ear[last] else last
            found.append(Blink(start, lowest, end, float((opened - ear[lowest]) / opened)))
    return found


def filled_in(ear: np.ndarray) -> np.ndarray:
    """An EAR trace (T,) with frames without a face (NaN) filled in from those around; (0,) where
    no frame has one.
    """
    ear = np.asarray(ear, float)
    seen = np.isfinite(ear)
    if not seen.any():
        return ear[:0]
    return np.interp(np.arange(len(ear)), np.flatnonzero(seen), ear[seen])


def _shut(ear: np.ndarray, dips: list[int], fps: float, jump: float) -> list[tuple[int, int]]:
    """The (first, last) dip of each blink: those between which no lid can have opened are one."""
    spans: list[tuple[int, int]] = []
    step = max(1, round(fps / 25))
    for dip in dips:
        if spans and dip - spans[-1][1] <= SUDDEN * fps:
            low = spans[-1][1]
            risen = ear[low + 1 : low + 1 + step].max() - ear[low]
            if risen >= jump * (ear[low:dip].max() - ear[low]):
                spans[-1] = (spans[-1][0], dip)
                continue
        spans.append((dip, dip))
    return spans


def _open(side: np.ndarray, lowest: float, opened: float) -> float:
    """The EAR from which on the eye counts as open on one side of a dip."""
    peak = min(side.max(), opened)
    return peak - _NEAR * (peak - lowest)


def blinks_per_second(ear: np.ndarray, fps: float) -> float:
    """Blinks in an EAR trace (T,) over its length; NaN in fewer than 3 frames or with no face."""
    if len(ear) < 3 or not np.isfinite(ear).any():
        return float("nan")
    return len(find_blinks(ear, fps)) * fps / len(ear)


def blink_duration(ear: np.ndarray, fps: float) -> float:
    """Median seconds from start to end of the blinks in an EAR trace (T,); NaN without any."""
    lengths = [blink.end - blink.start for blink in find_blinks(ear, fps)]
    return float(np.median(lengths)) / fps if lengths else float("nan")
