"""Whether lips close for /p b m/, the one thing about a mouth that every viewer checks.

Sound alone says when they must: a mouth that never quite shuts has the right rhythm and still
looks dubbed. It needs to be known in which frames they should be closed, from the truth of the
rendered corpus or an alignment of phonemes.

A closure is a movement. A mouth that rests shut all through a clip has its lips closed at every
/p b m/, and has made none of them: it scores 0 here, as one that never shuts does.
"""

from __future__ import annotations

import numpy as np

SLACK = 1  # frames before and after, in which a closure counts too: 0.04 s, unnoticed in dubbing
# Frames before and after, in one of which the mouth must be open: 0.12 s, less than a syllable. The
# mesh of a rendered performer opens within these around every closure; the more of them there are,
# the more often does a mouth that says something else score by chance.
MOVED = 3


def runs(closed: np.ndarray) -> list[tuple[int, int]]:
    """Half-open intervals of frames in which lips are to be closed; closed (T,) bool."""
    padded = np.concatenate([[0], np.asarray(closed, np.int8), [0]])
    edges = np.flatnonzero(np.diff(padded))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def while_speaking(words: list[dict], frames: int, fps: float) -> np.ndarray:
    """Mask (frames,) bool: from the start of the first word to the end of the last.

    words: in order, with `start` and `end` in seconds, as a stored clip's truth has them. A frame
    counts where its middle lies between the two; none does in a clip without words.
    """
    if not words:
        return np.zeros(frames, bool)
    middle = (np.arange(frames) + 0.5) / fps
    return (middle >= words[0]["start"]) & (middle <= words[-1]["end"])


def closed_below(opening: np.ndarray, closed: np.ndarray, speaking: np.ndarray) -> float:
    """The opening under which a mouth counts as closed, found on a real video of it.

    Half way between the medians of the frames in which it should be closed and of those in which
    it should not, though somebody is speaking: in silence lips rest on each other, and with those
    frames the threshold would come down to a mouth that is merely at rest. opening (T,) as a
    detector sees it; closed, speaking (T,) bool. NaN where frames of one kind are missing.
    """
    seen = np.isfinite(opening)
    shut, free = opening[seen & closed], opening[seen & speaking & ~closed]
    if not len(shut) or not len(free):
        return float("nan")
    return float(np.median(shut) + np.median(free)) / 2


def closures(opening: np.ndarray, closed: np.ndarray, threshold: float) -> np.ndarray:
    """Whether a closure was made in each run of `closed` (T,): (R,) bool.

    Made is one where `opening` (T,) falls to the threshold in the run, or `SLACK` frames from it,
    and lies above it in some frame no more than `MOVED` from the run, before or after. A run
    without any face has none.
    """
    found = []
    for start, end in runs(closed):
        near = opening[max(0, start - SLACK) : end + SLACK]
        around = opening[max(0, start - MOVED) : end + MOVED]
        found.append(bool((near <= threshold).any() and (around > threshold).any()))  # NaN: neither
    return np.array(found, bool)
