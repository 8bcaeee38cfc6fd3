"""Follow faces through a video: detection now and then, landmarks in every frame.

Where a face was in the last frame says where to look in this one: the frame is turned and scaled
so that the face stands upright at one size in one place, and the landmarks are fitted there. The
fit therefore always begins in the same way, and does not tremble as boxes of a detector do, which
come in coarse steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from talker.errors import TalkerError
from talker.faces import (
    CANONICAL,
    CANONICAL_INDICES,
    CANONICAL_SIZE,
    Detector,
    Face,
    similarity,
    square,
)
from talker.metrics.landmarks import inter_ocular_distance

EVERY = 25  # frames between two looks at the whole picture
SMOOTHING = 7  # frames over which landmarks are averaged before alignment
_UPRIGHT = 3.0  # pixels of the upright patch for one of the canonical face
_LOOK = 32  # pixels of the small picture by which a face is recognised from frame to frame
_ALIKE = 0.6  # correlation with that picture below which the detector is asked again
_JUMP = 0.15  # inter-ocular distances from frame to frame above which the detector is asked again
_GONE = 25  # frames without a face after which a track ends
_PERSISTS = 0.8  # of the frames of the best track: faces seen less often are passers-by


@dataclass
class Track:
    """One face through a video: its landmarks (68, 2) by frame number where it was seen."""

    landmarks: dict[int, np.ndarray] = field(default_factory=dict)
    detected: int = 0  # times that the detector found it
    _look: np.ndarray | None = None
    _missed: int = 0  # looks in a row that did not find it

    @property
    def last(self) -> int:
        return next(reversed(self.landmarks))

    def area(self) -> float:
        """Median over the frames of the squared inter-ocular distance, in pixels."""
        return float(np.median(inter_ocular_distance(np.stack(list(self.landmarks.values()))) ** 2))

    def array(self, frames: int) -> np.ndarray:
        """(T, 68, 2) float32, NaN where the face was not seen."""
        rows = np.full((frames, 68, 2), np.nan, np.float32)
        for number, landmarks in self.landmarks.items():
            rows[number] = landmarks
        return rows


def follow(frames: Iterable[np.ndarray], detector: Detector) -> list[Track]:
    """Every face of a video, frames uint8 (H, W, 3), in the order in which they were first seen.

    The detector looks at the first frame, at every 25th, and whenever there is no face, a face has
    jumped or no longer looks like itself. Holds no frame longer than it takes.
    """
    tracks: list[Track] = []
    for number, frame in enumerate(frames):
        live = [track for track in tracks if number - track.last <= _GONE]
        doubtful = [track for track in live if not _carry_on(track, number, frame, detector)]
        if not live or doubtful or number % EVERY == 0:
            _look_again(tracks, live, number, frame, detector)
    return tracks


def _carry_on(track: Track, number: int, frame: np.ndarray, detector: Detector) -> bool:
    """Fit the landmarks near those of the frame before; False, and none, where that is in doubt."""
    if track.last != number - 1:
        return False
    before = track.landmarks[track.last]
    landmarks, look = _fitted(frame, before, detector)
    moved = np.linalg.norm((landmarks - before)[list(CANONICAL_INDICES)], axis=1).max()
    if moved > _JUMP * inter_ocular_distance(before) or _correlation(look, track._look) < _ALIKE:
        return False
    track.landmarks[number] = landmarks
    return True


def _look_again(
    tracks: list[Track], live: list[Track], number: int, frame: np.ndarray, detector: Detector
) -> None:
    """Detect in the whole frame: confirm tracks, take up those that were lost, begin new ones."""
    found = detector.detect(frame)
    for track in live:
        middle = track.landmarks[track.last].mean(axis=0)
        mine = [face for face in found if _holds(face, middle)]
        if mine:
            face = min(mine, key=lambda face: np.linalg.norm(face.landmarks.mean(axis=0) - middle))
            found = [other for other in found if other is not face]
            _confirm(track, number, frame, face, detector)
        else:
            track._missed += 1
            if track._missed > 1:  # once may be a hand before it, twice is a wall taken for a face
                track.landmarks.pop(number, None)
    for face in found:
        tracks.append(Track())
        _confirm(tracks[-1], number, frame, face, detector)


def _confirm(track: Track, number: int, frame: np.ndarray, face: Face, detector: Detector) -> None:
    track.detected, track._missed = track.detected + 1, 0
    start = track.landmarks.get(number, face.landmarks)
    track.landmarks[number], track._look = _fitted(frame, start, detector)


def _holds(face: Face, point: np.ndarray) -> bool:
    left, top, right, bottom = face.box
    return bool(left <= point[0] <= right and top <= point[1] <= bottom)


def _fitted(
    frame: np.ndarray, near: np.ndarray, detector: Detector
) -> tuple[np.ndarray, np.ndarray]:
    """Landmarks (68, 2) fitted where `near` (68, 2) says a face is, and the small look of it."""
    box = np.array(detector.canonical_box).reshape(2, 2)
    margin = (box[1] - box[0]) / 4
    low, high = box[0] - margin, box[1] + margin
    to_patch = np.array([[_UPRIGHT, 0, -_UPRIGHT * low[0]], [0, _UPRIGHT, -_UPRIGHT * low[1]]])
    matrix = to_patch @ square(similarity(near[list(CANONICAL_INDICES)], CANONICAL))
    size = tuple(np.ceil(_UPRIGHT * (high - low)).astype(int).tolist())
    patch = cv2.warpAffine(
        frame, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    points = detector.fit(patch, (_UPRIGHT * (box - low)).ravel())
    back = cv2.invertAffineTransform(matrix)
    look = cv2.resize(
        cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY), (_LOOK, _LOOK), interpolation=cv2.INTER_AREA
    )
    return (points @ back[:, :2].T + back[:, 2]).astype(np.float32), look.astype(np.float32)


# Of each of the 68 landmarks of iBUG 300-W, the one that takes its place in a mirror: jaw, brows,
# nose, eyes (which both run the same way round), outer and inner lips.
MIRRORED = np.array(
    [*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)]
    + [*range(45, 41, -1), 47, 46, *range(39, 35, -1), 41, 40]
    + [*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65]
)


def fit_crops(crops: Iterable[np.ndarray], detector: Detector) -> np.ndarray:
    """Landmarks (T, 68, 2) of aligned crops uint8 (H, W, 3), without looking for the face first.

    Where it is is known: the fit begins at the canonical face, on the crop enlarged 3 times and on
    its mirror image, of which the mean is taken. On rendered mouths that follows the mesh more
    closely than landmarks from a detector's boxes, which come in steps, or from the frame before.
    """
    rows = []
    for crop in crops:
        scale = _UPRIGHT * CANONICAL_SIZE[0] / crop.shape[0]
        large = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        left, top, right, bottom = _UPRIGHT * np.array(detector.canonical_box)  # of pixels' edges
        straight = detector.fit(large, np.array([left, top, right, bottom]))
        wide = large.shape[1]
        turned = np.ascontiguousarray(large[:, ::-1])
        other = detector.fit(turned, np.array([wide - right, top, wide - left, bottom]))
        other = np.stack([wide - 1 - other[:, 0], other[:, 1]], axis=1)[MIRRORED]
        rows.append(((straight + other) / 2 + 0.5) / scale - 0.5)
    return np.stack(rows).astype(np.float32)


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r of two pictures; 0 where either is blank."""
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / size) if size > 1 else 0.0


