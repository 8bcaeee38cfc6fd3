"""Who is it? A vector of a face that is near to another's when both are of one person."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from talker.errors import TalkerError


class FaceEmbedding(Protocol):
    """What measures of identity ask of an embedding."""

    name: str
    dimensions: int  # D

    def embed(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """A face in uint8 (H, W, 3) RGB with its landmarks (68, 2) -> float32 (D,)."""
        ...


class DlibEmbedding:
    """dlib's ResNet with 29 layers, trained on about three million photographs (King, 2017).

    128 numbers; its author calls two faces one person when they are less than 0.6 apart. Raises
    TalkerError when the model file of the package face_recognition_models is not installed.
    """

    name = "dlib ResNet"
    dimensions = 128
    SIZE = 3  # a crop of 96x128 is enlarged so often: the network sees 150 pixels of face
    FILE = "dlib_face_recognition_resnet_model_v1.dat"

    def __init__(self) -> None:
        import dlib

        # Only looked up: importing that package needs pkg_resources, which setuptools dropped.
        spec = importlib.util.find_spec("face_recognition_models")
        path = Path(spec.origin).parent / "models" / self.FILE if spec and spec.origin else None
        if path is None or not path.is_file():
            raise TalkerError(
                f"the face embedding {self.FILE} is not installed: "
                "run `pip install face-recognition-models`."
            )
        self._dlib = dlib
        self._network = dlib.face_recognition_model_v1(str(path))

    def embed(self, image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
        """See `FaceEmbedding.embed`."""
        enlarged = cv2.resize(
            image, None, fx=self.SIZE, fy=self.SIZE, interpolation=cv2.INTER_CUBIC
        )
        points = np.rint((landmarks + 0.5) * self.SIZE - 0.5).astype(int)
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        box = self._dlib.rectangle(left, top, right, bottom)
        marks = self._dlib.full_object_detection(box, [self._dlib.point(x, y) for x, y in points])
        return np.array(self._network.compute_face_descriptor(enlarged, marks), np.float32)


@functools.cache
def find_embedding() -> FaceEmbedding:
    """The embedding that measures of identity use: dlib's, the one that works offline."""
    return DlibEmbedding()


def distances(embeddings: np.ndarray) -> np.ndarray:
    """Euclidean distances (N, N) between embeddings (N, D)."""
    return np.linalg.norm(embeddings[:, None] - embeddings[None], axis=-1)
