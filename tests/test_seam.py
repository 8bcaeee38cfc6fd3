"""Landmarks of lips and lids that are shut: points placed by hand, and the mesh."""

import numpy as np
import pytest

from talker.metrics.landmarks import eye_aspect_ratio, inner_lip_distance
from talker.studio.camera import Camera, Pose
from talker.studio.landmarks import seam
from talker.studio.performer import performer

UPPER, LOWER = [61, 62, 63], [67, 66, 65]


def mouth(gap: float, roll: float = 0.0) -> np.ndarray:
    """Landmarks whose inner lips are `gap` apart, the head turned by `roll` degrees."""
    landmarks = np.random.default_rng(0).normal(0, 50, (68, 2))
    for corner in (36, 42):  # open eyes
        landmarks[corner : corner + 6] = (0, 0), (5, -4), (10, -4), (15, 0), (10, 4), (5, 4)
    landmarks[60], landmarks[64] = (0, 0), (40, 0)
    landmarks[UPPER] = [(10, -gap / 2), (20, -gap / 2), (30, -gap / 2)]
    landmarks[LOWER] = [(10, gap / 2), (20, gap / 2), (30, gap / 2)]
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    return landmarks @ np.array([[c, s], [-s, c]])


@pytest.mark.parametrize("roll", [0, 30, -120])
def test_points_that_passed_each_other_meet_halfway_and_no_other_moves(roll):
    pressed = mouth(-6, roll)
    sealed = seam(pressed)
    np.testing.assert_allclose(sealed[UPPER], sealed[LOWER])
    np.testing.assert_allclose(sealed[UPPER], mouth(0, roll)[UPPER], atol=1e-9)
    others = np.setdiff1d(np.arange(68), UPPER + LOWER)
    np.testing.assert_array_equal(sealed[others], pressed[others])


def test_open_lips_stay_as_they_are():
    np.testing.assert_array_equal(seam(mouth(5)), mouth(5))


def test_lips_pressed_together_measure_as_closed():
    camera = Camera(performer(0))

    def opening(**actions: float) -> float:
        pose = Pose(actions, np.zeros(6), np.zeros(2))
        return float(inner_lip_distance(camera.landmarks(camera.posed(pose))))

    assert opening(jawOpen=0.3) > 0.05
    assert opening(jawOpen=0.05, mouthClose=0.5, mouthRollUpper=0.6, mouthRollLower=0.6) == 0


@pytest.mark.parametrize("number", [0, 1])
def test_a_shut_eye_measures_as_shut_however_firmly(number):
    camera = Camera(performer(number))

    def ratio(lids: float) -> float:
        pose = Pose({"eyeBlinkLeft": lids, "eyeBlinkRight": lids}, np.zeros(6), np.zeros(2))
        return float(eye_aspect_ratio(camera.landmarks(camera.posed(pose))))

    falling = [ratio(lids) for lids in (0, 0.25, 0.5, 0.75, 0.9, 1)]
    assert falling[0] > 0.5 and falling[-1] < 0.05 * falling[0]
    assert all(np.diff(falling) <= 0)
