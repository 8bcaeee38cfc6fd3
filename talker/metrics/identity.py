"""Is it still the same person? The average content distance of section 5.

S. Tulyakov, M.-Y. Liu, X. Yang, J. Kautz, "MoCoGAN", CVPR 2018, in the paper's form: from the
still to each generated frame. Distances depend on the embedding, so they only say something beside
those of real videos: of one person and of different people. A real head turns and a face that acts
looks less like its still, so that films which hold still fall below the former: less is not more
like the person then.
"""

from __future__ import annotations

import numpy as np

EVERY = 5  # of so many frames one is embedded: 0.06 s of processor time each


def average_content_distance(still: np.ndarray, frames: np.ndarray) -> float:
    """Mean Euclidean distance of frames' embeddings (N, D) to that of the still (D,).

    In the embedding's own unit. Frames without a face are rows of NaN and left out; NaN when none
    is left, or the still has no face.
    """
    apart = np.linalg.norm(frames - still, axis=-1)
    seen = np.isfinite(apart)
    return float(apart[seen].mean()) if seen.any() else float("nan")


def different_people(stills: np.ndarray, people: list[str]) -> float:
    """Mean distance between the stills (N, D) of different people; NaN when there is only one.

    people: who each still shows. Rows of NaN are left out.
    """
    names = np.array(people)
    total, pairs = 0.0, 0
    for row in range(1, len(stills)):
        others = stills[:row][names[:row] != names[row]]
        apart = np.linalg.norm(others - stills[row], axis=-1)
        apart = apart[np.isfinite(apart)]
        total, pairs = total + apart.sum(), pairs + len(apart)
    return float(total / pairs) if pairs else float("nan")
