"""Which of six emotions a film shows, by what its landmarks do to those of a neutral face.

What is asked of generated films has to be learnt from real ones, so the classifier sees nothing in
which the two differ beside the expression: landmarks of the same detector, which know no texture,
less those of neutral stills of the same performer, which know no person. Several stills, because
a detector errs by a pixel in any one, as much as a brow moves. Of each measure of a face in the
axes of its eyes it is told three statistics over the film: the median, which a blink does not
move, the deviation, and the mean change from frame to frame. A linear classifier of these learns
from a few hundred clips, where a network on pixels would learn the performers by heart.

Films that move their lips in time have the tempo of the sound in them, and an angry voice is
faster than a sad one. What that alone says is to be seen from a generator that knows no emotions,
and from `REGIONS`: brows and lids, which speech hardly moves, or nose, mouth and chin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from talker.corpora.cremad import EMOTIONS as CREMAD_EMOTIONS
from talker.errors import TalkerError
from talker.metrics.landmarks import inter_ocular_distance
from talker.tracking import MIRRORED

EMOTIONS = tuple(sorted(CREMAD_EMOTIONS.values()))
X, Y = 0, 1
# Landmarks of the performer's right side, or of the middle, of which the mean is taken; those that
# mirror them count as much. y points down.
UPPER = {
    "outer brow, y": ((17, 18), Y),
    "middle of the brow, y": ((19,), Y),
    "inner brow, x": ((21,), X),
    "inner brow, y": ((20, 21), Y),
    "upper lid, y": ((37, 38), Y),
    "lower lid, y": ((40, 41), Y),
}
LOWER = {
    "wing of the nose, x": ((31,), X),
    "wing of the nose, y": ((31,), Y),
    "base of the nose, y": ((33,), Y),
    "corner of the mouth, x": ((48,), X),
    "corner of the mouth, y": ((48,), Y),
    "upper lip, y": ((51,), Y),
    "side of the upper lip, y": ((50,), Y),
    "lower lip, y": ((57,), Y),
    "side of the lower lip, y": ((58,), Y),
    "inner upper lip, y": ((62,), Y),
    "inner lower lip, y": ((66,), Y),
    "chin, y": ((8,), Y),
}
MEASURES = UPPER | LOWER
STATISTICS = ("median", "deviation", "change")
REGIONS = ("face", "upper", "lower")


def face_shape(landmarks: np.ndarray) -> np.ndarray:
    """Landmarks (..., 68, 2) -> (..., 18): the `MEASURES`, left and right averaged.

    In distances of the outer corners of the eyes, from their middle and along their line, so that
    neither size, place nor roll of the face in the picture changes them, nor a mirror.
    """
    points = np.asarray(landmarks, float)
    corners = points[..., (36, 39, 42, 45), :]
    along = corners[..., 2:, :].mean(axis=-2) - corners[..., :2, :].mean(axis=-2)
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    down = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    axes = np.stack([along, down], axis=-1)  # columns
    own = (points - corners.mean(axis=-2, keepdims=True)) @ axes
    own /= inter_ocular_distance(points)[..., None, None]
    both = (own + own[..., MIRRORED, :] * (-1, 1)) / 2
    rows = [both[..., list(indices), axis].mean(axis=-1) for indices, axis in MEASURES.values()]
    return np.stack(rows, axis=-1)


def film_features(landmarks: np.ndarray, stills: np.ndarray) -> np.ndarray:
    """Landmarks of a film (T, 68, 2) and of neutral stills of its performer (K, 68, 2) -> (54,).

    Each of `STATISTICS`, one after the other, of all measures less their mean over the stills.
    Raises TalkerError for fewer than two frames.
    """
    if len(landmarks) < 2:
        raise TalkerError("a film of one frame shows no motion: give it more.")
    moved = face_shape(landmarks) - face_shape(stills).mean(axis=0)
    change = np.abs(np.diff(moved, axis=0)).mean(axis=0)
    return np.concatenate([np.median(moved, axis=0), moved.std(axis=0), change])


def columns(region: str) -> np.ndarray:
    """Which of the features (54,) are of a region; raises TalkerError where there is no such."""
    if region not in REGIONS:
        raise TalkerError(f"there is no region {region!r}: choose from {', '.join(REGIONS)}.")
    held = [
        region == "face" or name in {"upper": UPPER, "lower": LOWER}[region] for name in MEASURES
    ]
    return np.tile(held, len(STATISTICS))


@dataclass(frozen=True)
class EmotionClassifier:
    """A linear discriminant of one region of the face; `region` is one of `REGIONS`."""

    region: str
    model: LinearDiscriminantAnalysis

    def tell(self, features: np.ndarray) -> list[str]:
        """The emotion of each film with these features (N, 54)."""
        return self.model.predict(features[:, columns(self.region)]).tolist()


def fit(features: np.ndarray, emotions: Sequence[str], region: str = "face") -> EmotionClassifier:
    """Learn from the features (N, 54) of N films with these emotions.

    Linear discriminant analysis whose covariance is shrunk as O. Ledoit and M. Wolf, "A
    well-conditioned estimator for large-dimensional covariance matrices" (2004), have it, so that
    there is nothing to tune. All emotions are as likely, whatever their share of the films.

    Raises TalkerError when there are not two films at least of each of the six emotions.
    """
    rare = [name for name in EMOTIONS if list(emotions).count(name) < 2]
    if rare:
        raise TalkerError(f"too few films of {', '.join(rare)} to learn from: two are needed.")
    priors = np.full(len(EMOTIONS), 1 / len(EMOTIONS))
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto", priors=priors)
    return EmotionClassifier(region, model.fit(features[:, columns(region)], list(emotions)))