def main_face(tracks: list[Track]) -> Track:
    """The largest face that persists: of those seen nearly as often as the most seen, the largest.

    Raises TalkerError when there is none.
    """
    if not tracks:
        raise TalkerError("no face was found in any frame")
    most = max(len(track.landmarks) for track in tracks)
    lasting = [track for track in tracks if len(track.landmarks) >= _PERSISTS * most]
    return max(lasting, key=Track.area)


def filled(landmarks: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Landmarks (T, 68, 2) with their NaN frames interpolated in time, and the lengths of the gaps.

    Before the first and after the last frame that was seen, that frame's are repeated.
    """
    seen = np.isfinite(landmarks[:, 0, 0])
    times = np.arange(len(landmarks))
    flat = landmarks.reshape(len(landmarks), -1)
    columns = [np.interp(times, times[seen], column[seen]) for column in flat.T]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], ~seen, [0]])))
    gaps = (edges[1::2] - edges[::2]).tolist()
    return np.stack(columns, axis=1).reshape(landmarks.shape).astype(np.float32), gaps


def smoothed(landmarks: np.ndarray) -> np.ndarray:
    """Mean over the 7 frames around each one, fewer at the ends; (T, 68, 2) to the same."""
    half = SMOOTHING // 2
    count = len(landmarks)
    return np.stack([landmarks[max(0, t - half) : t + half + 1].mean(0) for t in range(count)])
