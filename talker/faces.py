"""Find faces, and bring each to the canonical face that the networks know.

A detector is anything with the methods of `Detector`, so another one is one more class here.
Coordinates are (x, y) in pixels, with the centre of the first pixel at (0, 0); landmarks are the
68 of the iBUG 300-W scheme, which the paper's alignment and blink measure are written in.
"""

from __future__ import annotations

import functools
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from talker.errors import TalkerError

# Nose base, then the outer and inner corners of both eyes: points that speech does not move.
CANONICAL_INDICES = (33, 36, 39, 42, 45)
CANONICAL_SIZE = (128, 96)  # height, width
CANONICAL = np.array([(49.5, 71.9), (24.2, 43.4), (38.0, 44.2), (59.0, 43.3), (72.7, 42.1)])


@dataclass(frozen=True)
class Face:
    """One face in an image."""

    box: tuple[float, float, float, float]  # left, top, right, bottom
    landmarks: np.ndarray  # float32 (68, 2)
    score: float  # the detector's confidence, on a scale of its own

    @property
    def area(self) -> float:
        left, top, right, bottom = self.box
        return (right - left) * (bottom - top)


class Detector(Protocol):
    """What the package asks of a face detector."""

    def detect(self, image: np.ndarray) -> list[Face]:
        """Faces in uint8 (H, W, 3) RGB, from left to right; an empty list when there are none."""
        ...

    # Left, top, right, bottom on the canonical face: the box in which `fit` expects a face.
    canonical_box: tuple[float, float, float, float]

    def fit(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """The 68 landmarks, float32 (68, 2), of the face known to be in that box of an image."""
        ...


def _resize(image: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Resize without aliasing; returns the image and its exact (x, y) scale after rounding."""
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, size, interpolation=how), np.array(size) / (width, height)


def _working_scales(height: int, width: int) -> list[float]:
    """Scales to look for faces at, in this order until one shows some.

    A classical detector needs 80 pixels of face and its time grows with the area: 96x128 frames
    are enlarged three times, a camera's photograph is shrunk, and both are looked at twice as
    large when the first look found nothing. A second look takes under a second on one core.
    """
    longest = max(height, width)
    first = min(3.0, max(1.0, 640 / longest), 1200 / longest)
    return [first, 2 * first]


class DlibDetector:
    """dlib's frontal HOG detector with the 68-landmark predictor of face_recognition_models.

    That package is only looked up, never imported: importing it needs pkg_resources, which
    setuptools has dropped. Raises TalkerError when the model file is not installed.
    """

    landmark_width = 240  # pixels of face that landmarks are predicted on: 80 enlarged 3 times
    # The detector's own boxes come in steps of 20 %; this is their median over GRID's speakers.
    canonical_box = (3.3, 15.9, 94.4, 107.0)

    def __init__(self) -> None:
        import dlib

        spec = importlib.util.find_spec("face_recognition_models")
        name = "shape_predictor_68_face_landmarks.dat"
        path = Path(spec.origin).parent / "models" / name if spec and spec.origin else None
        if path is None or not path.is_file():
            raise TalkerError(
                f"the face landmark model {name} is not installed: "
                "run `pip install face-recognition-models`."
            )
        self._dlib = dlib
        self._find = dlib.get_frontal_face_detector()
        self._predict = dlib.shape_predictor(str(path))

    def detect(self, image: np.ndarray) -> list[Face]:
        """See `Detector.detect`."""
        for scale in _working_scales(*image.shape[:2]):
            resized, exact = _resize(image, scale)
            boxes, scores, _ = self._find.run(resized, 0, 0.0)
            # A texture that scores a fifth of the best face is a texture.
            found = [
                (np.array([b.left(), b.top(), b.right() + 1, b.bottom() + 1]), score)
                for b, score in zip(boxes, scores, strict=True)
                if score >= 0.2 * max(scores)
            ]
            if found:
                faces = [self._face(image, box / np.tile(exact, 2), s) for box, s in found]
                return sorted(faces, key=lambda face: face.box[0])
        return []

    def _face(self, image: np.ndarray, box: np.ndarray, score: float) -> Face:
        """Landmarks on a copy of the face at one fixed size, whatever its size in the image."""
        width = box[2] - box[0]
        margin = width / 2
        low = np.maximum(np.floor(box[:2] - margin), 0).astype(int)
        high = np.minimum(np.ceil(box[2:] + margin), image.shape[1::-1]).astype(int)
        patch = image[low[1] : high[1], low[0] : high[0]]
        resized, exact = _resize(patch, min(3.0, self.landmark_width / width))
        points = self.fit(resized, (box - np.tile(low, 2)) * np.tile(exact, 2))
        # Half a pixel in and out: scaling keeps pixel edges in place, not pixel centres.
        landmarks = (points + 0.5) / exact - 0.5 + low
        return Face(tuple(float(v) for v in box), landmarks.astype(np.float32), float(score))

    def fit(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """See `Detector.fit`; in whole pixels, so that a face should be enlarged before."""
        rectangle = self._dlib.rectangle(*(int(v) for v in np.rint(box).astype(int) - (0, 0, 1, 1)))
        points = self._predict(np.ascontiguousarray(image), rectangle).parts()
        return np.array([(p.x, p.y) for p in points], np.float32)


class FaceAlignmentDetector:
    """The 2D-FAN landmarks of Bulat and Tzimiropoulos through the face-alignment package.

    More exact than dlib on turned faces, and needs two weight files in torch's hub folder.
    `find_detector` only uses it when they are there, because the package downloads what it lacks.
    """

    # 2D-FAN was trained on the box around the 68 landmarks.
    canonical_box = (7.3, 27.7, 85.7, 112.9)

    def __init__(self) -> None:
        import torch
        from face_alignment import FaceAlignment, LandmarksType

        device = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = FaceAlignment(LandmarksType.TWO_D, device=device, compile=False)

    @staticmethod
    def cached() -> bool:
        """Are the package and both weight files here?"""
        import torch

        folder = Path(torch.hub.get_dir()) / "checkpoints"
        if not any(folder.glob("s3fd-*")):  # before the import, which takes seconds
            return False
        try:
            from face_alignment.api import models_urls as landmark_urls
            from face_alignment.detection.sfd.sfd_detector import models_urls as face_urls
        except ImportError:
            return False
        needed = (landmark_urls["2DFAN-4"], face_urls["s3fd"])
        return all((folder / Path(url).name).is_file() for url in needed)

    def detect(self, image: np.ndarray) -> list[Face]:
        """See `Detector.detect`."""
        resized, exact = _resize(image, _working_scales(*image.shape[:2])[0])
        boxes = self._network.face_detector.detect_from_image(resized.copy())
        if not len(boxes):
            return []
        points = self._network.get_landmarks_from_image(resized, detected_faces=boxes)
        faces = [
            Face(
                tuple(float(v) for v in box[:4] / np.tile(exact, 2)),
                ((landmarks + 0.5) / exact - 0.5).astype(np.float32),
                float(box[4]),
            )
            for box, landmarks in zip(boxes, points, strict=True)
        ]
        return sorted(faces, key=lambda face: face.box[0])

    def fit(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """See `Detector.fit`."""
        found = [np.append(box, 1.0)]  # the package wants a score after the corners
        (points,) = self._network.get_landmarks_from_image(image, detected_faces=found)
        return points.astype(np.float32)


@functools.cache
def find_detector() -> Detector:
    """The best detector that works here without a download: face-alignment's, or else dlib's."""
    return FaceAlignmentDetector() if FaceAlignmentDetector.cached() else DlibDetector()


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The least-squares rotation, uniform scale and shift from one point set to another.

    S. Umeyama, "Least-squares estimation of transformation parameters between two point
    patterns", PAMI 1991, Eq. 40-42. source, target: (N, 2). Returns (2, 3) float64, so that
    `matrix[:, :2] @ p + matrix[:, 2]` takes p from source to target.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred = source - source_mean
    covariance = (target - target_mean).T @ centred / len(source)
    u, singular, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])  # no mirror images
    linear = (u * sign) @ vt * (singular @ sign) / centred.var(axis=0).sum()
    return np.column_stack([linear, target_mean - linear @ source_mean])


def align(
    image: np.ndarray, landmarks: np.ndarray, height: int = 128, width: int = 96
) -> tuple[np.ndarray, np.ndarray]:
    """Bring a face to the canonical face and crop it.

    image: uint8 (H, W, 3); landmarks: (68, 2). Returns the crop, uint8 (height, width, 3), and
    the (2, 3) matrix from image to crop coordinates. The similarity transform is fitted to the
    nose base and the four eye corners only. Large photographs are averaged over the area of each
    pixel of the crop, not sampled; outside the photograph its border is repeated.
    """
    canonical = (CANONICAL + 0.5) * np.array([width, height]) / CANONICAL_SIZE[::-1] - 0.5
    matrix = similarity(landmarks[list(CANONICAL_INDICES)], canonical)
    shrinkage = 1 / np.sqrt(np.linalg.det(matrix[:, :2]))  # image pixels per crop pixel
    # Shrink by area to about twice the crop's resolution, turn there, and average 2x2 pixels.
    source, scale = _resize(image, min(1.0, 2 / shrinkage))
    to_source = _about_edges(scale)
    to_double = _about_edges(np.array([2.0, 2.0]))
    warp = to_double @ square(matrix) @ np.linalg.inv(to_source)
    double = cv2.warpAffine(
        source,
        warp[:2],
        (2 * width, 2 * height),
        flags=cv2.INTER_CUBIC if shrinkage < 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(double, (width, height), interpolation=cv2.INTER_AREA), matrix


def square(matrix: np.ndarray) -> np.ndarray:
    return np.vstack([matrix, [0.0, 0.0, 1.0]])


def _about_edges(scale: np.ndarray) -> np.ndarray:
    """Scaling by (x, y) that keeps the image's edges, at -0.5, in place: (3, 3)."""
    return np.array(
        [[scale[0], 0, scale[0] / 2 - 0.5], [0, scale[1], scale[1] / 2 - 0.5], [0, 0, 1]]
    )
