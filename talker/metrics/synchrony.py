"""Audio-visual offset and confidence, as SyncNet defines them (Chung and Zisserman, 2016).

The sound is slid against the pictures by -15 to 15 frames. For each shift the distances between
the embeddings of what is then simultaneous are averaged over the clip; the offset is the shift of
the smallest mean distance, the confidence how far that lies below the median of all 31.

Positive offsets mean that the audio leads, as in the paper: what is heard at frame 10 and seen at
frame 12 has the offset 2. The offset of videos that are in step is 0; the paper finds 1 for GRID,
with other recordings and the official network. Confidences are in the unit of the network's
distances: for ours see `talker.evaluators.synchrony.SyncNetConfig`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from talker.evaluators.synchrony import SNIPPET, find_synchrony
from talker.metrics.pair import Footage, Pair

LARGEST = 15  # frames
OFFSETS = np.arange(-LARGEST, LARGEST + 1)
SHORTEST = 2 * LARGEST + SNIPPET - 1  # frames of a clip in which half of the snippets meet a sound


def mean_distances(seen: Tensor, heard: Tensor) -> np.ndarray:
    """Embeddings (N, D) of pictures and of sounds -> mean distance (31,) by offset.

    At offset o, row i of `seen` meets row i - o of `heard`; rows that meet none are left out, where
    the authors' code compares with zeros. N must be at least 30, so that at any offset half of
    the rows meet one: ValueError otherwise.
    """
    if len(seen) != len(heard) or len(seen) < 2 * LARGEST:
        raise ValueError(f"{len(seen)} and {len(heard)} embeddings cannot be slid by {LARGEST}")
    means = []
    for offset in OFFSETS.tolist():
        first, second = (seen[offset:], heard) if offset >= 0 else (seen, heard[-offset:])
        length = min(len(first), len(second))
        means.append((first[:length] - second[:length]).norm(dim=1).mean().item())
    return np.array(means)


def offset_and_confidence(seen: Tensor, heard: Tensor) -> tuple[float, float]:
    """Offset in frames, positive when audio leads, and confidence; embeddings (N, D) each.

    NaN, NaN where there is nothing to ask: fewer than 30 rows, or sounds that are all alike, as in
    silence. NaN, 0 where the pictures are all alike: a frozen mouth is in step with nothing.
    """
    if len(seen) < 2 * LARGEST or _alike(heard):
        return float("nan"), float("nan")
    if _alike(seen):
        return float("nan"), 0.0
    distances = mean_distances(seen, heard)
    confidence = np.median(distances) - distances.min()
    return float(OFFSETS[distances.argmin()]), float(confidence)


def _alike(rows: Tensor) -> bool:
    """All the same, but for the last bits, which depend on a row's place in a batch."""
    return torch.allclose(rows, rows[:1].expand_as(rows), rtol=1e-4, atol=1e-4)


def _measured(footage: Footage, weights: Path | None) -> tuple[float, float]:
    if footage.audio is None or len(footage.frames) < SHORTEST:
        return float("nan"), float("nan")
    return offset_and_confidence(*find_synchrony(weights).embed(footage.frames, footage.audio))


def av_offset(pair: Pair) -> float:
    """Frames by which the audio leads; NaN in less than 1.4 s, silence or with a frozen mouth."""
    return pair.generated.once(_measured, pair.weights.synchrony)[0]


def av_confidence(pair: Pair) -> float:
    """How much nearer pictures and sound are at that offset; NaN in less than 1.4 s or silence."""
    return pair.generated.once(_measured, pair.weights.synchrony)[1]
