"""Inner lip landmarks of lips that are pressed together: points placed by hand, and the mesh."""

import numpy as np
import pytest

from talker.metrics.landmarks import inner_lip_distance
from talker.studio.camera import Camera, Pose
from talker.studio.landmarks import seam
from talker.studio.performer import performer

UPPER, LOWER = [61, 62, 63], [67, 66, 65]


def mouth(gap: float, roll: float = 0.0) -> np.ndarray:
    """Landmarks whose inner lips are `gap` apart, the head turned by `roll` degrees."""
    landmarks = np.random.default_rng(0).normal(0, 50, (68, 2))
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
