"""Landmarks on aligned crops, whose face need not be looked for: mirrored, enlarged, rendered."""

import cv2
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from talker.faces import DlibDetector
from talker.metrics.landmarks import inner_lip_distance, inter_ocular_distance
from talker.studio.camera import Camera, Pose
from talker.studio.performer import performer
from talker.tracking import MIRRORED, fit_crops


@pytest.fixture(scope="module")
def detector():
    return DlibDetector()


@pytest.fixture(scope="module")
def rendered() -> tuple[np.ndarray, np.ndarray]:
    """A performer whose mouth opens: crops uint8 (5, 128, 96, 3), landmarks of the mesh."""
    camera = Camera(performer(3))
    crops, marks = [], []
    for jaw in np.linspace(0, 0.4, 5):
        vertices = camera.posed(Pose({"jawOpen": float(jaw)}, np.zeros(6), np.zeros(2)))
        plane = camera.landmarks(vertices)
        film = camera.film(plane)
        crops.append(camera.render(vertices, film))
        marks.append(plane @ film[:, :2].T + film[:, 2])
    return np.stack(crops), np.stack(marks)


def mirrored(landmarks: np.ndarray, width: int) -> np.ndarray:
    """What the landmarks (..., 68, 2) of a picture become in a mirror."""
    turned = landmarks[..., MIRRORED, :].copy()
    turned[..., 0] = width - 1 - turned[..., 0]
    return turned


def test_the_mirror_of_the_mirror_is_the_face():
    assert sorted(MIRRORED) == list(range(68))
    assert MIRRORED[MIRRORED].tolist() == list(range(68))
    in_the_middle = [number for number, other in enumerate(MIRRORED) if number == other]
    assert in_the_middle == [8, 27, 28, 29, 30, 33, 51, 57, 62, 66]  # chin, nose, lips


def test_on_a_face_the_mirror_exchanges_left_and_right(rendered):
    """No other order brings a face with an open mouth as near to its mirror image."""
    marks = rendered[1][-1]
    turned = marks * (-1, 1)
    turned += marks.mean(0) - turned.mean(0)
    apart = np.linalg.norm(marks[:, None] - turned[None], axis=-1)
    assert linear_sum_assignment(apart)[1].tolist() == MIRRORED.tolist()


class Upright(DlibDetector):
    """Expects the face in the middle: the canonical one stands a bit to the right of it.

    So a mirrored crop has the same two fits as the crop itself, but for the rounding of pixels when
    it is enlarged.
    """

    canonical_box = (4.0, 16.0, 92.0, 107.0)


@pytest.mark.parametrize(("kind", "most"), [(Upright, 0.1), (DlibDetector, 0.6)])
def test_a_mirrored_crop_gives_the_mirrored_landmarks(kind, most, rendered):
    crops, _ = rendered
    there = fit_crops(crops, kind())
    back = fit_crops([crop[:, ::-1] for crop in crops], kind())
    assert there.shape == (5, 68, 2) and there.dtype == np.float32
    assert np.abs(back - mirrored(there, 96)).mean(axis=(0, 2)).max() < most  # pixels


def test_a_crop_of_twice_the_size_gives_twice_the_landmarks(detector, rendered):
    crops, _ = rendered
    large = [cv2.resize(c, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC) for c in crops]
    there, twice = fit_crops(crops, detector), fit_crops(large, detector)
    error = np.linalg.norm((twice + 0.5) / 2 - 0.5 - there, axis=-1)
    assert error.mean() < 0.3 and error.max() < 2  # pixels of the small crop


def test_it_follows_the_mesh(detector, rendered):
    crops, marks = rendered
    found = fit_crops(crops, detector)
    error = np.linalg.norm(found - marks, axis=-1) / inter_ocular_distance(marks)[:, None]
    assert error[:, 17:].mean() < 0.07
    opening, true = inner_lip_distance(found), inner_lip_distance(marks)
    assert np.corrcoef(opening, true)[0, 1] > 0.9
    assert (np.diff(opening) > 0).all()
